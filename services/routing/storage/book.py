"""The hand-over book: each message to an agency, and what is known of its way.

Built on the rows that are there: the agency's numbered stream in the outbox, its tasks and its
answers; beside them only what the agency fetched. What a program took off its queue nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.routing.storage import evidence, handed
from services.routing.storage.handover import SLACK, first_since
from services.routing.storage.tables import answers, cases, fetches, looks, tasks
from shared.database import UnitOfWork, batch
from shared.events.agencies import TaskAnswerRefused, TaskAssigned, TaskCancelled, TaskChanged
from shared.events.envelope import decode
from shared.events.event import Event
from shared.events.names import ROUTING_TASKS, WITHHELD, short
from shared.messaging.tables import LEDGERS

MOST = 2000


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message and its way; instants in UTC, None for what has not happened or is not known.

    `confirmed_at`: the broker had it, the last time that it was sent. `fetched_at`: served
    by the way `fetched_by` (door, webhook); `opened_at`: its task was opened after it was made. `answer`: the last that was applied;
    `signed`: by its agency's own key. `record`: its number in the agency's chain of evidence.
    """

    number: int
    kind: str
    task: str | None
    dossier: str
    office: str | None
    made_at: datetime
    confirmed_at: datetime | None
    fetched_at: datetime | None = None
    fetched_by: str | None = None
    opened_at: datetime | None = None
    taken_at: datetime | None = None
    answered_at: datetime | None = None
    answer: str | None = None
    signed: bool = False
    repeats: int = 0
    record: int | None = None
    expired_at: datetime | None = None


def note_fetch(uow: UnitOfWork, agency: str, first: int, last: int, *, way: str = "door") -> None:
    """An agency was served these numbers of its stream by a way; the first time counts."""
    row = {"agency": agency, "first": first, "last": last, "at": uow.now, "way": way}
    known = (fetches.c.agency == agency, fetches.c.first == first, fetches.c.last == last)
    if uow.connection.scalar(sa.select(sa.true()).where(*known)) is None:
        batch.upsert(uow.connection, fetches, [row])


def was_fetched(connection: sa.Connection, agency: str, first: int, last: int) -> bool:
    """Whether it was served all of these at once before."""
    asked = sa.select(sa.true()).where(
        fetches.c.agency == agency, fetches.c.first <= first, fetches.c.last >= last
    )
    return connection.scalar(asked.limit(1)) is not None


def note_look(uow: UnitOfWork, task: str) -> None:
    """Its agency has opened this task now."""
    moved = sa.update(looks).where(looks.c.task == task).values(last_at=uow.now)
    if not uow.connection.execute(moved).rowcount:
        row = {"task": task, "first_at": uow.now, "last_at": uow.now}
        batch.upsert(uow.connection, looks, [row])


def known(connection: sa.Connection, agency: str) -> bool:
    """Whether anything was ever handed over to this agency."""
    return handed.known(connection, f"{ROUTING_TASKS} {agency}")


def deliveries(
    connection: sa.Connection,
    agency: str,
    since: datetime,
    until: datetime,
    *,
    office: str | None = None,
) -> list[Delivery]:
    """What was made for an agency from `since` to before `until`, by number; the first 2,000.

    With `office` only what belongs to dossiers that this office took.
    """
    outbox, stream = LEDGERS.outbox.c, f"{ROUTING_TASKS} {agency}"
    number = first_since(connection, stream, since - SLACK)
    columns = (outbox.sequence, outbox.type, outbox.body, outbox.made_at, outbox.sent_at)
    asked = sa.select(*columns).where(
        outbox.stream == stream,
        outbox.sequence >= number,
        outbox.made_at >= since,
        outbox.made_at < until,
    )
    rows = connection.execute(asked.order_by(outbox.sequence).limit(MOST)).all()
    given = [(row, None if row.type == WITHHELD else _event(row)) for row in rows]
    known = _Known(connection, agency, [_task_in(event) for _, event in given], rows)
    found = [known.delivery(row, event) for row, event in given]
    return [each for each in found if office in (None, each.office)]


def _event(row: Any) -> Event:
    return decode(bytes(row.body)).event()


def _task_in(event: Event | None) -> str | None:
    about = TaskAssigned | TaskChanged | TaskCancelled | TaskAnswerRefused
    return event.task if isinstance(event, about) else None


class _Known:
    """What else is known of the messages of one page, read in a query for each table."""

    def __init__(
        self, connection: sa.Connection, agency: str, of: Sequence[str | None], rows: Sequence[Any]
    ) -> None:
        named = {each for each in of if each is not None}
        self._tasks = {row.id: row for row in batch.fetch(connection, tasks.c.id, named)}
        codes = {row.dossier for row in self._tasks.values()}
        self._offices = {
            row.dossier: row.office for row in batch.fetch(connection, cases.c.dossier, codes)
        }
        self._looks = {row.task: row for row in batch.fetch(connection, looks.c.task, named)}
        self._answers: dict[str, list[Any]] = {}
        for row in batch.fetch(connection, answers.c.task, named):
            if row.agency == agency and row.applied:
                self._answers.setdefault(row.task, []).append(row)
        first, last = (rows[0].sequence, rows[-1].sequence) if rows else (0, 0)
        served = sa.select(fetches).where(
            fetches.c.agency == agency, fetches.c.last >= first, fetches.c.first <= last
        )
        found = connection.execute(served).all()
        self._alone = {row.first: row for row in found if row.first == row.last}
        self._ranges = [row for row in found if row.first < row.last]
        self._records = evidence.of_messages(connection, agency, first, last)

    def delivery(self, row: Any, event: Event | None) -> Delivery:
        name = _task_in(event)
        task = self._tasks.get(name or "")
        dossier = "" if task is None else task.dossier
        is_new = isinstance(event, TaskAssigned)
        given = sorted(self._answers.get(name or "", ()) if is_new else (), key=lambda a: a.at)
        final = [each for each in given if each.kind != "taken"]
        return Delivery(
            number=row.sequence,
            kind=short(row.type).removeprefix("task."),
            task=name,
            dossier=dossier,
            office=self._offices.get(dossier),
            made_at=row.made_at,
            confirmed_at=row.sent_at,
            fetched_at=None if (served := self._fetched(row.sequence)) is None else served.at,
            fetched_by=None if served is None else served.way,
            opened_at=self._opened(name, row.made_at),
            taken_at=task.taken_at if is_new and task else None,
            answered_at=final[-1].at if final else None,
            answer=final[-1].kind if final else None,
            signed=bool(final) and final[-1].signature is not None,
            repeats=task.repeats if is_new and task else 0,
            record=self._records.get(row.sequence),
            expired_at=task.expired_at if is_new and task else None,
        )

    def _fetched(self, number: int) -> Any:
        """The row of the first time that it was served, or None."""
        served = [row for row in self._ranges if row.first <= number <= row.last]
        if number in self._alone:
            served.append(self._alone[number])
        return min(served, key=lambda row: row.at, default=None)

    def _opened(self, task: str | None, made_at: datetime) -> datetime | None:
        """The first look if that came after it was made, else the last one if that did."""
        look = self._looks.get(task or "")
        if look is None or look.last_at < made_at:
            return None
        at: datetime = look.first_at if look.first_at >= made_at else look.last_at
        return at
