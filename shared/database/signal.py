"""A signal between a commit and the loops that wait for what it brought.

In one process only; across processes it is carried by `messaging.loops.wakeups`, through
`Store.after_commit`.
"""

from __future__ import annotations

import threading


class Signal:
    """Any number of waiters hear it; one that is set between two waits is never lost."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    @property
    def count(self) -> int:
        """How often it was set; what a waiter has seen so far is handed to `wait`."""
        return self._count

    def set(self) -> None:
        """Signal whoever waits."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait(self, seen: int, timeout: float) -> int:
        """Block at most `timeout` seconds until it was set after `seen`; returns the new count."""
        with self._changed:
            if self._count == seen and timeout > 0:
                self._changed.wait_for(lambda: self._count != seen, timeout)
            return self._count
