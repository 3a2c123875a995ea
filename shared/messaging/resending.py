"""Sending again: what an operator does when a broker lost what it had, and what a start does.

It only takes back the marks; the relay sends, and the inboxes of the readers make it harmless.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from shared.database.unit_of_work import UnitOfWork
from shared.messaging.tables import LEDGERS


def resend(uow: UnitOfWork, since: datetime) -> int:
    """Mark as unsent whatever was sent at `since` (aware) or later; returns how many facts."""
    return _take_back(uow, LEDGERS.outbox.c.sent_at >= since)


def resend_stream(uow: UnitOfWork, stream: str, since: datetime) -> int:
    """The same for what was made for one stream at `since` (aware) or later.

    For a reader who was not there when it was sent, on a bus that does not wait for one.
    """
    outbox = LEDGERS.outbox.c
    sent = sa.and_(outbox.made_at >= since, outbox.sent_at.is_not(None))
    return _take_back(uow, sa.and_(outbox.stream == stream, sent))


def _take_back(uow: UnitOfWork, these: sa.ColumnElement[bool]) -> int:
    outbox, starts = LEDGERS.outbox, LEDGERS.starts
    first = uow.connection.scalar(sa.select(sa.func.min(outbox.c.position)).where(these))
    if first is None:
        return 0
    changed = uow.connection.execute(sa.update(outbox).where(these).values(sent_at=None))
    # On a bus that forgets, the next start must send these again as well.
    uow.connection.execute(
        sa.update(starts).where(starts.c.resend_from > first).values(resend_from=first)
    )
    uow.signal()
    return changed.rowcount


def begin_volatile(connection: sa.Connection, now: datetime) -> int:
    """At a start on a bus that forgets: take back the marks of what was sent since the last start.

    Returns how many facts will be sent again. A first start sends nothing again.
    """
    outbox, starts = LEDGERS.outbox, LEDGERS.starts
    last = sa.select(starts.c.resend_from).order_by(starts.c.position.desc()).limit(1)
    resend_from = connection.scalar(last)
    changed = 0
    if resend_from is not None:
        changed = connection.execute(
            sa.update(outbox)
            .where(outbox.c.position >= resend_from, outbox.c.sent_at.is_not(None))
            .values(sent_at=None)
        ).rowcount
    first = first_unsent(connection)
    connection.execute(sa.insert(starts).values(started_at=now, resend_from=first))
    return changed


def first_unsent(connection: sa.Connection) -> int:
    """The position from which on nothing is sent yet; whatever is recorded later comes after it."""
    outbox = LEDGERS.outbox
    if connection.dialect.name == "postgresql":
        # A unit that is not committed yet may hold a lower position than one that is: wait for it.
        connection.execute(sa.text("LOCK TABLE outbox IN SHARE MODE"))
    unsent = sa.select(sa.func.min(outbox.c.position)).where(outbox.c.sent_at.is_(None))
    end = sa.select(sa.func.coalesce(sa.func.max(outbox.c.position), 0) + 1)
    first: int = connection.scalar(unsent) or connection.scalar(end) or 1
    return first


def remember_settled(connection: sa.Connection, position: int) -> None:
    """On a bus that forgets: what was sent before `position` is safe with all who read it.

    The next start sends again what was sent from there on; nothing that is unsent now is skipped.
    """
    starts = LEDGERS.starts
    first = min(position, first_unsent(connection))
    last = sa.select(sa.func.max(starts.c.position)).scalar_subquery()
    connection.execute(sa.update(starts).where(starts.c.position == last).values(resend_from=first))
