"""How a promised date moves when the clock is stopped; the calendar arithmetic is the kernel's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.intake.domain.dossier import Dossier, Pause
from shared.kernel.calendar import Duration, WorkingCalendar, due
from shared.kernel.clock import VN
from shared.kernel.errors import MissingCalendar


@dataclass(frozen=True, slots=True)
class Rules:
    """What the catalogue says of one dossier's time.

    `restart`: after a supplement the whole period starts again, else the rest of it goes on.
    """

    duration: Duration
    calendar: WorkingCalendar
    restart: bool


def moved(date: datetime, since: datetime, until: datetime, pause: Pause, rules: Rules) -> datetime:
    """The date after a pause; a date already missed when the clock stopped stays missed."""
    if date < since or until < since:  # two machines may not agree on the time
        return date
    if pause.restart:
        return max(date, due(until, rules.duration, rules.calendar))
    if rules.duration.unit == "hour":
        return date + (until - since)
    if rules.duration.unit == "day":
        return rules.calendar.drawn_in(date + (until - since))
    left = rules.calendar.minutes_between(since, date)
    return max(date, rules.calendar.add_minutes(until, left))


def stop_clock(dossier: Dossier, at: datetime, *, restart: bool) -> Dossier:
    """Stop the clock, or note that the pause that is running ends with a restart."""
    if dossier.paused_since is None:
        return replace(dossier, pauses=(*dossier.pauses, Pause(at, restart)))
    running = dossier.pauses[-1]
    pauses = (*dossier.pauses[:-1], replace(running, restart=running.restart or restart))
    return replace(dossier, pauses=pauses)


def start_clock(dossier: Dossier, at: datetime, rules: Rules) -> Dossier:
    """Let the clock run again and move the dates by what the stopped time was worth."""
    if dossier.paused_since is None or dossier.due_at is None or dossier.adjusted_due_at is None:
        return dossier
    pause = dossier.pauses[-1]
    # A date given during the pause was given in knowledge of it: only the rest is made good.
    given = max((e.at for e in dossier.extensions), default=pause.since)
    due_at = moved(dossier.due_at, max(pause.since, given), at, pause, rules)
    adjusted = moved(dossier.adjusted_due_at, pause.since, at, pause, rules)
    over = replace(pause, until=at, due_after=due_at, adjusted_due_after=adjusted)
    return replace(
        dossier, pauses=(*dossier.pauses[:-1], over), due_at=due_at, adjusted_due_at=adjusted
    )


def close_clock(dossier: Dossier, at: datetime, rules: Rules) -> Dossier:
    """End a running pause because the dossier has come to its end.

    The date in force stays as it was stated last; the date that the office is judged by moves, for
    the time that stood still was nobody's delay. An end needs no calendar of a year to come: where
    that date would fall into one, the year's first instant stands for it.
    """
    if dossier.paused_since is None or dossier.adjusted_due_at is None:
        return dossier
    pause = dossier.pauses[-1]
    try:
        adjusted = moved(dossier.adjusted_due_at, pause.since, at, pause, rules)
    except MissingCalendar as unknown:
        adjusted = max(at, datetime(unknown.year, 1, 1, tzinfo=VN).astimezone(UTC))
    over = replace(pause, until=at, due_after=dossier.due_at, adjusted_due_after=adjusted)
    return replace(dossier, pauses=(*dossier.pauses[:-1], over), adjusted_due_at=adjusted)
