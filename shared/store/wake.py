"""The bell between a commit that made facts and the relay that sends them.

In one process only; the bell across processes is rung by the runtime, through `Store.after_commit`.
"""

from __future__ import annotations

import threading


class Wake:
    """A bell that any number of waiters hear; a ring between two waits is never lost."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rings = 0

    @property
    def rings(self) -> int:
        """How often it rang; what a waiter has seen so far is handed to `wait`."""
        return self._rings

    def set(self) -> None:
        """Ring."""
        with self._changed:
            self._rings += 1
            self._changed.notify_all()

    def wait(self, seen: int, timeout: float) -> int:
        """Block at most `timeout` seconds until it rang after `seen`; returns the new count."""
        with self._changed:
            if self._rings == seen and timeout > 0:
                self._changed.wait_for(lambda: self._rings != seen, timeout)
            return self._rings
