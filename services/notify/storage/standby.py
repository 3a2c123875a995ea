"""Messages that stand by: which have their turn by the clock."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from services.notify.domain.states import State
from services.notify.storage.tables import in_states, messages
from shared.database.batch import among

_STANDS = (in_states(State.STANDBY), messages.c.next_at.is_not(None))
_FREE = sa.not_(among(messages.c.id))


def next_climb(connection: sa.Connection, put_off: Collection[str]) -> datetime | None:
    """When one is looked at next (UTC), but for those put off."""
    asked = sa.select(sa.func.min(messages.c.next_at)).where(*_STANDS, _FREE)
    found: datetime | None = connection.scalar(asked, {"keys": put_off})
    return found


def due_climbs(
    connection: sa.Connection, now: datetime, most: int, put_off: Collection[str]
) -> list[str]:
    """Those whose turn has come."""
    asked = (
        sa.select(messages.c.id)
        .where(*_STANDS, _FREE, messages.c.next_at <= now)
        .order_by(messages.c.next_at, messages.c.id)
        .limit(most)
    )
    return list(connection.scalars(asked, {"keys": put_off}))
