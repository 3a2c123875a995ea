"""Which dossiers have something that falls due by the clock alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from services.intake.storage.tables import dossiers

PUT_OFF: Final = timedelta(hours=1)
_NEXT = sa.select(sa.func.min(dossiers.c.next_at)).where(dossiers.c.next_at.is_not(None))
_DUE = (
    sa.select(dossiers.c.code)
    .where(dossiers.c.next_at.is_not(None), dossiers.c.next_at <= sa.bindparam("now"))
    .order_by(dossiers.c.next_at, dossiers.c.code)
    .limit(sa.bindparam("most"))
)


def next_due(connection: sa.Connection) -> datetime | None:
    """The earliest instant (UTC) at which something falls due, None for none."""
    found: datetime | None = connection.scalar(_NEXT)
    return found


def due_dossiers(connection: sa.Connection, now: datetime, most: int) -> list[str]:
    """The dossiers for which something has fallen due, the longest due first; not locked."""
    return list(connection.scalars(_DUE, {"now": now, "most": most}))


def put_off(connection: sa.Connection, code: str, now: datetime) -> None:
    """Look at what is due for this dossier again only later."""
    later = dossiers.update().where(dossiers.c.code == code).values(next_at=now + PUT_OFF)
    connection.execute(later)
