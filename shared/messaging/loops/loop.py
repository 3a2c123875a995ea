"""What every loop of a service looks like from outside.

A loop does a piece of work when asked and knows when it will have some; who asks it (a thread of
the Supervisor, or the single-threaded pump) is no business of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, runtime_checkable


@runtime_checkable
class Loop(Protocol):
    """A piece of a service that works through what is due.

    `step` and `close` belong to one thread at a time; `wake` may come from any.
    """

    @property
    def name(self) -> str:
        """Stable name for logs and metrics, such as routing.relay."""

    def step(self, wait: float) -> int:
        """Do what can be done now; when there is nothing, wait up to `wait` s for it.

        Returns how many things were done. With `wait` 0 and nothing to do it costs microseconds
        and no query. DatabaseAway and BrokerAway mean: nothing was done, ask again later.
        """

    def next_due(self) -> datetime | None:
        """When this loop has something to do by the clock alone; None when only by events."""

    def wake(self) -> None:
        """End a waiting `step` now and look at the ledgers again."""

    def close(self) -> None:
        """Let go of connections; nothing half done remains."""
