"""What operators did to the ledgers by hand, kept with who and why; nothing here is ever changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from shared.database.unit_of_work import UnitOfWork
from shared.kernel.errors import Fault, InvalidInput
from shared.messaging.tables import LEDGERS


@dataclass(frozen=True, slots=True)
class Reason:
    """Who decides, and why; InvalidInput where either is blank."""

    who: str
    why: str

    def __post_init__(self) -> None:
        faults = [
            Fault(place, vi, en)
            for place, text, vi, en in (
                ("who", self.who, "Thiếu người quyết định.", "say who decides"),
                ("why", self.why, "Thiếu lý do.", "say why"),
            )
            if not text.strip()
        ]
        if faults:
            raise InvalidInput(faults)


@dataclass(frozen=True, slots=True)
class Act:
    """One act as it was written down; `at` is in UTC, `count` how many rows it was done to."""

    at: datetime
    act: str
    what: str
    count: int
    who: str
    why: str


def record(uow: UnitOfWork, act: str, what: str, count: int, reason: Reason) -> None:
    """Write down, with this unit, what was done to how many."""
    values = {"at": uow.now, "act": act, "what": what, "count": count}
    values |= {"who": reason.who, "why": reason.why}
    uow.connection.execute(sa.insert(LEDGERS.acts).values(**values))


def list_acts(connection: sa.Connection, limit: int = 50) -> list[Act]:
    """The newest acts first."""
    acts = LEDGERS.acts.c
    asked = sa.select(acts.at, acts.act, acts.what, acts.count, acts.who, acts.why)
    return [
        Act(*row) for row in connection.execute(asked.order_by(acts.position.desc()).limit(limit))
    ]
