"""What the sending loop does to message rows: claim, hold, mark sent, find what was left behind.

Claimed rows carry their sender and a lease, so that a second sender leaves them alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from services.notify.domain.messages import RETRIES, Message
from services.notify.domain.states import State
from services.notify.storage.rows import MESSAGE_COLUMNS, message_of
from services.notify.storage.tables import in_states, messages
from shared.database.batch import among
from shared.database.types import Instant

#: No message is held for longer: what is planned later was planned by another clock.
LONGEST_HOLD: Final = timedelta(hours=36)
_READY = in_states(State.QUEUED, State.FAILED)
_SENDING = in_states(State.SENDING)
_HOLDERS = messages.c.sender == sa.bindparam("holder")
_NOW = sa.bindparam("now", type_=Instant())
# Later than anything that is planned now: written down before the clock was put back.
_BEYOND = sa.bindparam("beyond", type_=Instant())
_UNTIL = sa.bindparam("until", type_=Instant())

_OF_CHANNEL = messages.c.channel == sa.bindparam("by")
# A common table, not a sub-select: PostgreSQL runs it once, so it locks no more than the limit.
_DUE = (
    sa.select(messages.c.id)
    .where(_OF_CHANNEL, _READY, sa.or_(messages.c.next_at <= _NOW, messages.c.next_at > _BEYOND))
    .order_by(messages.c.next_at, messages.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer()))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_CLAIM = (
    messages.update()
    .where(messages.c.id.in_(sa.select(_DUE.c.id)))
    .values(
        state=State.SENDING.value,
        tries=messages.c.tries + 1,
        changed_at=_NOW,
        sender=sa.bindparam("claimer"),
        lease_until=_UNTIL,
        text_out_at=None,
        sent_at=None,
    )
    .returning(*MESSAGE_COLUMNS)
)
# What waited for its hour and has it now; also where the clock was put back since by more than that.
_RELEASE = (
    messages.update()
    .where(
        _OF_CHANNEL,
        in_states(State.HELD),
        sa.or_(messages.c.next_at <= _NOW, messages.c.next_at > _BEYOND),
    )
    .values(state=State.QUEUED.value, next_at=_NOW)
)
_THOSE = among(messages.c.id)
_STILL_HELD = sa.select(messages.c.id).where(_THOSE, _SENDING, _HOLDERS).with_for_update()
_MARK_SENT = (
    messages.update()
    .where(_THOSE, _SENDING, _HOLDERS)
    .values(
        state=State.SENT.value,
        sent_at=_NOW,
        changed_at=_NOW,
        next_at=None,
        reason=None,
        sender=None,
        lease_until=None,
        text_out_at=None,
        provider=sa.bindparam("by"),
    )
    .returning(messages.c.id)
)
_ARE_NEXT = among(messages.c.id, "next")
# Those whose texts go out now, and those that were taken since the last such note.
_GO_OUT = (
    messages.update()
    .where(_THOSE, _SENDING, _HOLDERS)
    .values(
        text_out_at=sa.case((_ARE_NEXT, _NOW), else_=messages.c.text_out_at),
        sent_at=sa.case((_ARE_NEXT, messages.c.sent_at), else_=_NOW),
        lease_until=_UNTIL,
    )
    .returning(messages.c.id)
)
_RENEW = messages.update().where(_THOSE, _SENDING, _HOLDERS).values(lease_until=_UNTIL)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who sends, and until when nobody else may (UTC)."""

    sender: str
    lease_until: datetime


def claim(
    connection: sa.Connection, channel: str, wanted: Claim, now: datetime, limit: int
) -> list[Message]:
    """Take up to `limit` messages of a channel that are due for sending, oldest first.

    In one statement: what one sender takes no other sees as due, and each try counts.
    """
    asked = {
        "by": channel,
        "now": now,
        "beyond": RETRIES.beyond(now),
        "most": limit,
        "claimer": wanted.sender,
        "until": wanted.lease_until,
    }
    taken = [message_of(row) for row in connection.execute(_CLAIM, asked)]
    return sorted(taken, key=lambda message: (message.next_at or now, message.id))


def release(connection: sa.Connection, channel: str, now: datetime) -> None:
    """What was held until now is due."""
    asked = {"by": channel, "now": now, "beyond": now + LONGEST_HOLD}
    connection.execute(_RELEASE, asked)


def go_out(
    connection: sa.Connection,
    going: Sequence[str],
    taken: Sequence[str],
    holder: Claim,
    now: datetime,
) -> bool:
    """Note that texts go out now, and that others were taken; whether all are still the holder's."""
    found = connection.scalars(
        _GO_OUT,
        {
            "keys": sorted([*going, *taken]),
            "next": sorted(going),
            "holder": holder.sender,
            "until": holder.lease_until,
            "now": now,
        },
    )
    return set(found) >= set(going)


def renew(connection: sa.Connection, ids: Sequence[str], holder: Claim) -> None:
    """Let nobody else take over what is waited for."""
    asked = {"keys": ids, "holder": holder.sender, "until": holder.lease_until}
    connection.execute(_RENEW, asked)


def still_held(connection: sa.Connection, ids: Sequence[str], sender: str) -> set[str]:
    """Which of these are still this sender's, held until the unit ends."""
    return set(connection.scalars(_STILL_HELD, {"keys": ids, "holder": sender}))


def mark_sent(
    connection: sa.Connection, ids: Sequence[str], sender: str, now: datetime, by: str = ""
) -> set[str]:
    """The way of nearly all messages, in one statement; which of them were still this sender's."""
    if not ids:
        return set()
    return set(
        connection.scalars(_MARK_SENT, {"keys": ids, "holder": sender, "now": now, "by": by})
    )


def left_behind(
    connection: sa.Connection,
    channel: str,
    now: datetime,
    dead: Collection[str],
) -> list[Message]:
    """What is being sent by a sender that is dead, or longer than its lease."""
    gone = messages.c.sender.in_(sorted(dead))
    return _held(connection, channel, sa.or_(messages.c.lease_until <= now, gone))


def orphaned(
    connection: sa.Connection, channel: str, sender: str, since: datetime, now: datetime
) -> list[Message]:
    """What this sender, who holds nothing, has only claimed under its name before then (UTC).

    Or after `now`: its clock was put back meanwhile.
    """
    mine = messages.c.sender == sender
    unsaid = messages.c.text_out_at.is_(None)
    changed = messages.c.changed_at
    old = sa.or_(changed <= since, changed > now)
    return _held(connection, channel, mine, unsaid, old)


def _held(connection: sa.Connection, channel: str, *where: sa.ColumnElement[bool]) -> list[Message]:
    query = (
        sa.select(*MESSAGE_COLUMNS)
        .where(messages.c.channel == channel, _SENDING, *where)
        .order_by(messages.c.id)
        .with_for_update(skip_locked=True)
    )
    return [message_of(row) for row in connection.execute(query)]


def senders(connection: sa.Connection, channel: str) -> set[str]:
    """The names of those who are sending now, or died while they were."""
    query = sa.select(messages.c.sender).where(messages.c.channel == channel, _SENDING).distinct()
    return {name for name in connection.execute(query).scalars() if name}


# Built once and asked in one trip: each commit has it asked anew.
_NEXT = sa.select(
    sa.select(sa.func.min(messages.c.next_at)).where(_OF_CHANNEL, _READY).scalar_subquery(),
    sa.select(sa.func.min(messages.c.lease_until)).where(_OF_CHANNEL, _SENDING).scalar_subquery(),
    sa.select(sa.func.min(messages.c.changed_at))
    .where(
        _OF_CHANNEL,
        _SENDING,
        messages.c.sender == sa.bindparam("sender"),
        messages.c.text_out_at.is_(None),
    )
    .scalar_subquery(),
    sa.select(sa.func.min(messages.c.next_at))
    .where(_OF_CHANNEL, in_states(State.HELD))
    .scalar_subquery(),
)


@dataclass(frozen=True, slots=True)
class Next:
    """When a message is due, a lease ends, and since when the asking sender has one claimed.

    The lease by the clock that all processes share. One whose text goes out is not only claimed.
    """

    due: datetime | None
    lease: datetime | None
    mine_since: datetime | None
    held: datetime | None


def next_due(connection: sa.Connection, channel: str, sender: str) -> Next:
    """The earliest instants (UTC) at which a message of this channel has to be looked at."""
    row = connection.execute(_NEXT, {"by": channel, "sender": sender}).one()
    return Next(*row)


_AWAITING = in_states(State.AWAITING_CONTACT)
_FREE = sa.not_(among(messages.c.id))
_FIRST_AWAITING = sa.select(sa.func.min(messages.c.made_at)).where(_AWAITING, _FREE)
_AWAITING_SINCE = (
    sa.select(messages.c.id)
    .where(_AWAITING, _FREE, messages.c.made_at <= sa.bindparam("since", type_=Instant()))
    .order_by(messages.c.made_at, messages.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer()))
)


def first_awaiting(connection: sa.Connection, put_off: Collection[str]) -> datetime | None:
    """When the longest waiting message without a contact was made (UTC), but for those put off."""
    found: datetime | None = connection.scalar(_FIRST_AWAITING, {"keys": put_off})
    return found


def awaiting_since(
    connection: sa.Connection, since: datetime, most: int, put_off: Collection[str]
) -> list[str]:
    """What has waited for a contact since before then (UTC), but for those put off."""
    asked = {"since": since, "most": most, "keys": put_off}
    return list(connection.scalars(_AWAITING_SINCE, asked))
