"""Numbers as they are written in Việt Nam: dots between thousands, a comma before the fraction.

`1.250` is twelve hundred and fifty, `1,25` one and a quarter. What a reader could take for two
numbers (`1.25`, `1,250`) is never guessed: both readings are named. Only for what people type; in
JSON a number is a JSON number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from shared.kernel.letters import fold_wide, tidy

#: More digits than any sum or area here; a float keeps fifteen exactly.
MOST_DIGITS: Final = 15
_MONEY: Final = re.compile(r"\s*(?:đồng|vnđ|vnd|đ|₫)\.?$", re.IGNORECASE)
_AREA: Final = re.compile(r"\s*m(?:2|²|\^2)$", re.IGNORECASE)
_MINUS: Final = re.compile("^[\u2010-\u2015\u2212]")
_NUMBER: Final = re.compile(r"-?[0-9]+(,[0-9]+)?")
_GROUPED: Final = re.compile(r"-?[1-9][0-9]{0,2}([. ])[0-9]{3}(?:\1[0-9]{3})*(,[0-9]+)?")
_ENGLISH: Final = re.compile(
    r"-?[1-9][0-9]{0,2}(?:(?:,[0-9]{3}){2,}(?:\.[0-9]+)?|,[0-9]{3}\.[0-9]+)"
)
_ONE_DOT: Final = re.compile(r"-?[0-9]+\.[0-9]+")
_ONE_COMMA: Final = re.compile(r"-?[1-9][0-9]{0,2},[0-9]{3}")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What was typed and is no number, or could be two: the sentence for whoever typed it.

    `vi` may repeat what was typed and goes to that reader alone; `en` may be logged.
    """

    vi: str = field(repr=False)
    en: str


def read_number(typed: str, *, unit: str | None = None) -> int | float | Unreadable:
    """The number that a person wrote; `unit` says which unit may stand behind it (vnd, m2)."""
    text = re.sub(r"\s+", " ", fold_wide(tidy(typed)))
    text = _MINUS.sub("-", text).removeprefix("+")
    if unit == "vnd":
        text = _MONEY.sub("", text)
    elif unit == "m2":
        text = _AREA.sub("", text)
    if sum(map(str.isdigit, text)) > MOST_DIGITS:
        return Unreadable(f"Số quá lớn: tối đa {MOST_DIGITS} chữ số.", "the number is too large")
    if _ONE_COMMA.fullmatch(text):
        return _two_readings(text, _number(text), _number(text.replace(",", "")))
    if _NUMBER.fullmatch(text) or _GROUPED.fullmatch(text):
        return _number(re.sub("[. ]", "", text))
    if _ENGLISH.fullmatch(text):
        return _number(text.replace(",", "").replace(".", ","))
    if _ONE_DOT.fullmatch(text):
        return _two_readings(text, _number(text.replace(".", ",")), _number(text.replace(".", "")))
    return Unreadable(
        "Không đọc được số này. Ghi bằng chữ số: dấu chấm phân cách hàng nghìn, dấu phẩy cho phần "
        "lẻ, ví dụ 1.250 hoặc 1,25.",
        "not a number as written in Việt Nam: 1.250 or 1,25",
    )


def _number(text: str) -> int | float:
    """Digits with at most one comma; a fraction of nothing is a whole number."""
    exact = Decimal(text.replace(",", "."))
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def _two_readings(text: str, fraction: float, whole: float) -> Unreadable:
    small, large = vietnamese(fraction), vietnamese(whole)
    both = f"{text} có thể là {small} hoặc {large}"
    if text.lstrip("-").startswith("0"):  # no thousands begin with nought
        return Unreadable(
            f"Phần lẻ viết sau dấu phẩy: hãy ghi {small}.", "the fraction stands behind a comma"
        )
    return Unreadable(
        f"{both}: hãy ghi {small} nếu là số lẻ, {large} nếu là hàng nghìn hoặc số nguyên.",
        "could be two numbers: thousands are set apart by dots, the fraction by a comma",
    )


def decimals(number: float) -> int:
    """Digits after the comma that the number needs."""
    exponent = Decimal(str(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def vietnamese(number: float, *, grouped: bool = True) -> str:
    """`1.250` or `1,25`; ungrouped for what names rather than counts (a year, a parcel)."""
    return english(number, grouped=grouped).translate(str.maketrans(",.", ".,"))


def english(number: float, *, grouped: bool = True) -> str:
    """`1,250` or `1.25`: the same number for whoever reads English."""
    exact = Decimal(str(number))
    if exact == exact.to_integral_value():
        exact = exact.to_integral_value()
    return f"{exact:,f}" if grouped else f"{exact:f}"
