"""How instants, dates, numbers and statuses read on a Vietnamese page."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from flask import Flask

from shared.kernel.clock import VN, parse_day, parse_instant
from shared.kernel.numbers import vietnamese

NOTHING: Final = "—"

STATUS_NAMES: Final[dict[int, str]] = {
    1: "Mới đăng ký",
    2: "Được tiếp nhận",
    3: "Không được tiếp nhận",
    4: "Đang xử lý",
    5: "Yêu cầu bổ sung giấy tờ",
    6: "Yêu cầu thực hiện nghĩa vụ tài chính",
    7: "Công dân yêu cầu rút hồ sơ",
    8: "Dừng xử lý",
    9: "Đã xử lý xong",
    10: "Đã trả kết quả",
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
    return NOTHING if local is None else f"{local:%H:%M} ngày {local:%d/%m/%Y}"


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
    """`1.250.000 đồng`."""
    return NOTHING if dong is None else f"{vietnamese(dong)} đồng"


def vn_number(number: float | None, unit: str | None = None) -> str:
    """`1.250,5 m²` or `850.000 đồng`; an ordinal (a year, a parcel) without dots: `1998`."""
    if number is None:
        return NOTHING
    if unit == "vnd":
        return vn_money(number)
    text = vietnamese(number, grouped=unit != "ordinal")
    return f"{text} m²" if unit == "m2" else text


def _number(status: object) -> int | None:
    if isinstance(status, str):
        return int(status) if status.isdigit() else _WORDS.get(status.lower())
    return int(status) if isinstance(status, int) else None


def status_name(status: object) -> str:
    """The official name of a status, given by its number (1-10) or our English word."""
    return STATUS_NAMES.get(_number(status) or 0, str(status))


def status_tone(status: object) -> str:
    """The word that the style sheet colours a status by: new, going, waiting, good, bad, quiet."""
    return _TONES.get(_number(status) or 0, "quiet")


def install(app: Flask) -> None:
    """Make the filters known to the app's templates."""
    for each in (
        written_moment, vn_datetime, vn_time, vn_date, vn_money, vn_number, status_name, status_tone,
    ):  # fmt: skip
        app.jinja_env.filters[each.__name__] = each
