"""What people and programs look at: lists, single messages, counts. Only reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from services.notify.domain.messages import Message
from services.notify.domain.states import State
from services.notify.storage.rows import MESSAGE_COLUMNS, message_of
from services.notify.storage.tables import in_states, messages
from shared.kernel.errors import NotFound

# Each of these has a small index of its own.
UNFINISHED = tuple(state for state in State if state not in (State.SENT, State.SKIPPED))


@dataclass(frozen=True, slots=True)
class Search:
    """Which messages; `before` is (made_at, id) of the last one seen. Newest first."""

    states: tuple[str, ...] = ()
    channel: str | None = None
    dossier: str | None = None
    before: tuple[datetime, str] | None = None
    limit: int = 50


def find(connection: sa.Connection, search: Search) -> list[Message]:
    """The messages that fit, newest first, at most `limit`."""
    query = (
        sa.select(*MESSAGE_COLUMNS)
        .where(*_where(search))
        .order_by(messages.c.made_at.desc(), messages.c.id.desc())
        .limit(search.limit)
    )
    return [message_of(row) for row in connection.execute(query)]


def one(connection: sa.Connection, message_id: str) -> Message:
    """One message; `NotFound` when there is none."""
    query = sa.select(*MESSAGE_COLUMNS).where(messages.c.id == message_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("there is no such message", vi="Không có tin nhắn này.")
    return message_of(row)


def by_state(connection: sa.Connection) -> dict[str, int]:
    """How many messages are in each state; states with none are left out."""
    return _counted(connection, messages.c.state)


def unfinished(connection: sa.Connection) -> dict[str, int]:
    """How many messages are in each state that is not the end; quick however many were sent."""
    found = {}
    for state in UNFINISHED:
        query = sa.select(sa.func.count()).select_from(messages).where(in_states(state))
        count = int(connection.execute(query).scalar_one())
        if count:
            found[state.value] = count
    return found


def by_channel(connection: sa.Connection) -> dict[str, int]:
    """How many messages were sent by each channel."""
    return _counted(connection, messages.c.channel, messages.c.state == State.SENT.value)


def sms_parts(connection: sa.Connection) -> int:
    """SMS segments sent, as a carrier would count them."""
    query = sa.select(sa.func.coalesce(sa.func.sum(messages.c.parts), 0)).where(
        messages.c.channel == "sms", messages.c.state == State.SENT.value
    )
    return int(connection.execute(query).scalar_one())


def _counted(
    connection: sa.Connection, column: sa.Column[str], *where: sa.ColumnElement[bool]
) -> dict[str, int]:
    query = sa.select(column, sa.func.count()).where(*where).group_by(column).order_by(column)
    return {str(value): int(count) for value, count in connection.execute(query)}


def _where(search: Search) -> Iterable[sa.ColumnElement[bool]]:
    if search.states:
        yield in_states(*(State(state) for state in search.states))
    if search.channel is not None:
        yield messages.c.channel == search.channel
    if search.dossier is not None:
        yield messages.c.dossier == search.dossier
    if search.before is not None:
        made_at, message_id = search.before
        yield sa.or_(
            messages.c.made_at < made_at,
            sa.and_(messages.c.made_at == made_at, messages.c.id < message_id),
        )
