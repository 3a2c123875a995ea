"""Staff addresses of agencies, when each has its list as mail, and what that list is made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.routing.storage.tables import agency_mail, cases, tasks
from services.routing.storage.views import OPEN, RUNNING
from shared.database import UnitOfWork, batch
from shared.database.batch import among

_FREE = sa.not_(among(agency_mail.c.agency))
_NEXT = sa.select(sa.func.min(agency_mail.c.next_at)).where(_FREE)
_DUE = (
    sa.select(agency_mail.c.agency)
    .where(agency_mail.c.next_at <= sa.bindparam("now"), _FREE)
    .order_by(agency_mail.c.next_at, agency_mail.c.agency)
    .limit(100)
    .with_for_update(skip_locked=True)
)
_MATTER = sa.select(
    tasks.c.id,
    tasks.c.dossier,
    tasks.c.step,
    tasks.c.due_at,
    tasks.c.wish,
    cases.c.procedure,
    cases.c.procedure_name,
    cases.c.version,
).join(cases, cases.c.dossier == tasks.c.dossier)


@dataclass(frozen=True, slots=True)
class Mailed:
    """An agency's staff addresses, and when it next has its list (UTC)."""

    agency: str
    addresses: tuple[str, ...]
    next_at: datetime


def every(connection: sa.Connection) -> list[Mailed]:
    """All agencies with a staff address."""
    rows = connection.execute(sa.select(agency_mail).order_by(agency_mail.c.agency))
    return [_mailed(row) for row in rows]


def held(uow: UnitOfWork, agencies: Sequence[str]) -> list[Mailed]:
    """Those of these that have a staff address, held until the unit ends."""
    asked = sa.select(agency_mail).where(agency_mail.c.agency.in_(agencies))
    rows = uow.connection.execute(asked.order_by(agency_mail.c.agency).with_for_update())
    return [_mailed(row) for row in rows]


def put(uow: UnitOfWork, mailed: Mailed) -> None:
    """Keep it; without an address nothing is kept of the agency."""
    if not mailed.addresses:
        gone = sa.delete(agency_mail).where(agency_mail.c.agency == mailed.agency)
        uow.connection.execute(gone)
        return
    row = {"agency": mailed.agency, "addresses": mailed.addresses, "next_at": mailed.next_at}
    batch.upsert(uow.connection, agency_mail, [row])


def _mailed(row: sa.Row[Any]) -> Mailed:
    return Mailed(row.agency, tuple(row.addresses), row.next_at)


def next_due(connection: sa.Connection, put_off: Collection[str]) -> datetime | None:
    """When the next agency has its list (UTC), but for those put off."""
    found: datetime | None = connection.scalar(_NEXT, {"keys": put_off})
    return found


def due(uow: UnitOfWork, put_off: Collection[str]) -> list[str]:
    """The agencies whose time has come, without those put off and those in another's hand."""
    return list(uow.connection.scalars(_DUE, {"keys": put_off, "now": uow.now}))


def expired(connection: sa.Connection, agency: str) -> int:
    """How many of an agency's hand-overs have ended while nobody there had them."""
    mine = tasks.c.agency == agency, tasks.c.expired_at.is_not(None), tasks.c.fetched_at.is_(None)
    asked = sa.select(sa.func.count()).where(*mine, tasks.c.state == "assigned")
    return int(connection.scalar(asked) or 0)


def matters(connection: sa.Connection, agency: str, near_until: datetime) -> list[Any]:
    """An agency's running tasks due up to then (UTC), and requests that its head, or it, waits for.

    Whose office took the dossier decides on them. The first due first, each once.
    """
    near = _MATTER.where(
        tasks.c.agency == agency,
        tasks.c.kind != "payment",  # with those that its office must place
        tasks.c.state.in_(RUNNING),
        tasks.c.due_at <= near_until,
    )
    asked = _MATTER.where(
        tasks.c.wish.is_not(None),
        tasks.c.state.in_(OPEN),
        sa.or_(tasks.c.agency == agency, cases.c.office == agency),
    )
    found: dict[str, Any] = {
        row.id: row for query in (near, asked) for row in connection.execute(query)
    }
    return sorted(found.values(), key=lambda row: (row.due_at is None, row.due_at, row.id))
