"""Before a server that lately did not answer: one tries, all others are told at once.

Else each request would wait out a time limit of its own, and soon every thread would hang in one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from shared.kernel.errors import DatabaseAway

# Who failed after so many seconds has waited for somebody who did not answer.
SLOW_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 1.0  # until the next one tries
_TRYING_SECONDS: Final = 60.0  # longer than any try takes


class Gate:
    """Open, or shut since somebody waited in vain."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._shut_until: float | None = None

    def enter(self) -> float:
        """The time of entering, to be told when leaving; DatabaseAway while it is shut."""
        now = self._now()
        if self._shut_until is not None:
            self._try(now)
        return now

    def _try(self, now: float) -> None:
        with self._lock:
            until = self._shut_until
            if until is not None and now < until:
                raise DatabaseAway("the database did not answer a moment ago")
            self._shut_until = now + _TRYING_SECONDS  # for all others

    def left(self, entered: float, *, lost: bool) -> None:
        """Who entered then is done; where the server was lost, and late, it is shut for a while."""
        slow = lost and self._now() - entered >= SLOW_SECONDS
        if slow or self._shut_until is not None:
            with self._lock:
                self._shut_until = self._now() + PAUSE_SECONDS if slow else None
