"""When a desk is open, in words: its reception, wider than the clock that deadlines go by."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from shared.kernel.calendar import WorkingCalendar
from shared.web.words import gettext, msgid

_DAYS: Final = (
    msgid("Thứ Hai"),
    msgid("Thứ Ba"),
    msgid("Thứ Tư"),
    msgid("Thứ Năm"),
    msgid("Thứ Sáu"),
    msgid("Thứ Bảy"),
    msgid("Chủ Nhật"),
)


def openings(reception: WorkingCalendar) -> str:
    """The usual week, such as `Thứ Hai - Thứ Sáu 07:30-11:30, 13:30-17:30; Chủ Nhật 07:30-10:30`."""
    week = [(day, reception.weekly.get(number, ())) for number, day in enumerate(_DAYS)]
    told = []
    for sessions, group in groupby(week, key=lambda each: each[1]):
        days = [day for day, _ in group]
        if sessions:
            span = " - ".join(
                gettext(day) for day in (days[:1] if len(days) == 1 else (days[0], days[-1]))
            )
            hours = ", ".join(f"{each.start:%H:%M}-{each.end:%H:%M}" for each in sessions)
            told.append(f"{span} {hours}")
    return "; ".join(told)
