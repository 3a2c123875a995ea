"""Sending again what a broker lost, by an operator's order.

It only takes back the marks; the relay sends, and the inboxes of the readers make it harmless.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from shared.database.unit_of_work import UnitOfWork
from shared.messaging.tables import LEDGERS


def resend(uow: UnitOfWork, since: datetime) -> int:
    """Mark as unsent whatever was sent at `since` (aware) or later; returns how many facts."""
    outbox = LEDGERS.outbox
    changed = uow.connection.execute(
        sa.update(outbox).where(outbox.c.sent_at >= since).values(sent_at=None)
    )
    if changed.rowcount:
        uow.signal()
    return changed.rowcount
