"""What is wished of the agencies' queues, as rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final

import sqlalchemy as sa

from services.routing.domain.queue import AgencyQueue
from services.routing.storage.tables import agency_queues
from shared.database import UnitOfWork

_WISHED = "routing.wished"
_NAMES: Final = tuple(each.name for each in fields(AgencyQueue))


def every(connection: sa.Connection) -> list[AgencyQueue]:
    """All of which something was wished."""
    rows = connection.execute(sa.select(agency_queues).order_by(agency_queues.c.agency))
    return [_queue(row) for row in rows]


def of(connection: sa.Connection, agency: str, *, hold: bool = False) -> AgencyQueue | None:
    """An agency's; with `hold` nobody else changes it until the unit ends."""
    asked = sa.select(agency_queues).where(agency_queues.c.agency == agency)
    row = connection.execute(asked.with_for_update() if hold else asked).one_or_none()
    return None if row is None else _queue(row)


def put(uow: UnitOfWork, queue: AgencyQueue) -> None:
    """Keep it; whoever carries out what is wished hears of it."""
    uow.signal(_WISHED)
    row = {name: getattr(queue, name) for name in _NAMES}
    mine = agency_queues.c.agency == queue.agency
    if not uow.connection.execute(sa.update(agency_queues).where(mine).values(row)).rowcount:
        uow.connection.execute(sa.insert(agency_queues).values(row))


def wishes(connection: sa.Connection, agencies: Iterable[str] | None = None) -> dict[str, bool]:
    """Whether these agencies shall have a queue, those of which it was ever said; None: all."""
    asked = sa.select(agency_queues.c.agency, agency_queues.c.wanted)
    if agencies is not None:
        asked = asked.where(agency_queues.c.agency.in_(list(agencies)))
    return {row.agency: row.wanted for row in connection.execute(asked)}


def some_wait(connection: sa.Connection) -> bool:
    """Whether a wish was not looked at yet; one that is in trouble is tried again in its time."""
    waits = sa.and_(agency_queues.c.done_at.is_(None), agency_queues.c.trouble.is_(None))
    return connection.scalar(sa.select(sa.true()).where(waits).limit(1)) is not None


def _queue(row: Any) -> AgencyQueue:
    return AgencyQueue(**{name: getattr(row, name) for name in _NAMES})
