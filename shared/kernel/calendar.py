"""Working time: an office's sessions, and deadlines found by spending them.

A calendar is data that is handed in (catalogue/calendar/); no holiday is named here. Instants are
aware and come back in UTC; sessions are on the wall clock of Việt Nam. One working day is the
office's nominal day, spent through its real sessions (domain rule of Nghị định 61/2018).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal

from shared.kernel.clock import VN, as_utc
from shared.kernel.errors import MissingCalendar

Unit = Literal["same_day", "working_day", "day", "working_hour", "hour"]
SAME_DAY_CUTOFF = time(15, 0)  # received later than this: the next working day
_MINUTE = timedelta(minutes=1)
_NOTHING = timedelta(0)
_LOOK_BACK_DAYS = (2, 6, 14)


@dataclass(frozen=True, slots=True, order=True)
class Session:
    """One stretch of opening hours within a day, on the wall clock."""

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"a session must end after it starts: {self.start}-{self.end}")

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return datetime.combine(date.min, self.end) - datetime.combine(date.min, self.start)


@dataclass(frozen=True, slots=True)
class Duration:
    """A legal time: `value` of `unit`; `cutoff` (wall clock) only for same-day procedures."""

    value: int
    unit: Unit
    cutoff: time | None = None

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("a duration is not negative")


@dataclass(frozen=True, eq=False)
class WorkingCalendar:
    """When an office works: weekly sessions (0 = Monday), days off, extra openings, known years.

    `extra` holds swapped working Saturdays and Sunday openings and wins over `off`.
    """

    weekly: Mapping[int, tuple[Session, ...]]
    off: frozenset[date] = frozenset()
    extra: Mapping[date, tuple[Session, ...]] = field(default_factory=dict)
    years: frozenset[int] = frozenset()
    _days: dict[date, tuple[tuple[datetime, datetime], ...]] = field(
        default_factory=dict, init=False, repr=False
    )

    def __post_init__(self) -> None:
        if not any(self.weekly.values()):
            raise ValueError("a calendar needs at least one weekly session")
        if not set(self.weekly) <= set(range(7)):
            raise ValueError("weekdays are 0 (Monday) to 6 (Sunday)")
        for sessions in (*self.weekly.values(), *self.extra.values()):
            for one, following in pairwise(sessions):
                if one.end > following.start:
                    raise ValueError(f"sessions overlap or are out of order: {one} {following}")

    @property
    def nominal_day_minutes(self) -> int:
        """Session minutes of the office's usual day: the most common total, the longer on a tie."""
        totals = Counter(
            sum((each.length for each in sessions), _NOTHING) // _MINUTE
            for sessions in self.weekly.values()
            if sessions
        )
        return max(totals, key=lambda minutes: (totals[minutes], minutes))

    def is_working_day(self, day: date) -> bool:
        """Whether the office has a session on that local day; MissingCalendar for unknown years."""
        return bool(self._sessions(day))

    def sessions_on(self, day: date) -> tuple[Session, ...]:
        """The sessions of a local day, none on a day off; MissingCalendar for unknown years."""
        return tuple(Session(start.time(), end.time()) for start, end in self._sessions(day))

    def next_opening(self, at: datetime) -> datetime:
        """The first instant from `at` on at which the office is open."""
        local = _local(at)
        return _utc(self._forward(local, inclusive=False))

    def add_days(self, start: datetime, days: int) -> datetime:
        """The instant when `days` nominal working days of session time have been spent."""
        return self.add_minutes(start, days * self.nominal_day_minutes)

    def add_minutes(self, start: datetime, minutes: int) -> datetime:
        """The instant when `minutes` of session time have been spent from `start` on.

        Where the last minute ends a session the answer is that end, not the next opening.
        """
        if minutes < 0:
            raise ValueError("time is only spent forward")
        left = timedelta(minutes=minutes)
        at = self._forward(_local(start), inclusive=True)
        while True:
            for opens, closes in self._sessions(at.date()):
                begin = max(at, opens)
                if begin > closes:
                    continue
                if left <= closes - begin:
                    return _utc(begin + left)
                left -= closes - begin
            at = datetime.combine(at.date() + timedelta(days=1), time.min)

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """Whole session minutes between two instants; negative where `end` comes first."""
        begin, finish = _local(start), _local(end)
        if finish < begin:
            return -self.minutes_between(end, start)
        spent, day = _NOTHING, begin.date()
        while day <= finish.date():
            for opens, closes in self._sessions(day):
                spent += max(_NOTHING, min(closes, finish) - max(opens, begin))
            day += timedelta(days=1)
        return spent // _MINUTE

    def minutes_before(self, end: datetime, minutes: int, since: datetime) -> datetime | None:
        """The instant with `minutes` of session time left until `end`; None if not after `since`.

        Looked for from a few days before the end: from `since` it costs a walk over all the weeks.
        """
        bases = (end - timedelta(days=days) for days in _LOOK_BACK_DAYS)
        for base in (*(base for base in bases if base > since), since):
            spare = self.minutes_between(base, end) - minutes
            if spare > 0:
                return self.add_minutes(base, spare)
        return None

    def closing(self, day: date) -> datetime:
        """The end of the last session on the first working day from the local `day` on, in UTC."""
        while not (sessions := self._sessions(day)):
            day += timedelta(days=1)
        return _utc(sessions[-1][1])

    def drawn_in(self, at: datetime) -> datetime:
        """The instant drawn into working time, in UTC: off a day off, back into a day's sessions.

        A day off moves to the next working day; a clock time at which the office is closed becomes
        the session's end before it (the first opening, early in the morning).
        """
        local = _local(at)
        while not (sessions := self._sessions(local.date())):
            local += timedelta(days=1)
        begun = [max(opens, min(closes, local)) for opens, closes in sessions if opens <= local]
        return _utc(max(begun, default=sessions[0][0]))

    def latest(self, at: datetime, after: datetime) -> datetime:
        """The last instant at which somebody can come who was told to come by `at`, in UTC.

        A day off ends with the next working day (Bộ luật Dân sự 2015, Điều 148 khoản 5). Between
        the office's closing and a later clock time nobody could have come; where that closing is
        not after `after`, the date ends with the next working day too.
        """
        day = _local(at).date()
        if not self.is_working_day(day):
            return self.closing(day)
        drawn = self.drawn_in(at)
        return drawn if drawn > after else self.closing(day + timedelta(days=1))

    def _forward(self, local: datetime, *, inclusive: bool) -> datetime:
        """`local` itself if it lies in a session (its end counting if inclusive), else the next."""
        day, at = local.date(), local
        while True:
            for opens, closes in self._sessions(day):
                if at < closes or (inclusive and at == closes):
                    return max(at, opens)
            day += timedelta(days=1)

    def _sessions(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        known = self._days.get(day)
        if known is not None:
            return known
        if day.year not in self.years:
            raise MissingCalendar(day.year)
        if day in self.extra:
            sessions = self.extra[day]
        else:
            sessions = () if day in self.off else self.weekly.get(day.weekday(), ())
        combine = datetime.combine
        spans = tuple((combine(day, each.start), combine(day, each.end)) for each in sessions)
        self._days[day] = spans
        return spans


def due(received: datetime, duration: Duration, calendar: WorkingCalendar) -> datetime:
    """The promised instant (UTC) for something validly received at `received`.

    The clock starts at the next opening when the office was closed. Plain days that end on a day
    off move to the next working day; plain hours run on the wall clock.
    """
    match duration.unit:
        case "working_day":
            return calendar.add_days(received, duration.value)
        case "working_hour":
            return calendar.add_minutes(received, duration.value * 60)
        case "same_day":
            return _same_day(received, duration.cutoff or SAME_DAY_CUTOFF, calendar)
        case "day":
            return _plain_days(received, duration.value, calendar)
        case "hour":
            return _wall_hours(received, duration.value, calendar)


def before(
    end: datetime, duration: Duration, calendar: WorkingCalendar, since: datetime
) -> datetime | None:
    """The instant so long before `end` (UTC); None where that is not after `since`."""
    if duration.unit in ("day", "hour"):
        at = as_utc(end) - timedelta(**{f"{duration.unit}s": duration.value})
        return at if at > since else None
    minutes = 60 if duration.unit == "working_hour" else calendar.nominal_day_minutes
    return calendar.minutes_before(end, duration.value * minutes, since)


def _same_day(received: datetime, cutoff: time, calendar: WorkingCalendar) -> datetime:
    opening = _local(calendar.next_opening(received))
    late = opening.time() > cutoff
    return calendar.closing(opening.date() + timedelta(days=1) if late else opening.date())


def _plain_days(received: datetime, days: int, calendar: WorkingCalendar) -> datetime:
    # On a day with other hours the clock time is drawn back into its sessions.
    return calendar.drawn_in(calendar.add_minutes(received, 0) + timedelta(days=days))


def _wall_hours(received: datetime, hours: int, calendar: WorkingCalendar) -> datetime:
    end = as_utc(received) + timedelta(hours=hours)
    for day in (_local(received).date(), _local(end).date()):
        calendar.is_working_day(day)  # refuses a year that has no calendar
    return end


def _local(at: datetime) -> datetime:
    """Wall clock of Việt Nam without a zone: it has no summer time, so plain arithmetic holds."""
    return as_utc(at).astimezone(VN).replace(tzinfo=None)


def _utc(local: datetime) -> datetime:
    return local.replace(tzinfo=VN).astimezone(UTC)
