"""Questions about tasks that change nothing: lists for agencies, what is due, what was handed over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.routing.domain.case import Case, Task
from services.routing.storage import rows
from services.routing.storage.tables import answers, cases, tasks
from shared.events.agencies import TaskAssigned
from shared.events.envelope import decode
from shared.events.event import kind_of
from shared.events.names import ROUTING_TASKS
from shared.messaging.tables import LEDGERS

OPEN = ("assigned", "taken", "paused")


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task in a list, with the names that people read."""

    task: Task
    dossier: str
    procedure_code: str
    procedure_name: str
    version: int
    office_name: str


@dataclass(frozen=True, slots=True)
class Handed:
    """Messages of one agency's stream as they were handed over, and the number to go on from."""

    messages: list[dict[str, Any]]
    dossiers: list[str]  # of each message
    next: int
    more: bool


def task_lines(
    connection: sa.Connection,
    agency: str,
    states: Sequence[str],
    limit: int,
    *,
    newest: bool = False,
) -> list[TaskLine]:
    """An agency's tasks in these states, the first due first, or the newest opened first."""
    order = (
        (tasks.c.opened_at.desc(), tasks.c.id.desc()) if newest else (tasks.c.due_at, tasks.c.id)
    )
    query = (
        sa.select(
            tasks,
            cases.c.procedure,
            cases.c.procedure_name,
            cases.c.version,
            cases.c.office_name,
        )
        .join(cases, cases.c.dossier == tasks.c.dossier)
        .where(tasks.c.agency == agency, tasks.c.kind == "task", tasks.c.state.in_(states))
        .order_by(*order)
        .limit(limit)
    )
    return [
        TaskLine(
            rows.task_of(row),
            row.dossier,
            row.procedure,
            row.procedure_name,
            row.version,
            row.office_name,
        )
        for row in connection.execute(query)
    ]


def task_case(connection: sa.Connection, agency: str, task_id: str) -> tuple[Case, Task] | None:
    """A task of this agency with its case; None for every other task, there or not."""
    row = connection.execute(
        sa.select(tasks).where(
            tasks.c.id == task_id, tasks.c.agency == agency, tasks.c.kind == "task"
        )
    ).one_or_none()
    if row is None:
        return None
    task = rows.task_of(row)
    found = connection.execute(sa.select(cases).where(cases.c.dossier == row.dossier)).one()
    return rows.case_of(found, {task.step: task}), task


def answers_to(connection: sa.Connection, task_id: str) -> list[Any]:
    """The answers that were given to a task, the oldest first."""
    query = sa.select(answers).where(answers.c.task == task_id)
    return list(connection.execute(query.order_by(answers.c.at, answers.c.answer_id)))


def handed_over(connection: sa.Connection, stream: str, after: int, limit: int) -> Handed:
    """What was put on an agency's stream after number `after`, from the ledger, in its order."""
    outbox = LEDGERS.outbox
    query = (
        sa.select(outbox.c.sequence, outbox.c.subject, outbox.c.body)
        .where(outbox.c.stream == stream, outbox.c.sequence > after)
        .order_by(outbox.c.sequence)
        .limit(limit + 1)
    )
    found = connection.execute(query).all()
    given = found[:limit]
    return Handed(
        messages=[json.loads(row.body) for row in given],
        dossiers=[row.subject for row in given],
        next=given[-1].sequence if given else after,
        more=len(found) > limit,
    )


def unanswered_by(connection: sa.Connection, agency: str) -> list[bytes]:
    """The messages that handed over this agency's open tasks, from the ledger, in their order."""
    mine = (tasks.c.agency == agency, tasks.c.kind == "task", tasks.c.state.in_(OPEN))
    opened = {
        row.id: row.opened_at
        for row in connection.execute(sa.select(tasks.c.id, tasks.c.opened_at).where(*mine))
    }
    if not opened:
        return []
    outbox = LEDGERS.outbox
    query = (
        sa.select(outbox.c.body)
        .where(
            outbox.c.stream == f"{ROUTING_TASKS} {agency}",
            outbox.c.type == kind_of(TaskAssigned).type,
            outbox.c.made_at >= min(opened.values()),
        )
        .order_by(outbox.c.sequence)
    )
    bodies = (bytes(body) for body in connection.execute(query).scalars())
    events = ((body, decode(body).event()) for body in bodies)
    return [body for body, each in events if isinstance(each, TaskAssigned) and each.task in opened]


# Built once and asked in one trip: each commit has it asked anew.
_NEXT = sa.select(
    *(
        sa.select(table.c.next_at)
        .where(table.c.next_at.is_not(None))
        .order_by(table.c.next_at)
        .limit(1)
        .scalar_subquery()
        for table in (cases, tasks)
    )
)


def next_due(connection: sa.Connection) -> datetime | None:
    """The first instant at which time alone changes something (UTC)."""
    instants = connection.execute(_NEXT).one()
    return min((at for at in instants if at is not None), default=None)


def due_dossiers(connection: sa.Connection, now: datetime, limit: int) -> list[str]:
    """Dossiers for which something has become due by `now`, the longest due first."""
    found: dict[str, datetime] = {}
    for table in (cases, tasks):
        query = (
            sa.select(table.c.dossier, table.c.next_at)
            .where(table.c.next_at.is_not(None), table.c.next_at <= now)
            .order_by(table.c.next_at)
            .limit(limit)
        )
        for row in connection.execute(query):
            found[row.dossier] = min(row.next_at, found.get(row.dossier, row.next_at))
    return sorted(found, key=lambda code: (found[code], code))[:limit]
