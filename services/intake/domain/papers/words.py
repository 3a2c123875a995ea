"""How instants, sums and answers are written on a paper."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from shared.catalogue import FormField, Procedure
from shared.kernel.clock import parse_day, to_vn
from shared.kernel.numbers import vietnamese

#: A line that is left open for a hand to fill in.
BLANK: Final = "…" * 12
MOTTO: Final = ("Cộng hòa xã hội chủ nghĩa Việt Nam", "Độc lập - Tự do - Hạnh phúc")

_UNITS: Final = {
    "working_day": "ngày làm việc",
    "day": "ngày",
    "working_hour": "giờ làm việc",
    "hour": "giờ",
}


def minute(at: datetime | None) -> str:
    """`09:32 ngày 03/11/2023` on the wall clock of Việt Nam; empty for nothing."""
    return f"{to_vn(at):%H:%M ngày %d/%m/%Y}" if at is not None else ""


def day(at: datetime) -> str:
    """`03/11/2023` on the calendar of Việt Nam."""
    return f"{to_vn(at):%d/%m/%Y}"


def dated(place: str | None, at: datetime) -> str:
    """`Cao Lãnh, ngày 03 tháng 11 năm 2023`."""
    return f"{place or BLANK}, {to_vn(at):ngày %d tháng %m năm %Y}"


def money(dong: float) -> str:
    """`1.250.000 đồng`."""
    return f"{vietnamese(dong)} đồng"


def duration(procedure: Procedure) -> str:
    """The legal time, `5 ngày làm việc`."""
    time = procedure.duration
    return "trong ngày" if time.unit == "same_day" else f"{time.value} {_UNITS[time.unit]}"


def fee(procedure: Procedure) -> str:
    """What it costs."""
    cost = procedure.fee
    sums = {None: "Theo quy định", 0: "Không thu"}
    said = sums.get(cost.amount_vnd) or money(cost.amount_vnd or 0)
    return f"{said} ({cost.note})" if cost.note else said


def declared(asked: FormField, value: Any) -> str:
    """An answer of the declaration as it was read."""
    if isinstance(value, bool):
        return "Có" if value else "Không"
    if asked.type == "date" and isinstance(value, str):
        return _iso_day(value)
    if isinstance(value, int | float):
        number = vietnamese(value, grouped=asked.unit != "ordinal")
        return f"{number}{ {'vnd': ' đồng', 'm2': ' m²'}.get(asked.unit or '', '') }"
    return str(value)


def _iso_day(text: str) -> str:
    try:
        found: date = parse_day(text)
    except ValueError:
        return text
    return f"{found:%d/%m/%Y}"
