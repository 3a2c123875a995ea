"""The messages that handed tasks over, as the ledger keeps them, and sending one of them again.

A task's message is looked for by time: numbers of one agency's stream rise as time does, so that a
few probes find about where it lies, whatever the length of the stream. No column says it, since
every task would pay for what few of them need.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from shared.database import UnitOfWork
from shared.events.agencies import TaskAssigned
from shared.events.envelope import decode
from shared.events.event import kind_of
from shared.events.names import ROUTING_TASKS
from shared.messaging.tables import LEDGERS

#: Clocks of several machines may differ by less than this.
SLACK: Final = timedelta(hours=1)
_PAGE: Final = 200
_ASSIGNED: Final = kind_of(TaskAssigned).type
_outbox: Final = LEDGERS.outbox


def send_again(uow: UnitOfWork, agency: str, task: str, since: datetime) -> bool:
    """Have the message that handed over this task at `since` sent again, under its old number.

    False where the ledger has none. The relay sends it; readers know it by its id.
    """
    position = _position_of(uow.connection, f"{ROUTING_TASKS} {agency}", task, since - SLACK)
    if position is None:
        return False
    mine = _outbox.c.position == position
    uow.connection.execute(sa.update(_outbox).where(mine).values(sent_at=None))
    uow.signal()
    return True


def _position_of(connection: sa.Connection, stream: str, task: str, since: datetime) -> int | None:
    number, needle = first_since(connection, stream, since), task.encode()
    columns = (_outbox.c.position, _outbox.c.sequence, _outbox.c.type, _outbox.c.body)
    while True:
        mine = sa.and_(_outbox.c.stream == stream, _outbox.c.sequence >= number)
        page = connection.execute(
            sa.select(*columns).where(mine).order_by(_outbox.c.sequence).limit(_PAGE)
        ).all()
        for row in page:
            body = bytes(row.body)
            if row.type == _ASSIGNED and needle in body and task_in(body) == task:
                return int(row.position)
        if len(page) < _PAGE:
            return None
        number = page[-1].sequence + 1


def task_in(body: bytes) -> str | None:
    """The task that a message hands over; None for every other message."""
    handed = decode(body).event()
    return handed.task if isinstance(handed, TaskAssigned) else None


def first_since(connection: sa.Connection, stream: str, since: datetime) -> int:
    """About the first number of a stream that was made at `since` or later."""
    streams = LEDGERS.streams.c
    last = connection.scalar(sa.select(streams.last).where(streams.stream == stream)) or 0
    low, high = 1, last
    while low < high:
        middle = (low + high) // 2
        probe = sa.and_(_outbox.c.stream == stream, _outbox.c.sequence >= middle)
        made_at = connection.scalar(
            sa.select(_outbox.c.made_at).where(probe).order_by(_outbox.c.sequence).limit(1)
        )
        if made_at is None or made_at >= since:
            high = middle
        else:
            low = middle + 1
    return low
