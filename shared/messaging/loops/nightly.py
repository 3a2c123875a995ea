"""The loop that clears up at night, a short batch at each step.

When it ran last is kept in memory alone: a night that is missed is made up for in the next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Final

from shared.kernel.clock import VN, Clock, to_vn

#: When offices are closed, on the wall clock of Việt Nam.
HOUR: Final = time(2, 0)


class Nightly:
    """Goes through `work` once a night; what it yields are batches that are already committed.

    Nobody waits for it, so it names no instant at which it is due.
    """

    def __init__(self, name: str, clock: Clock, work: Callable[[], Iterator[object]]) -> None:
        self.name = name
        self._clock = clock
        self._work = work
        self._next = coming_night(clock.now())
        self._running: Iterator[object] | None = None
        self._woken = threading.Event()

    def step(self, wait: float) -> int:
        """One batch in the night; else wait up to `wait` s. DatabaseAway: begun anew later."""
        if self._running is None:
            if self._clock.now() < self._next:
                if wait > 0:
                    self._woken.wait(wait)
                    self._woken.clear()
                return 0
            self._running = self._work()
        try:
            next(self._running)
        except StopIteration:
            self._running, self._next = None, coming_night(self._clock.now())
            return 0
        except BaseException:
            self._running = None
            raise
        return 1

    def next_due(self) -> datetime | None:
        """None: nothing depends on it."""
        return None

    def wake(self) -> None:
        """End a waiting step."""
        self._woken.set()

    def close(self) -> None:
        """Leave what is not cleared for another night."""
        self._running = None


def coming_night(now: datetime) -> datetime:
    """The next HOUR after this instant."""
    local = to_vn(now)
    at = datetime.combine(local.date(), HOUR, VN)
    return at if at > local else at + timedelta(days=1)
