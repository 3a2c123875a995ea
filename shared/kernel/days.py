"""Days as they are written in Việt Nam: the day first, then the month, then the whole year.

`05/03/2022` is the fifth of March. What would only be a day with day and month exchanged, or with a
year of two digits, is never guessed: it is refused with how to write it. Only for what people type;
in JSON a day is YYYY-MM-DD.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, time
from typing import Final

from shared.kernel.clock import VN, as_utc
from shared.kernel.letters import fold_wide, tidy
from shared.kernel.numbers import Unreadable

#: Years that a day here can be of, both included.
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2100
#: When a desk closes: what a day alone means where an hour is asked for.
CLOSING: Final = time(17)
_PARTED: Final = re.compile("([0-9]{1,2}) ?[/. -] ?([0-9]{1,2}) ?[/. -] ?([0-9]{1,4})")
_TOGETHER: Final = re.compile("([0-9]{2})([0-9]{2})([0-9]{4})")
_ISO: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH: Final = re.compile("([0-9]{1,2}) ?[/. -] ?([0-9]{4})|([0-9]{2})([0-9]{4})")
_CLOCK: Final = re.compile("([0-9]{1,2}) ?[:hg] ?([0-9]{2})(?::[0-9]{2})?", re.IGNORECASE)
_HOW: Final = "Ghi ngày trước, tháng sau, đủ bốn chữ số của năm: dd/mm/yyyy, ví dụ 05/03/2022."
_NO_DAY: Final = Unreadable(f"Không đọc được ngày này. {_HOW}", "not a day written dd/mm/yyyy")


def read_day(typed: str) -> date | Unreadable:
    """The day that a person wrote: 5/3/2022, 05-03-2022, 05032022, or 2022-03-05."""
    text = _plain(typed)
    if _ISO.fullmatch(text):
        text = "/".join(reversed(text.split("-")))
    found = _PARTED.fullmatch(text) or _TOGETHER.fullmatch(text)
    if found is None:
        return _NO_DAY
    day, month, year = int(found[1]), int(found[2]), int(found[3])
    if len(found[3]) != 4:
        return Unreadable(f"Năm phải đủ bốn chữ số. {_HOW}", "the year needs four digits")
    if not 1 <= month <= 12:
        return Unreadable(f"Không có tháng {month}. {_HOW}", "there is no such month")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return Unreadable(f"Năm phải từ {FIRST_YEAR} đến {LAST_YEAR}.", "no year of this reckoning")
    if not 1 <= day <= monthrange(year, month)[1]:
        return Unreadable(f"Tháng {month}/{year} không có ngày {day}.", "the month has no such day")
    return date(year, month, day)


def read_month(typed: str) -> date | Unreadable:
    """The first day of the month that a person wrote: 3/2022, 032022, or 2022-03."""
    text = _plain(typed)
    if re.fullmatch("[0-9]{4}-[0-9]{2}", text):
        text = f"{text[5:]}/{text[:4]}"
    found = _MONTH.fullmatch(text)
    day = read_day(f"1/{found[1] or found[3]}/{found[2] or found[4]}") if found else None
    if isinstance(day, date):
        return day
    return Unreadable("Không đọc được tháng này. Ghi mm/yyyy, ví dụ 03/2022.", "not a month")


def read_moment(typed: str) -> datetime | Unreadable:
    """The instant, UTC, that a person wrote on Viet Nam's clock: a day with its hour, in either order.

    A day alone means the closing of the desks on it.
    """
    text = re.sub("(?<=[0-9])T(?=[0-9])", " ", _plain(typed))
    clock = _CLOCK.search(text)
    rest = f"{text[: clock.start()]} {text[clock.end() :]}" if clock else text
    day = read_day(rest.strip(" ,"))
    if isinstance(day, Unreadable):
        return day
    try:
        hour = time(int(clock[1]), int(clock[2])) if clock else CLOSING
    except ValueError:
        return Unreadable("Không có giờ này. Ghi như 16:30 05/03/2022.", "no time of the day")
    return as_utc(datetime.combine(day, hour, VN))


def _plain(typed: str) -> str:
    return re.sub(r"\s+", " ", fold_wide(tidy(typed)))
