"""What was handed over to an agency, as its stream in the outbox tells it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from services.routing.storage.tables import tasks
from services.routing.storage.views import OPEN
from shared.events.agencies import TaskAssigned, TaskCancelled, TaskChanged
from shared.events.envelope import decode
from shared.events.names import ROUTING_TASKS
from shared.messaging.tables import LEDGERS


@dataclass(frozen=True, slots=True)
class Message:
    """One message to an agency; `task` is what it is about, None where it is about no task."""

    position: int
    task: str | None


def known(connection: sa.Connection, stream: str) -> bool:
    """Whether anything was ever put on this stream."""
    streams = LEDGERS.streams.c
    return connection.scalar(sa.select(streams.last).where(streams.stream == stream)) is not None


def messages(connection: sa.Connection, stream: str, after: int) -> list[Message]:
    """The messages of a stream after this number that were sent, in their order."""
    outbox = LEDGERS.outbox.c
    asked = sa.select(outbox.position, outbox.body).where(
        outbox.stream == stream, outbox.sequence > after, outbox.sent_at.is_not(None)
    )
    rows = connection.execute(asked.order_by(outbox.sequence))
    return [Message(row.position, task_of(bytes(row.body))) for row in rows]


def task_of(body: bytes) -> str | None:
    """The task that a message to an agency is about."""
    event = decode(body).event()
    return event.task if isinstance(event, TaskAssigned | TaskChanged | TaskCancelled) else None


def of_open_tasks(connection: sa.Connection) -> list[int]:
    """The positions of the messages, to whatever agency, that were sent about tasks still open."""
    asked = sa.select(tasks.c.id, tasks.c.opened_at).where(
        tasks.c.kind == "task", tasks.c.state.in_(OPEN)
    )
    opened = {row.id: row.opened_at for row in connection.execute(asked)}
    if not opened:
        return []
    outbox = LEDGERS.outbox.c
    sent = sa.select(outbox.position, outbox.body).where(
        outbox.source == ROUTING_TASKS,
        outbox.made_at >= min(opened.values()),
        outbox.sent_at.is_not(None),
    )
    rows = connection.execute(sent.order_by(outbox.position))
    return [row.position for row in rows if task_of(bytes(row.body)) in opened]


def untaken(connection: sa.Connection, agency: str) -> set[str]:
    """This agency's open tasks of which it has said nothing."""
    asked = sa.select(tasks.c.id).where(
        tasks.c.agency == agency, tasks.c.kind == "task", tasks.c.state == "assigned"
    )
    return set(connection.scalars(asked))
