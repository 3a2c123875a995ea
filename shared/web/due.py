"""How near a date is, in a word and a tone: a colour never speaks alone.

What a date means (paused, done, not set) is said by each service.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.web.words import gettext, ngettext

SOON: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Due:
    """A word such as "Quá hạn 2 ngày", and the style sheet's tone for it."""

    word: str
    tone: str


def time_left(left: timedelta, *, units: int) -> Due:
    """What is left of the time, in so many units at most; negative where the date has passed."""
    if left < timedelta(0):
        return Due(gettext("Quá hạn %(time)s", time=_span(-left, units)), "bad")
    return Due(
        gettext("Còn %(time)s", time=_span(left, units)), "waiting" if left <= SOON else "going"
    )


def _span(length: timedelta, units: int) -> str:
    days, rest = divmod(int(length.total_seconds()) // 60, 24 * 60)
    parts = [(days, _days), (rest // 60, _hours), (rest % 60, _minutes)]
    while len(parts) > 1 and not parts[0][0]:
        del parts[0]
    said = [unit(count) for count, unit in parts[:units] if count]
    return " ".join(said) or _minutes(0)


def _days(number: int) -> str:
    return ngettext("%(num)s ngày", "%(num)s ngày", number)


def _hours(number: int) -> str:
    return ngettext("%(num)s giờ", "%(num)s giờ", number)


def _minutes(number: int) -> str:
    return ngettext("%(num)s phút", "%(num)s phút", number)
