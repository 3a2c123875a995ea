"""Reads an event log for `replay`: cases with channel, start and activities, row by row.

Lives here: telling usable rows from unusable ones, and moving a log's dates into years that the
city's calendars know. Columns: case, channel, start, activity, group, timestamp. What each channel
and activity of the log means is data (`log-terms.yaml`). Must not: submit anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from shared.kernel.clock import VN, parse_day
from shared.kernel.errors import Fault, InvalidInput
from simulation.table import read_table

COLUMNS = ("case", "channel", "activity", "timestamp")
TERMS = Path(__file__).with_name("log-terms.yaml")
WEEK = timedelta(weeks=1)
WEEKS_A_YEAR = 52.1775


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing done on a case; `at` is the log's own wall clock, read as Việt Nam's."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """One case of the log, its activities in time order; the first one is its submission."""

    id: str
    channel: str
    activities: tuple[Activity, ...]

    @property
    def submitted_at(self) -> datetime:
        return self.activities[0].at

    @property
    def work(self) -> tuple[Activity, ...]:
        return self.activities[1:]


@dataclass(frozen=True, slots=True)
class Unusable:
    """A row that could not be used: its line in the file (header = 1) and why."""

    line: int
    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Log:
    """What was read: cases by their start, rows that could not be used, weeks moved."""

    cases: tuple[Case, ...]
    unusable: tuple[Unusable, ...]
    shifted_weeks: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What the log's words mean here: channel -> channel, activity -> the agency's answer."""

    procedure: str
    channels: Mapping[str, str]
    answers: Mapping[str, Mapping[str, Any]]


def load_terms(path: Path = TERMS) -> Terms:
    """Read what the words of a log mean."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Terms(raw["procedure"], raw["channels"], raw["answers"])


def read_log(path: Path, terms: Terms) -> Log:
    """Every usable row by case; InvalidInput where it is no table or a needed column is missing."""
    rows: dict[str, list[tuple[str, Activity]]] = {}
    unusable: list[Unusable] = []
    names, table = read_table(path)
    _check_columns(names)
    for row in table:
        read = _row(row.cells, terms)
        if isinstance(read, tuple):
            rows.setdefault(read[0], []).append((read[1], read[2]))
        else:
            unusable.append(Unusable(row.line, *read.reason))
    cases = [_case(name, found) for name, found in rows.items()]
    return Log(tuple(sorted(cases, key=lambda c: (c.submitted_at, c.id))), tuple(unusable))


def into_years(log: Log, years: frozenset[int]) -> Log:
    """Move all dates by whole weeks, so that hour and weekday stay and every year has a calendar.

    A log that already lies in known years is left alone; InvalidInput where none can hold it.
    """
    if not log.cases:
        return log
    first = log.cases[0].submitted_at
    last = max(case.activities[-1].at for case in log.cases)
    for year in (first.year, *sorted(years)):
        weeks = round((year - first.year) * WEEKS_A_YEAR)
        span = range((first + weeks * WEEK).year, (last + weeks * WEEK).year + 1)
        if all(each in years for each in span):
            return Log(tuple(_moved(c, weeks * WEEK) for c in log.cases), log.unusable, weeks)
    raise InvalidInput(
        [
            Fault(
                "timestamp",
                "Nhật ký dài hơn số năm có lịch làm việc.",
                "The log spans more years than the city has calendars for.",
            )
        ]
    )


@dataclass(frozen=True, slots=True)
class _Bad:
    reason: tuple[str, str]


def _check_columns(found: Iterable[str]) -> None:
    missing = [name for name in COLUMNS if name not in set(found)]
    if missing:
        raise InvalidInput(
            [Fault(name, f"Thiếu cột {name}.", f"Column {name} is missing.") for name in missing]
        )


def _row(row: Mapping[str, str], terms: Terms) -> tuple[str, str, Activity] | _Bad:
    case, channel, text = (row.get(name) or "" for name in ("case", "channel", "timestamp"))
    name = row.get("activity") or ""
    if not case.strip():
        return _Bad(("không có mã hồ sơ", "no case"))
    if not name.strip():
        return _Bad(("không có tên hoạt động", "no activity"))
    if channel not in terms.channels:
        return _Bad((f"kênh nộp lạ: {channel[:30]!r}", f"unknown channel {channel[:30]!r}"))
    try:
        at = datetime.fromisoformat(text)
        parse_day(text[:10])  # no weeks, no bare digits
    except ValueError:
        return _Bad(
            (
                f"không đọc được thời điểm {text[:40]!r}; hãy ghi như 2022-03-01 08:00",
                f"unreadable time {text[:40]!r}: write it as 2022-03-01 08:00",
            )
        )
    # The hour on the wall is what shapes a desk's day: it is kept, whatever zone the log was in.
    local = at.replace(tzinfo=VN).astimezone(UTC)
    return case, terms.channels[channel], Activity(name, local)


def _case(name: str, rows: Sequence[tuple[str, Activity]]) -> Case:
    ordered = sorted((activity for _, activity in rows), key=lambda a: a.at)
    return Case(name, rows[0][0], tuple(ordered))


def _moved(case: Case, by: timedelta) -> Case:
    return Case(
        case.id, case.channel, tuple(Activity(each.name, each.at + by) for each in case.activities)
    )
