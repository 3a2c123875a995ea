"""Reads the holiday table and the weekly sessions of the offices.

Two calendars per office, never mixed: the clock (what a deadline is counted by) and reception
(when the desk takes dossiers, which may be a Sunday).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from shared.catalogue.model import SpecialDay
from shared.catalogue.read.found import Found
from shared.catalogue.source import Entry
from shared.kernel.calendar import Session

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SESSION = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$")
Week = Mapping[int, tuple[Session, ...]]


@dataclass(frozen=True, slots=True)
class HolidayTable:
    """Days off and swapped working days, for the years that the table vouches for."""

    source: str
    years: tuple[int, ...]
    days: tuple[SpecialDay, ...]
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class OfficeCalendar:
    """One kind of office week; Monday is 0. `swapped`: the sessions of a swapped working day."""

    code: str
    name: str
    weekly: Week
    reception: Week
    swapped: tuple[Session, ...]
    no_appointment: frozenset[int]


def read_holidays(top: Entry) -> HolidayTable:
    """The one table of days off and swapped days; a row without a source is a fault."""
    source = top.text("source")
    years = tuple(int(year) for year in top.texts("years") if year.isdecimal())
    days = []
    for entry in top.entries("days"):
        days.append(
            SpecialDay(
                date=entry.day("date"),
                kind=entry.choice("kind", ("off", "working")),
                name=entry.text("name"),
                source=entry.text("source"),
            )
        )
        entry.done()
    return HolidayTable(source, years, tuple(days), top)


def read_calendars(top: Entry) -> list[Found[OfficeCalendar]]:
    """The office weeks; one may say `based_on` an earlier one."""
    earlier: dict[str, Entry] = {}
    found = []
    for entry in top.entries("calendars"):
        code = entry.text("code")
        base = entry.maybe_text("based_on")
        if base is not None and base in earlier:
            entry.under = earlier[base]
        elif base is not None:
            entry.fault(
                "based_on",
                en=f"there is no calendar '{base}' above: name an earlier one",
                vi=f"không có lịch '{base}' ở trên: hãy ghi lịch trước đó",
            )
        found.append(Found(_calendar(code, entry), entry, {}))
        earlier[code] = entry
        entry.done()
    return found


def _calendar(code: str, entry: Entry) -> OfficeCalendar:
    weekly = _week(entry, "weekly")
    if not weekly:
        entry.fault(
            "weekly",
            en="no working day at all: write 'weekly:'",
            vi="không có ngày làm việc nào: hãy ghi 'weekly:'",
        )
    first = weekly[min(weekly)] if weekly else ()
    return OfficeCalendar(
        code=code,
        name=entry.text("name"),
        weekly=weekly,
        reception=_week(entry, "reception"),
        swapped=_sessions(entry, "swapped") or first,
        no_appointment=_weekdays(entry),
    )


def _weekdays(entry: Entry) -> frozenset[int]:
    days = set()
    for word in entry.texts("no_appointment"):
        if word in WEEKDAYS:
            days.add(WEEKDAYS.index(word))
        else:
            entry.fault(
                "no_appointment",
                en=f"'{word}' is no weekday: write 'wednesday'",
                vi=f"'{word}' không phải thứ trong tuần: hãy ghi 'wednesday'",
            )
    return frozenset(days)


def _week(entry: Entry, key: str) -> Week:
    inner = entry.entry(key)
    if inner is None:
        return {}
    week = {}
    for number, day in enumerate(WEEKDAYS):
        sessions = _sessions(inner, day)
        if sessions:
            week[number] = sessions
    inner.done()
    return week


def _sessions(entry: Entry, key: str) -> tuple[Session, ...]:
    sessions: list[Session] = []
    for text in entry.texts(key):
        match = SESSION.match(text)
        if match is None:
            entry.fault(
                key,
                en=f"'{text}' is no session: write \"07:30-11:30\"",
                vi=f"'{text}' không phải buổi làm việc: hãy ghi \"07:30-11:30\"",
            )
            continue
        start = time(int(match[1]), int(match[2]))
        end = time(int(match[3]), int(match[4]))
        if start >= end or (sessions and start < sessions[-1].end):
            entry.fault(
                key,
                en=f"'{text}' ends before it starts or overlaps the one before",
                vi=f"'{text}' kết thúc trước khi bắt đầu hoặc chồng lên buổi trước",
            )
            continue
        sessions.append(Session(start, end))
    return tuple(sessions)


def special_days(table: HolidayTable, kind: str) -> frozenset[date]:
    """The dates of one kind in the table."""
    return frozenset(day.date for day in table.days if day.kind == kind)
