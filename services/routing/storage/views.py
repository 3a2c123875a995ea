"""Questions about tasks that change nothing: lists for agencies, what is due, what was handed over."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.routing.domain.case import Case, Task
from services.routing.storage import rows
from services.routing.storage.tables import answers, cases, refused_answers, tasks
from shared.database import batch
from shared.database.batch import among
from shared.events.agencies import TaskAssigned
from shared.events.envelope import decode
from shared.events.event import kind_of
from shared.events.names import ROUTING_TASKS
from shared.messaging.tables import LEDGERS

OPEN = ("assigned", "taken", "paused")
#: Those whose clock runs.
RUNNING = ("assigned", "taken")


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
    first: int = 0  # the number of the first of them

    @property
    def tasks(self) -> list[str]:
        """The tasks that these messages hand over."""
        assigned = kind_of(TaskAssigned).type
        return [each["data"]["task"] for each in self.messages if each["type"] == assigned]


def task_lines(
    connection: sa.Connection,
    agency: str,
    states: Sequence[str],
    limit: int,
    *,
    newest: bool = False,
    due_by: datetime | None = None,
) -> list[TaskLine]:
    """An agency's tasks in these states, the first due first, or the newest opened first.

    `due_by`: only those whose date lies no later (UTC).
    """
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
    if due_by is not None:
        query = query.where(tasks.c.due_at <= due_by)
    return [_line(row) for row in connection.execute(query)]


def _line(row: Any) -> TaskLine:
    procedure = (row.procedure, row.procedure_name, row.version)
    return TaskLine(rows.task_of(row), row.dossier, *procedure, row.office_name)


def task_case(connection: sa.Connection, agency: str, task_id: str) -> tuple[Case, Task] | None:
    """A task of this agency with its case; None for every other task, there or not."""
    row = connection.execute(
        sa.select(tasks).where(
            tasks.c.id == task_id, tasks.c.agency == agency, tasks.c.kind == "task"
        )
    ).one_or_none()
    if row is None:
        return None
    found = connection.execute(sa.select(cases).where(cases.c.dossier == row.dossier)).one()
    all_of_it = sa.select(tasks).where(tasks.c.dossier == row.dossier)
    return rows.case_of(found, connection.execute(all_of_it)), rows.task_of(row)


def answers_to(connection: sa.Connection, agency: str, task_id: str) -> list[Any]:
    """What an agency answered to a task, the oldest first: kind, applied, note (Vietnamese), at."""
    given, denied = answers.c, refused_answers.c
    query = sa.union_all(
        sa.select(given.kind, given.applied, given.note, given.at, given.answer_id).where(
            given.task == task_id, given.agency == agency
        ),
        sa.select(
            denied.kind, sa.false(), denied.vi.label("note"), denied.at, denied.answer_id
        ).where(denied.task == task_id, denied.agency == agency),
    ).subquery()
    return list(connection.execute(sa.select(query).order_by(query.c.at, query.c.answer_id)))


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
        first=given[0].sequence if given else after,
    )


def to_repeat(connection: sa.Connection, agency: str, given: Sequence[str]) -> list[str]:
    """Which of these tasks of an agency will be handed over again unless it has seen them."""
    found = batch.fetch(connection, tasks.c.id, given) if given else ()
    return [row.id for row in found if row.agency == agency and rows.task_of(row).is_unseen]


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


_FREE = {table: sa.not_(among(table.c.dossier)) for table in (cases, tasks)}
# Built once and asked in one trip: each commit has it asked anew.
_NEXT = sa.select(
    *(
        sa.select(table.c.next_at)
        .where(table.c.next_at.is_not(None), free)
        .order_by(table.c.next_at)
        .limit(1)
        .scalar_subquery()
        for table, free in _FREE.items()
    )
)


# As many dossiers as nobody holds, held until the unit ends; SQLite has one writer at a time.
_TAKE = (
    sa.select(cases.c.dossier)
    .where(among(cases.c.dossier))
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
)
#: So many workers find something to do beside each other.
_WORKERS = 4


def next_due(connection: sa.Connection, put_off: Collection[str]) -> datetime | None:
    """The first instant at which time alone changes something (UTC), but for dossiers put off."""
    instants = connection.execute(_NEXT, {"keys": put_off}).one()
    return min((at for at in instants if at is not None), default=None)


def due_dossiers(
    connection: sa.Connection, now: datetime, limit: int, put_off: Collection[str]
) -> list[str]:
    """Dossiers for which something has become due by `now`, the longest due first.

    Those that are put off are left out, and those that another worker has in hand: it judges them.
    """
    several = connection.dialect.name == "postgresql"
    looked_at = limit * _WORKERS if several else limit
    found: dict[str, datetime] = {}
    for table, free in _FREE.items():
        query = (
            sa.select(table.c.dossier, table.c.next_at)
            .where(table.c.next_at.is_not(None), table.c.next_at <= now, free)
            .order_by(table.c.next_at)
            .limit(looked_at)
        )
        for row in connection.execute(query, {"keys": put_off}):
            found[row.dossier] = min(row.next_at, found.get(row.dossier, row.next_at))
    ordered = sorted(found, key=lambda code: (found[code], code))[:looked_at]
    if not (several and ordered):
        return ordered
    taken = set(connection.scalars(_TAKE, {"keys": ordered, "most": limit}))
    return [code for code in ordered if code in taken]
