"""How instants, sums and answers are written on a paper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from shared.catalogue import FormField, Procedure
from shared.kernel.calendar import Duration
from shared.kernel.clock import parse_day, to_vn
from shared.kernel.numbers import vietnamese
from shared.kernel.text import msgid

#: A line that is left open for a hand to fill in.
BLANK: Final = "…" * 12
#: What is written on papers beside what each of them says by itself.
ON_PAPER: Final = {
    "reason": "Lý do",
    "next_step": "Ông/Bà làm gì tiếp",
    "original": "bản chính",
    "copy": "bản sao",
}
MOTTO: Final = ("Cộng hòa xã hội chủ nghĩa Việt Nam", "Độc lập - Tự do - Hạnh phúc")

_UNITS: Final = {
    "working_day": msgid("ngày làm việc"),
    "day": msgid("ngày"),
    "working_hour": msgid("giờ làm việc"),
    "hour": msgid("giờ"),
}


def minute(at: datetime | None) -> str:
    """`09:32 ngày 03/11/2023` on the wall clock of Việt Nam; empty for nothing."""
    return f"{to_vn(at):%H:%M ngày %d/%m/%Y}" if at is not None else ""


def day(at: datetime) -> str:
    """`03/11/2023` on the calendar of Việt Nam."""
    return f"{to_vn(at):%d/%m/%Y}"


def numbered(number: str) -> str:
    """`Số: 000.00.00.H20-231103-0001`."""
    return f"Số: {number}"


def dated(place: str | None, at: datetime) -> str:
    """`Cao Lãnh, ngày 03 tháng 11 năm 2023`."""
    return f"{place or BLANK}, {to_vn(at):ngày %d tháng %m năm %Y}"


def money(dong: float) -> str:
    """`1.250.000 đồng`."""
    return f"{vietnamese(dong)} đồng"


def duration(time: Duration, say: Callable[[str], str] = str) -> str:
    """The legal time, `5 ngày làm việc`; a page gives `say`, which puts it into its language."""
    if time.unit == "same_day":
        return say(msgid("trong ngày"))
    return f"{time.value} {say(_UNITS[time.unit])}"


def fee(
    procedure: Procedure,
    say: Callable[[str], str] = str,
    written: Callable[[float], str] = money,
) -> str:
    """What it costs; a page gives `say` and `written`, which put it into its language."""
    cost = procedure.fee
    sums = {None: msgid("Theo quy định"), 0: msgid("Không thu")}
    free = sums.get(cost.amount_vnd)
    said = say(free) if free else written(cost.amount_vnd or 0)
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
