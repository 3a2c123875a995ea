"""The holiday table: no year missing, no day twice, swapped days that make sense."""

from __future__ import annotations

from datetime import date

from shared.catalogue.read import Folder
from shared.catalogue.read.calendars import HolidayTable
from shared.catalogue.source import Entry

SATURDAY = 5
PLAN_AHEAD_FROM = 10  # from October on deadlines reach into the next year


def check_calendars(folder: Folder, *, today: date | None) -> None:
    """The one table of days; `today` adds the question whether this year and the next are there."""
    table = folder.holidays
    if table.entry is None:
        return
    for year in sorted(_needed(folder, today) - set(table.years)):
        table.entry.fault(
            "years",
            en=f"the year {year} is missing, dates in it are refused: enter its days off and "
            f"add {year} to 'years'",
            vi=f"thiếu năm {year}, mọi hạn trong năm này bị từ chối: hãy nhập ngày nghỉ và thêm "
            f"{year} vào 'years'",
        )
    _check_days(table, table.entry)


def _needed(folder: Folder, today: date | None) -> set[int]:
    """From the first year in which something is in force to the last one that the table knows."""
    starts = [
        *(found.value.valid_from.year for found in folder.procedures),
        *(day.date.year for day in folder.holidays.days if day.date != date.min),
    ]
    known = [*folder.holidays.years, *starts]
    needed = set(range(min(starts), max(known) + 1)) if starts else set()
    if today is not None:
        needed.add(today.year)
        if today.month >= PLAN_AHEAD_FROM:
            needed.add(today.year + 1)
    return needed


def _check_days(table: HolidayTable, entry: Entry) -> None:
    rows = entry.entries("days")
    seen: set[date] = set()
    for day, row in zip(table.days, rows, strict=True):
        if day.date in seen:
            row.fault(
                "date",
                en=f"{day.date} stands twice: keep one row",
                vi=f"ngày {day.date} có hai dòng: hãy giữ lại một",
            )
        seen.add(day.date)
        if day.kind == "working" and day.date.weekday() < SATURDAY:
            row.fault(
                "kind",
                en=f"{day.date} is a working day anyway: only a Saturday or Sunday is swapped",
                vi=f"{day.date} vốn là ngày làm việc: chỉ hoán đổi Thứ Bảy hoặc Chủ nhật",
            )
    for year in table.years:
        if not any(day.date.year == year for day in table.days):
            entry.fault(
                "years",
                en=f"the year {year} is listed and has no day off at all: enter its days",
                vi=f"năm {year} có trong danh sách mà không có ngày nghỉ nào: hãy nhập ngày nghỉ",
            )
