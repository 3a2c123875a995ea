"""What people and programs look at: lists, single messages, counts. Only reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from services.notify.domain.messages import OVER_BUDGET, Message
from services.notify.domain.states import State
from services.notify.storage.rows import MESSAGE_COLUMNS, message_of
from services.notify.storage.tables import GROUPS, found_by_index, messages
from shared.kernel.errors import NotFound

# Each of these is in a small index.
_FINISHED = (
    State.SENT,
    State.DELIVERED,
    State.SKIPPED,
    State.SPARED,
    State.CANCELLED,
    State.RECALLED,
    State.OPTED_OUT,
)
UNFINISHED = tuple(state for state in State if state not in _FINISHED)


@dataclass(frozen=True, slots=True)
class Search:
    """Which messages; `before` is (made_at, id) of the last one seen. Newest first."""

    states: tuple[str, ...] = ()
    channel: str | None = None
    dossier: str | None = None
    before: tuple[datetime, str] | None = None
    limit: int = 50


def find(connection: sa.Connection, search: Search) -> list[Message]:
    """The messages that fit, newest first, at most `limit`; by an index, whatever is asked."""
    found = []
    for states in _asked(search.states):
        query = (
            sa.select(*MESSAGE_COLUMNS)
            .where(*_where(search, states))
            .order_by(messages.c.made_at.desc(), messages.c.id.desc())
            .limit(search.limit)
        )
        found += [message_of(row) for row in connection.execute(query)]
    found.sort(key=lambda message: (message.made_at, message.id), reverse=True)
    return found[: search.limit]


def _asked(states: Sequence[str]) -> list[tuple[State, ...]]:
    """The states in groups that one index serves each; one group of none where all are asked."""
    wanted = {State(state) for state in states}
    groups = [tuple(state for state in group if state in wanted) for group in GROUPS]
    rest = tuple(sorted(wanted.difference(*groups)))
    return [group for group in (*groups, rest) if group] or [()]


def one(connection: sa.Connection, message_id: str) -> Message:
    """One message; `NotFound` when there is none."""
    query = sa.select(*MESSAGE_COLUMNS).where(messages.c.id == message_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("there is no such message", vi="Không có tin nhắn này.")
    return message_of(row)


def of_moment(connection: sa.Connection, message: Message) -> list[Message]:
    """All ways of this one's moment and person, in the order in which they are tried."""
    same = (
        messages.c.fact_id == message.fact_id,
        messages.c.moment == message.moment,
        messages.c.person == message.role,
    )
    query = sa.select(*MESSAGE_COLUMNS).where(*same).order_by(messages.c.rung, messages.c.channel)
    return [message_of(row) for row in connection.execute(query)]


def by_state(connection: sa.Connection) -> dict[str, int]:
    """How many messages are in each state; states with none are left out. Reads all messages."""
    state = messages.c.state
    query = sa.select(state, sa.func.count()).group_by(state).order_by(state)
    return {str(value): int(count) for value, count in connection.execute(query)}


def unfinished(connection: sa.Connection) -> dict[str, int]:
    """How many messages are in each state that is not the end; quick however many were sent."""
    found = {}
    for state in UNFINISHED:
        query = sa.select(sa.func.count()).select_from(messages).where(found_by_index((state,)))
        count = int(connection.execute(query).scalar_one())
        if count:
            found[state.value] = count
    return found


def _where(search: Search, states: tuple[State, ...]) -> Iterable[sa.ColumnElement[bool]]:
    if states:
        yield found_by_index(states)
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


def ids_of(connection: sa.Connection, dossier: str) -> frozenset[str]:
    """The ids of all messages about a dossier."""
    asked = sa.select(messages.c.id).where(messages.c.dossier == dossier)
    return frozenset(connection.scalars(asked))


def over_budget(connection: sa.Connection, since: datetime) -> int:
    """How many messages made since then (UTC) did not go because their dossier had had its share."""
    asked = sa.select(sa.func.count()).where(
        found_by_index((State.SKIPPED,)), messages.c.made_at >= since,
        messages.c.reason == OVER_BUDGET,
    )  # fmt: skip
    return int(connection.scalar(asked) or 0)
