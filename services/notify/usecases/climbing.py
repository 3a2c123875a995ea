"""What time alone brings: a way that gave no word in its time gives place to the next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from services.notify.storage import standby
from services.notify.storage.correspondence import lock_dossiers
from services.notify.storage.messages import Messages
from services.notify.usecases.gating import Manners
from services.notify.usecases.telling import follow_up
from shared.database import UnitOfWork

AT_ONCE = 200


def next_climb(connection: sa.Connection, put_off: Collection[str]) -> datetime | None:
    """When a message that stands by is looked at next (UTC)."""
    return standby.next_climb(connection, put_off)


def due_climbs(uow: UnitOfWork, put_off: Collection[str]) -> list[str]:
    """Those that are looked at now."""
    return standby.due_climbs(uow.connection, uow.now, AT_ONCE, put_off)


def climb(manners: Manners, uow: UnitOfWork, ids: Sequence[str]) -> int:
    """Send these, or whichever of their moment has its turn; how many were looked at."""
    messages = uow.get(Messages)
    # As a sender does before it writes one of them.
    lock_dossiers(uow.connection, [message.dossier for message in messages.these(ids)])
    follow_up(uow, messages.these(ids), manners.patience)
    return len(ids)
