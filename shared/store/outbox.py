"""Sending again: what an operator does when a broker lost what it had, and what a start does.

It only takes back the marks; the relay sends, and the inboxes of the readers make it harmless.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from shared.store.ledgers import Ledgers
from shared.store.uow import UnitOfWork


def resend(uow: UnitOfWork, since: datetime) -> int:
    """Mark as unsent whatever was sent at `since` (aware) or later; returns how many facts."""
    outbox, starts = uow.ledgers.outbox, uow.ledgers.starts
    again = outbox.c.sent_at >= since
    first = uow.connection.scalar(sa.select(sa.func.min(outbox.c.position)).where(again))
    if first is None:
        return 0
    changed = uow.connection.execute(sa.update(outbox).where(again).values(sent_at=None))
    # On a bus that forgets, the next start must send these again as well.
    uow.connection.execute(
        sa.update(starts).where(starts.c.resend_from > first).values(resend_from=first)
    )
    uow.ring()
    return changed.rowcount


def begin_volatile(connection: sa.Connection, ledgers: Ledgers, now: datetime) -> int:
    """At a start on a bus that forgets: take back the marks of what was sent since the last start.

    Returns how many facts will be sent again. A first start sends nothing again.
    """
    outbox, starts = ledgers.outbox, ledgers.starts
    last = sa.select(starts.c.resend_from).order_by(starts.c.position.desc()).limit(1)
    resend_from = connection.scalar(last)
    changed = 0
    if resend_from is not None:
        changed = connection.execute(
            sa.update(outbox)
            .where(outbox.c.position >= resend_from, outbox.c.sent_at.is_not(None))
            .values(sent_at=None)
        ).rowcount
    unsent = sa.select(sa.func.min(outbox.c.position)).where(outbox.c.sent_at.is_(None))
    end = sa.select(sa.func.coalesce(sa.func.max(outbox.c.position), 0) + 1)
    first = connection.scalar(unsent) or connection.scalar(end)
    connection.execute(sa.insert(starts).values(started_at=now, resend_from=first))
    return changed


def end_volatile(connection: sa.Connection, ledgers: Ledgers) -> None:
    """At a stop on a bus that forgets, with nothing left in it: what was sent is safe elsewhere.

    The next start then sends again only what is unsent; without this, each start would send again
    all that was sent since the first.
    """
    outbox, starts = ledgers.outbox, ledgers.starts
    unsent = sa.select(sa.func.min(outbox.c.position)).where(outbox.c.sent_at.is_(None))
    end = sa.select(sa.func.coalesce(sa.func.max(outbox.c.position), 0) + 1)
    first = connection.scalar(unsent) or connection.scalar(end)
    last = sa.select(sa.func.max(starts.c.position)).scalar_subquery()
    connection.execute(sa.update(starts).where(starts.c.position == last).values(resend_from=first))
