"""Which dossiers have something that falls due by the clock alone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from services.intake.storage.tables import dossiers
from shared.database.batch import among

_FREE = sa.not_(among(dossiers.c.code))
_NEXT = sa.select(sa.func.min(dossiers.c.next_at)).where(dossiers.c.next_at.is_not(None), _FREE)
_DUE = (
    sa.select(dossiers.c.code)
    .where(dossiers.c.next_at.is_not(None), dossiers.c.next_at <= sa.bindparam("now"), _FREE)
    .order_by(dossiers.c.next_at, dossiers.c.code)
    .limit(sa.bindparam("most"))
)


def next_due(connection: sa.Connection, put_off: Collection[str] = ()) -> datetime | None:
    """The earliest instant (UTC) at which something falls due, None for none.

    Dossiers that are put off are left out.
    """
    found: datetime | None = connection.scalar(_NEXT, {"keys": put_off})
    return found


def due_dossiers(
    connection: sa.Connection, now: datetime, most: int, put_off: Collection[str] = ()
) -> list[str]:
    """The dossiers for which something has fallen due, the longest due first; not locked."""
    return list(connection.scalars(_DUE, {"now": now, "most": most, "keys": put_off}))
