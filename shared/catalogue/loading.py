"""Loads a catalogue folder, whole or not at all: a service refuses to start on a broken one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from shared.catalogue.book import Catalogue, OfficeHours
from shared.catalogue.checks import check_folder
from shared.catalogue.faults import Faults
from shared.catalogue.read import Folder, read_folder
from shared.catalogue.read.calendars import HolidayTable, OfficeCalendar, special_days
from shared.kernel.calendar import WorkingCalendar
from shared.kernel.errors import BrokenCatalogue, Fault


def load(folder: Path) -> Catalogue:
    """The catalogue of this folder; BrokenCatalogue with every fault when anything is wrong."""
    faults = Faults()
    read = _read_and_check(folder, faults, today=None)
    if faults.found:
        raise BrokenCatalogue(tuple(faults.found))
    return _book(read)


def check(folder: Path, *, today: date | None = None) -> list[Fault]:
    """Every fault with file, line, place and mend, in the order of the files.

    With `today` it is also a fault when the holiday table does not cover this year, or from
    October on the next one: that is the operator's question, not a reason to refuse a start.
    """
    faults = Faults()
    _read_and_check(folder, faults, today=today)
    return sorted(faults.found, key=_by_place)


def _by_place(fault: Fault) -> tuple[str, int]:
    file, _, rest = fault.place.partition(":")
    line = rest.partition(":")[0]
    return file, int(line) if line.isdecimal() else 0


def _read_and_check(folder: Path, faults: Faults, *, today: date | None) -> Folder:
    read = read_folder(folder, faults)
    check_folder(read, faults, today=today)
    return read


def _book(read: Folder) -> Catalogue:
    table = read.holidays
    return Catalogue(
        version=read.digest,
        procedures=(found.value for found in read.procedures),
        agencies=(found.value for found in read.agencies),
        roles=(found.value for found in read.roles),
        wards=(found.value for found in read.wards),
        hours={found.value.code: _hours(found.value, table) for found in read.calendars},
        holidays=table.days,
        holidays_source=table.source,
        templates=(found.value for found in read.templates),
        papers_rules=(found.value for found in read.papers_rules),
        untaken_rules=(found.value for found in read.untaken_rules),
        dates_rules=(found.value for found in read.dates_rules),
        forms=(found.value for found in read.forms),
        telling_rules=(found.value for found in read.telling_rules),
        answering_rules=(found.value for found in read.answering_rules),
        cost_rules=(found.value for found in read.cost_rules),
    )


def _hours(office: OfficeCalendar, table: HolidayTable) -> OfficeHours:
    off = special_days(table, "off")
    swapped = dict.fromkeys(special_days(table, "working"), office.swapped)
    years = frozenset(table.years)
    open_week = {**office.weekly, **office.reception}
    return OfficeHours(
        name=office.name,
        clock=WorkingCalendar(weekly=office.weekly, off=off, extra=swapped, years=years),
        reception=WorkingCalendar(weekly=open_week, off=off, extra=swapped, years=years),
        no_appointment=office.no_appointment,
    )
