"""How long agencies take, in their own working time, and what they have open; for heads and operators."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import ceil

import sqlalchemy as sa

from services.routing.storage.pace import Seen, seen
from shared.catalogue import Catalogue
from shared.kernel.calendar import WorkingCalendar
from shared.kernel.errors import MissingCalendar, NotFound

Marks = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pace:
    """One agency; `take` and `answer` are minutes of its working time, of half and of nine tenths.

    None where nothing was taken or answered of late. Time that stood for the citizen counts in.
    """

    of: Seen
    take: Marks | None
    answer: Marks | None


def paces(
    connection: sa.Connection, catalogue: Catalogue, now: datetime, office: str | None = None
) -> list[Pace]:
    """Every agency that had a task in the last 30 days, the most overdue first."""
    found = [_pace(each, catalogue) for each in seen(connection, now, office)]
    return sorted(found, key=lambda each: (-each.of.overdue, -each.of.open, each.of.agency))


def _pace(of: Seen, catalogue: Catalogue) -> Pace:
    try:
        calendar = catalogue.calendar(of.agency)
    except NotFound:  # it was in an older catalogue
        return Pace(of, None, None)
    return Pace(of, _marks(of.taken, calendar), _marks(of.answered, calendar))


def _marks(spans: Iterable[tuple[datetime, datetime]], calendar: WorkingCalendar) -> Marks | None:
    try:
        found = sorted(calendar.minutes_between(*span) for span in spans)
    except MissingCalendar:
        return None
    if not found:
        return None
    return _at(found, 0.5), _at(found, 0.9)


def _at(ordered: list[int], share: float) -> int:
    """The least value that so large a share does not exceed."""
    return ordered[ceil(share * len(ordered)) - 1]
