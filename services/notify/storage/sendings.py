"""What the sending loop does to message rows: claim, hold, mark sent, find what was left behind.

Claimed rows carry their sender and a lease, so that a second sender leaves them alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from services.notify.domain.messages import Message
from services.notify.domain.states import State, move
from services.notify.storage.rows import MESSAGE_COLUMNS, message_of
from services.notify.storage.tables import in_states, messages

_READY = in_states(State.QUEUED, State.FAILED)
_SENDING = in_states(State.SENDING)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who sends, by which channel, until when nobody else may (UTC)."""

    channel: str
    sender: str
    lease_until: datetime


def claim(connection: sa.Connection, wanted: Claim, now: datetime, limit: int) -> list[Message]:
    """Take up to `limit` messages that are due for sending, oldest first."""
    ready = (
        sa.select(*MESSAGE_COLUMNS)
        .where(
            messages.c.channel == wanted.channel,
            _READY,
            messages.c.next_at <= now,
        )
        .order_by(messages.c.next_at, messages.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = [message_of(row) for row in connection.execute(ready)]
    if not found:
        return []
    connection.execute(
        messages.update()
        .where(messages.c.id.in_([message.id for message in found]))
        .values(
            state=State.SENDING.value,
            tries=messages.c.tries + 1,
            changed_at=now,
            sender=wanted.sender,
            lease_until=wanted.lease_until,
        )
    )
    return [
        replace(
            message,
            state=move(message.state, State.SENDING),
            tries=message.tries + 1,
            changed_at=now,
        )
        for message in found
    ]


def still_held(connection: sa.Connection, ids: Sequence[str], sender: str) -> set[str]:
    """Which of these are still this sender's, held until the unit ends."""
    query = (
        sa.select(messages.c.id)
        .where(
            messages.c.id.in_(ids),
            messages.c.state == State.SENDING.value,
            messages.c.sender == sender,
        )
        .with_for_update()
    )
    return set(connection.execute(query).scalars())


def mark_sent(connection: sa.Connection, ids: Sequence[str], now: datetime) -> None:
    """The way of nearly all messages, in one statement."""
    if not ids:
        return
    connection.execute(
        messages.update()
        .where(messages.c.id.in_(ids))
        .values(
            state=State.SENT.value,
            sent_at=now,
            changed_at=now,
            next_at=None,
            reason=None,
            sender=None,
            lease_until=None,
        )
    )


def left_behind(
    connection: sa.Connection, channel: str, now: datetime, dead: Collection[str]
) -> list[Message]:
    """What is being sent by a sender that is dead, or longer than its lease."""
    query = (
        sa.select(*MESSAGE_COLUMNS)
        .where(
            messages.c.channel == channel,
            _SENDING,
            sa.or_(messages.c.lease_until <= now, messages.c.sender.in_(sorted(dead))),
        )
        .order_by(messages.c.id)
        .with_for_update(skip_locked=True)
    )
    return [message_of(row) for row in connection.execute(query)]


def senders(connection: sa.Connection, channel: str) -> set[str]:
    """The names of those who are sending now, or died while they were."""
    query = sa.select(messages.c.sender).where(messages.c.channel == channel, _SENDING).distinct()
    return {name for name in connection.execute(query).scalars() if name}


_OF_CHANNEL = messages.c.channel == sa.bindparam("channel")
# Built once and asked in one trip: each commit has it asked anew.
_NEXT = sa.select(
    sa.select(sa.func.min(messages.c.next_at)).where(_OF_CHANNEL, _READY).scalar_subquery(),
    sa.select(sa.func.min(messages.c.lease_until)).where(_OF_CHANNEL, _SENDING).scalar_subquery(),
)


def next_due(connection: sa.Connection, channel: str) -> datetime | None:
    """The earliest instant (UTC) at which a message of this channel has to be looked at."""
    found = connection.execute(_NEXT, {"channel": channel}).one()
    return min((at for at in found if at is not None), default=None)


def first_awaiting(connection: sa.Connection) -> datetime | None:
    """When the longest waiting message without a contact was made (UTC)."""
    query = sa.select(sa.func.min(messages.c.made_at)).where(in_states(State.AWAITING_CONTACT))
    found: datetime | None = connection.execute(query).scalar()
    return found
