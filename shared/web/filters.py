"""How instants, dates, numbers and statuses read on a page, in its language."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from flask import Flask

from shared.kernel.clock import VN, parse_day, parse_instant
from shared.kernel.numbers import english, vietnamese
from shared.web.words import SOURCE, gettext, language, msgid

NOTHING: Final = "—"

STATUS_NAMES: Final[dict[int, str]] = {
    1: msgid("Mới đăng ký"),
    2: msgid("Được tiếp nhận"),
    3: msgid("Không được tiếp nhận"),
    4: msgid("Đang xử lý"),
    5: msgid("Yêu cầu bổ sung giấy tờ"),
    6: msgid("Yêu cầu thực hiện nghĩa vụ tài chính"),
    7: msgid("Công dân yêu cầu rút hồ sơ"),
    8: msgid("Dừng xử lý"),
    9: msgid("Đã xử lý xong"),
    10: msgid("Đã trả kết quả"),
}
_WORDS: Final[dict[str, int]] = {
    "registered": 1,
    "received": 2,
    "refused": 3,
    "processing": 4,
    "supplement": 5,
    "payment": 6,
    "withdrawn": 7,
    "stopped": 8,
    "resolved": 9,
    "returned": 10,
}
_TONES: Final[dict[int, str]] = {
    1: "new",
    2: "going",
    3: "bad",
    4: "going",
    5: "waiting",
    6: "waiting",
    7: "quiet",
    8: "bad",
    9: "good",
    10: "good",
}


def _local(at: datetime | str | None) -> datetime | None:
    if at is None or at == "":
        return None
    instant = parse_instant(at) if isinstance(at, str) else at
    return instant.astimezone(VN)


def vn_datetime(at: datetime | str | None) -> str:
    """`09:32 ngày 03/11/2023` on Viet Nam's clock; a dash for nothing."""
    local = _local(at)
    if local is None:
        return NOTHING
    return gettext("%(time)s ngày %(day)s", time=vn_time(local), day=vn_date(local))


def written_moment(at: datetime | str | None) -> str:
    """`09:32 03/11/2023` on Viet Nam's clock, as a person would type it; empty for none."""
    local = _local(at)
    return "" if local is None else f"{local:%H:%M %d/%m/%Y}"


def vn_time(at: datetime | str | None) -> str:
    """`09:32` on Viet Nam's clock."""
    local = _local(at)
    return NOTHING if local is None else f"{local:%H:%M}"


def vn_date(at: datetime | date | str | None) -> str:
    """`03/11/2023` on Viet Nam's calendar."""
    if isinstance(at, str) and len(at) == 10:
        at = parse_day(at)
    if isinstance(at, date) and not isinstance(at, datetime):
        return f"{at:%d/%m/%Y}"
    local = _local(at)
    return NOTHING if local is None else f"{local:%d/%m/%Y}"


def vn_money(dong: float | None) -> str:
    """`1.250.000 đồng`; in English `1,250,000 VND`."""
    return NOTHING if dong is None else gettext("%(sum)s đồng", sum=_written(dong))


def vn_number(number: float | None, unit: str | None = None) -> str:
    """`1.250,5 m²` or `850.000 đồng`; an ordinal (a year, a parcel) without dots: `1998`."""
    if number is None:
        return NOTHING
    if unit == "vnd":
        return vn_money(number)
    text = _written(number, grouped=unit != "ordinal")
    return f"{text} m²" if unit == "m2" else text


def _written(number: float, *, grouped: bool = True) -> str:
    return (vietnamese if language() == SOURCE else english)(number, grouped=grouped)


def _number(status: object) -> int | None:
    if isinstance(status, str):
        return int(status) if status.isdigit() else _WORDS.get(status.lower())
    return int(status) if isinstance(status, int) else None


def status_name(status: object) -> str:
    """The official name of a status, given by its number (1-10) or our English word."""
    return gettext(STATUS_NAMES.get(_number(status) or 0, str(status)))


def status_tone(status: object) -> str:
    """The word that the style sheet colours a status by: new, going, waiting, good, bad, quiet."""
    return _TONES.get(_number(status) or 0, "quiet")


def install(app: Flask) -> None:
    """Make the filters known to the app's templates."""
    for each in (
        written_moment, vn_datetime, vn_time, vn_date, vn_money, vn_number, status_name, status_tone,
    ):  # fmt: skip
        app.jinja_env.filters[each.__name__] = each
