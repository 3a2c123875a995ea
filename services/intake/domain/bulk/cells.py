"""A cell of a spreadsheet as the text that a person would have typed into the form.

Nothing is guessed: what could be two things, what Excel has made of a text, and every formula is
refused with what to do. Days are read and told as dd/mm/yyyy, on the wall clock of Việt Nam.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final

from services.intake.domain.bulk.columns import Column, fold
from services.intake.domain.written import day
from shared.kernel.clock import VN, as_utc, parse_day
from shared.kernel.letters import fold_wide, tidy
from shared.kernel.numbers import vietnamese


@dataclass(frozen=True, slots=True)
class Odd:
    """A cell that holds no value: a formula, or the error that one came to; `text` as it stands."""

    text: str = field(repr=False)
    formula: bool


Value = str | int | float | bool | datetime | date | time | Odd | None


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a cell is not read, in both languages; `en` may be logged."""

    vi: str = field(repr=False)
    en: str


_FORMULA: Final = Wrong(
    "Ô này là công thức, không được tính ở đây: hãy sao chép rồi «Dán giá trị» (Paste values).",
    "holds a formula, and none is evaluated: paste it as a value",
)
_ERROR: Final = Wrong("Ô này là lỗi của Excel (#…); hãy ghi lại giá trị.", "holds Excel's error")
_EPOCH: Final = date(1899, 12, 30)
#: Excel's count of days that is taken for a day: 01/01/1920 to 31/12/2100. Below lie the years.
_FIRST_SERIAL, _LAST_SERIAL = 7306, 73415
_SERIAL: Final = re.compile(r"[0-9]{4,5}")
_TRUE: Final = frozenset({"co", "x", "v", "1", "dung", "true", "yes", "y"})
_FALSE: Final = frozenset({"khong", "0", "sai", "false", "no", "n", "k"})
_CLOCK: Final = re.compile(r"([0-9]{1,2})[:hg]([0-9]{2})(?::[0-9]{2})?", re.IGNORECASE)


def text_of(column: Column, value: Value) -> str | Wrong:
    """What the cell says, as text; empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, Odd):
        return _FORMULA if value.formula else _ERROR
    if isinstance(value, str):
        text = tidy(value)
        return _FORMULA if text.startswith("=") else _of_text(column, text)
    if isinstance(value, bool):
        return _of_bool(column, value)
    if isinstance(value, int | float):
        return _of_number(column, value)
    return _of_time(column, value)


def _of_text(column: Column, text: str) -> str | Wrong:
    if column.kind == "date" and _SERIAL.fullmatch(plain := fold_wide(text)):
        return _of_serial(int(plain))
    if (
        column.kind == "date"
        and len(text) > 10
        and text[10] in "T "
        and not text[10:].strip("T0:. ")
    ):
        return day(text[:10])
    if column.kind == "bool" and text:
        return _ticked(text)
    if column.kind == "choice" and text:
        return _chosen(column, text)
    return day(text) if column.kind == "date" else text


def _ticked(text: str) -> str | Wrong:
    said = fold(fold_wide(text))
    if said in _TRUE | _FALSE:
        return "Có" if said in _TRUE else "Không"
    return Wrong("Ghi Có hoặc Không.", "must be yes or no")


def _chosen(column: Column, text: str) -> str:
    """What is kept of the choice; text that is none of them is left for the rule to refuse."""
    for kept, words in column.choices:
        if text in (kept, words):
            return kept
    alike = {kept for kept, words in column.choices if fold(text) in (fold(kept), fold(words))}
    return alike.pop() if len(alike) == 1 else text


def _of_bool(column: Column, value: bool) -> str | Wrong:  # noqa: FBT001 - a cell's own value
    if column.kind == "bool":
        return "Có" if value else "Không"
    return Wrong("Ô này là TRUE/FALSE; hãy ghi bằng chữ.", "holds TRUE or FALSE")


def _of_number(column: Column, value: float) -> str | Wrong:
    if not math.isfinite(value):
        return _ERROR
    exact = float(f"{value:.15g}")  # as Excel shows it: 0.1 + 0.2 is 0.3
    whole = int(exact) if exact.is_integer() and abs(exact) < 1e15 else None
    if column.kind == "date":
        return _of_serial(math.floor(exact))
    if column.kind == "instant":
        return _of_moment(exact)
    if column.kind == "bool" and whole is not None:
        return _ticked(str(whole))
    text = str(whole) if whole is not None else vietnamese(exact, grouped=False)
    if column.kind == "number":
        # Three digits after a typed comma could be thousands; here it is known that they are not.
        return f"{text}0" if re.search(",[0-9]{3}$", text) else text
    return text


def _of_serial(days: int) -> str | Wrong:
    if _FIRST_SERIAL <= days <= _LAST_SERIAL:
        return (_EPOCH + timedelta(days=days)).isoformat()
    return Wrong(
        "Ô này là một con số, không rõ là ngày nào; hãy ghi đủ dd/mm/yyyy.",
        "a bare number and no day: write dd/mm/yyyy",
    )


def _of_moment(serial: float) -> str | Wrong:
    """Days since Excel's beginning; a fraction of one is a time of the day alone."""
    if not 0 <= serial <= _LAST_SERIAL:
        return Wrong("Không phải thời điểm.", "not a moment")
    at = datetime.combine(_EPOCH, time()) + timedelta(minutes=round(serial * 1440))
    return f"{at:%H:%M}" if serial < 1 else f"{at:%Y-%m-%d %H:%M}"


def _of_time(column: Column, value: date | time) -> str | Wrong:
    """A cell that Excel itself knows to be a day, a time of the day, or both."""
    if isinstance(value, time):
        if column.kind == "date":
            return Wrong("Ô này là giờ, không phải ngày.", "a time of the day, no date")
        return f"{value:%H:%M}"
    if column.kind == "instant":
        # A day alone has no hour; midnight is what Excel makes of it.
        at = value if isinstance(value, datetime) else datetime.combine(value, time())
        return value.isoformat()[:10] if at.time() == time() else f"{at:%Y-%m-%d %H:%M}"
    if column.kind == "date":
        return value.isoformat()[:10]
    if column.kind == "number":
        return Wrong("Excel đã đổi ô này thành ngày; hãy ghi lại số.", "Excel made a date of it")
    return f"{value:%d/%m/%Y}"


def shown(column: Column | None, value: Value) -> str:
    """A cell as it stands in the file to repair: readable again, and never a formula by itself."""
    if isinstance(value, Odd):
        return value.text
    if value is None or isinstance(value, str):
        return value or ""
    read = text_of(column or Column("", ""), value)
    text = str(value) if isinstance(read, Wrong) else read
    if column is not None and column.kind == "date":
        try:
            return f"{parse_day(text):%d/%m/%Y}"
        except ValueError:
            return text
    return text


def moment(text: str, now: datetime) -> datetime | Wrong:
    """When it was received: a time of today, alone or after or before its day; not after now (UTC)."""
    plain = fold_wide(tidy(text))
    clock = _CLOCK.search(plain)
    local = now.astimezone(VN)
    if clock is None:
        return Wrong("Ghi giờ tiếp nhận, ví dụ 08:15.", "give the time of the day, such as 08:15")
    rest = f"{plain[: clock.start()]} {plain[clock.end() :]}".replace("T", " ").strip(" ,")
    try:
        on = parse_day(day(rest)) if rest else local.date()
        at = datetime.combine(on, time(int(clock[1]), int(clock[2])), VN)
    except ValueError:
        vi = "Không đọc được; ghi như 08:15 hoặc 08:15 01/03/2022."
        return Wrong(vi, "not read: write 08:15 or 08:15 01/03/2022")
    if on != local.date() or at > local:
        return Wrong(
            f"Chỉ ghi lúc của hôm nay ({local:%d/%m/%Y}), không sau lúc này, vì ngày hẹn tính từ "
            "đó. Hồ sơ của ngày khác: để trống để đăng ký, rồi tiếp nhận trên trang hồ sơ.",
            "only an instant of today that has passed: the promised date is reckoned from it",
        )
    return as_utc(at)
