"""The clock that all processes on one database share: what one writes as a lease another reads.

Clocks of machines differ by minutes, and are put forward and back. The database's is asked now and
then and counted on from there by a steady one, so that it costs no question of its own.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from shared.kernel.clock import Clock, RealClock, as_utc

ASKED_EVERY_SECONDS: Final = 60.0
_ASK: Final = sa.text("SELECT clock_timestamp()")


class SharedClock:
    """Tells the database's time; a clock that is moved by hand is the only one there is.

    SQLite has no clock of its own: there the machine's counts on steadily from the first question.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[datetime, float] | None = None  # UTC, and when by the steady clock

    def now(self, connection: sa.Connection) -> datetime:
        """The present instant (UTC); asked of this connection where the last answer is old."""
        if not isinstance(self._clock, RealClock):
            return self._clock.now()
        on_file = connection.dialect.name == "sqlite"
        with self._lock:
            steady = self._clock.steady()
            known = self._known
            if known is None or (not on_file and steady - known[1] > ASKED_EVERY_SECONDS):
                told = self._clock.now() if on_file else as_utc(connection.scalar(_ASK))
                known = self._known = (told, steady)
            return known[0] + timedelta(seconds=steady - known[1])
