"""How much a month's messages have cost, beside what the city may spend on them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from services.notify.domain.spending import (
    FULL,
    NEAR,
    NO_OFFICE,
    Budget,
    Month,
    Spent,
    added_up,
    budgets,
    month_at,
    priced,
)
from services.notify.storage.spending import handed
from shared.catalogue import Catalogue
from shared.kernel.clock import to_vn
from shared.kernel.errors import NotFound
from shared.messaging.advice import Both
from shared.messaging.standing import ACT, NOTE, Line

_LOOK: Final = Both(
    "Người phụ trách ngân sách tin nhắn: xem lienthong messages spend hoặc /tin-nhan/chi-phi; nâng budget_vnd "
    "hoặc bớt tin (told_citizens) trong catalogue/rules.yaml. Tin vẫn được gửi.",
    "Who answers for the budget: see `lienthong messages spend`; raise budget_vnd, or tell less "
    "(told_citizens), in catalogue/rules.yaml. Messages still go.",
)


_HEAD: Final = (
    "month", "office", "name", "channel", "messages", "parts", "uncertain", "vnd", "written",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """A month's lines and its budgets."""

    month: Month
    lines: list[Spent]
    budgets: list[Budget]

    @property
    def vnd(self) -> int:
        """What all of it cost."""
        return sum(line.vnd for line in self.lines)


def account(
    connection: sa.Connection, catalogue: Catalogue, month: Month, now: datetime
) -> Account:
    """What was spent in a month; its budget is the one of its last day, or of today within it."""
    spans = priced(month, catalogue.cost_rule)
    lines = added_up(
        (span, each) for span in spans for each in handed(connection, span.since, span.until)
    )
    day = max(month.first, min(month.days[-1], to_vn(now).date()))
    offices = [office.code for office in catalogue.offices(day)]
    return Account(month, lines, budgets(lines, catalogue.cost_rule(day), offices))


def office_name(catalogue: Catalogue, office: str | None) -> Both:
    """Whose money it is, in words."""
    if office is None:
        return Both("cả thành phố", "the whole city")
    if office == NO_OFFICE:
        return Both("không của nơi nào", "of no office")
    try:
        name = catalogue.agency(office).short_name
    except NotFound:
        name = office  # of a time before
    return Both(name, name)


def csv_of(found: Account, catalogue: Catalogue) -> str:
    """The lines for a spreadsheet; of offices' names the catalogue vouches that none is a formula."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(_HEAD)
    for line in found.lines:
        name = office_name(catalogue, line.office).vi
        cost = (line.messages, line.parts, line.uncertain, line.vnd, line.written)
        out.writerow((str(found.month), line.office, name, line.channel, *cost))
    return text.getvalue()


def budget_lines(connection: sa.Connection, now: datetime, catalogue: Catalogue) -> list[Line]:
    """A line for each budget of this month that is nearly or wholly spent."""
    found = []
    for each in account(connection, catalogue, month_at(now), now).budgets:
        if each.percent < NEAR:
            continue
        name = office_name(catalogue, each.office)
        said = Both(
            f"ngân sách tin nhắn tháng này, {name.vi}: {each.percent} % "
            f"({each.spent_vnd:,} / {each.vnd:,} đ)".replace(",", "."),
            f"this month's budget of messages, {name.en}: {each.percent} % "
            f"({each.spent_vnd:,} of {each.vnd:,} VND)",
        )
        level = ACT if each.percent >= FULL else NOTE
        named = f"budget {each.office or 'city'}"
        found.append(Line(part="work", name=named, level=level, said=said, act=_LOOK))
    return found
