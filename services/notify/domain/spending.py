"""What messages cost: parts that were handed over, by month, channel and office, beside the budget.

An alarm is words for a person; it never stops a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Final

from services.notify.domain.delivery import LOCAL
from shared.catalogue.model import CostRule
from shared.kernel import days
from shared.kernel.clock import VN, to_vn
from shared.kernel.errors import Fault, InvalidInput

#: Percent of a budget at which its month is told of.
NEAR: Final = 80
FULL: Final = 100
#: What was written about no office's dossier: answers to texts, mail to staff.
NO_OFFICE: Final = ""


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month of Viet Nam."""

    year: int
    number: int

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def days(self) -> Sequence[date]:
        """All its days."""
        return [self.first + timedelta(days=n) for n in range((self.after - self.first).days)]

    @property
    def after(self) -> date:
        """The first day that is not in it any more."""
        return (self.first + timedelta(days=31)).replace(day=1)

    @property
    def before(self) -> Month:
        """The month before."""
        return month_of_day(self.first - timedelta(days=1))

    @property
    def written(self) -> str:
        """As Vietnamese write it, 11/2026."""
        return f"{self.number:02d}/{self.year}"

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02d}"


def month_of_day(day: date) -> Month:
    """The month that a local day is in."""
    return Month(day.year, day.month)


def month_at(at: datetime) -> Month:
    """The month that it is at this instant, in Viet Nam."""
    return month_of_day(to_vn(at).date())


def read_month(typed: str) -> Month:
    """A month as people type it, 11/2026 or 2026-11; InvalidInput for anything else."""
    day = days.read_month(typed)
    if isinstance(day, date):
        return month_of_day(day)
    raise InvalidInput([Fault("month", day.vi, day.en)])


def midnight(day: date) -> datetime:
    """When a local day begins, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=VN).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Priced:
    """A span of days with one price, UTC, the end not included."""

    since: datetime
    until: datetime
    vnd_per_part: Mapping[str, int]


def priced(month: Month, rule: Callable[[date], CostRule]) -> Iterator[Priced]:
    """The month in spans of one price each: a price may change within it."""
    for prices, same in groupby(month.days, key=lambda day: rule(day).vnd_per_part):
        span = list(same)
        after = span[-1] + timedelta(days=1)
        yield Priced(midnight(span[0]), midnight(after), prices)


@dataclass(frozen=True, slots=True)
class Handed:
    """So many messages and parts that a provider took (`sent`), or perhaps took (`unknown`)."""

    channel: str
    office: str
    provider: str
    outcome: str
    messages: int
    parts: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What one channel cost for one office's dossiers in a month.

    Of `messages` and `parts` nobody knows of `uncertain` parts whether they went; they are paid for
    like the others until the provider's bill says otherwise. `written` parts were only written into
    a file of this house and cost nothing.
    """

    office: str
    channel: str
    messages: int = 0
    parts: int = 0
    uncertain: int = 0
    vnd: int = 0
    written: int = 0

    def plus(self, handed: Handed, price: int) -> Spent:
        """With these added."""
        if handed.provider.endswith(LOCAL):
            return replace(self, written=self.written + handed.parts)
        unsure = handed.parts if handed.outcome != "sent" else 0
        return replace(
            self,
            messages=self.messages + handed.messages,
            parts=self.parts + handed.parts,
            uncertain=self.uncertain + unsure,
            vnd=self.vnd + handed.parts * price,
        )


def added_up(handed: Iterable[tuple[Priced, Handed]]) -> list[Spent]:
    """One line for each office and channel, in their order."""
    found: dict[tuple[str, str], Spent] = {}
    for span, each in handed:
        key = (each.office, each.channel)
        line = found.get(key) or Spent(*key)
        found[key] = line.plus(each, span.vnd_per_part.get(each.channel, 0))
    return [found[key] for key in sorted(found)]


@dataclass(frozen=True, slots=True)
class Budget:
    """What a month may cost and has cost; `office` None is the whole city."""

    office: str | None
    vnd: int
    spent_vnd: int

    @property
    def percent(self) -> int:
        """How much of it is spent; a budget of nothing is full with the first message."""
        if self.vnd == 0:
            return FULL if self.spent_vnd else 0
        return self.spent_vnd * 100 // self.vnd


def budgets(lines: Sequence[Spent], rule: CostRule, offices: Iterable[str]) -> list[Budget]:
    """The whole city's first, then each office's that has one."""
    found = []
    for office in (None, *sorted({*offices, *(line.office for line in lines)} - {NO_OFFICE})):
        vnd = rule.budget(office)
        if vnd is not None:
            spent = sum(line.vnd for line in lines if office in (None, line.office))
            found.append(Budget(office, vnd, spent))
    return found
