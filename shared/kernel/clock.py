"""Time as an argument: clocks and the two ways an instant is written.

Aware datetimes only: UTC inside, Asia/Ho_Chi_Minh at the doors. Working time lives in calendar.py.
"""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

VN = ZoneInfo("Asia/Ho_Chi_Minh")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Clock(Protocol):
    """Tells the present instant; handed in wherever time matters."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC; may be put forward or back by anybody."""

    def steady(self) -> float:
        """Seconds that only count up, whatever is done to the clock: for pauses and time limits."""


class RealClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)

    def steady(self) -> float:
        """Seconds since the machine's start."""
        return time.monotonic()


class FixedClock:
    """A clock that stands still until it is set or moved; for tests and the simulation."""

    def __init__(self, at: datetime) -> None:
        self._lock = threading.Lock()
        self._at = as_utc(at)

    def now(self) -> datetime:
        """The instant last set, in UTC."""
        with self._lock:
            return self._at

    def steady(self) -> float:
        """Seconds of the same time, so that a pause ends where the clock is moved past it."""
        return self.now().timestamp()

    def set(self, at: datetime) -> None:
        """Put the clock to an aware instant, forward or back."""
        with self._lock:
            self._at = as_utc(at)

    def advance(self, by: timedelta) -> datetime:
        """Move the clock on and return the new instant."""
        with self._lock:
            self._at += by
            return self._at


def as_utc(at: datetime) -> datetime:
    """The same instant in UTC; a datetime without a zone is a ValueError, never a guess."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError("a datetime without a time zone is not an instant")
    return at.astimezone(UTC)


def to_vn(at: datetime) -> datetime:
    """The same instant on the wall clock of Việt Nam (UTC+7)."""
    return as_utc(at).astimezone(VN)


def parse_day(text: str) -> date:
    """Read a day written YYYY-MM-DD; ValueError for anything else.

    Python reads all of ISO 8601, so that weeks (2024-W09-4) and bare digits would pass as days.
    """
    if not _DAY.fullmatch(text):
        raise ValueError("not a day written YYYY-MM-DD")
    return date.fromisoformat(text)


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 instant into UTC; ValueError where it is none or has no zone."""
    if len(text) < 20 or text[10] not in "Tt " or not _DAY.fullmatch(text, endpos=10):
        raise ValueError("not an RFC 3339 instant")  # date only, a week, or no zone at all
    try:
        return as_utc(datetime.fromisoformat(text))
    except OverflowError:  # the first or last hours of the calendar, in another zone
        raise ValueError("not an instant that UTC has") from None


def format_instant(at: datetime) -> str:
    """Write an instant as RFC 3339 in UTC with "Z"; microseconds only where they are not zero."""
    return as_utc(at).isoformat().removesuffix("+00:00") + "Z"
