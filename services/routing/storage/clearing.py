"""What of old cases is cleared: what has ended, and the forms that nobody works with any more.

An agency's messages stay, under their numbers, since it may ask for them from any number on; only
the forms in them go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from services.routing.storage.handed import task_of
from services.routing.storage.tables import cases, cleared, fetches, looks, tasks
from shared.database import batch
from shared.events.agencies import AnswerDaySums
from shared.events.event import kind_of
from shared.events.forms import without_forms
from shared.events.names import ROUTING_TASKS
from shared.kernel.errors import Unreadable
from shared.messaging.tables import LEDGERS

_FORMS: Final = "forms of messages"
_HAS_FORM = sa.cast(cases.c.form, sa.Text) != "{}"


def ended(connection: sa.Connection, subjects: Sequence[str], before: datetime) -> set[str]:
    """Which of these are dossiers, or tasks of dossiers, that were closed before that instant."""
    of_dossiers = sa.select(cases.c.dossier).where(
        cases.c.dossier.in_(subjects), cases.c.closed_at < before
    )
    of_tasks = (
        sa.select(tasks.c.id)
        .join(cases, cases.c.dossier == tasks.c.dossier)
        .where(tasks.c.id.in_(subjects), cases.c.closed_at < before)
    )
    return set(connection.scalars(sa.union(of_dossiers, of_tasks)))


def old_forms(connection: sa.Connection, before: datetime, limit: int | None) -> Sequence[Any]:
    """Dossiers that were closed before that instant and still have the form."""
    asked = sa.select(cases.c.dossier).where(cases.c.closed_at < before, _HAS_FORM)
    return connection.scalars(asked.limit(limit)).all()


def empty_forms(connection: sa.Connection, dossiers: Sequence[Any]) -> int:
    """Let the forms of these go."""
    chosen = sa.update(cases).where(cases.c.dossier.in_(dossiers))
    return connection.execute(chosen.values(form={})).rowcount


def old_looks(connection: sa.Connection, before: datetime, limit: int | None) -> Sequence[Any]:
    """Tasks that were opened by nobody since that instant."""
    asked = sa.select(looks.c.task).where(looks.c.last_at < before)
    return connection.scalars(asked.limit(limit)).all()


def forget_looks(connection: sa.Connection, found: Sequence[Any]) -> int:
    """Who opened these is known no more."""
    return connection.execute(sa.delete(looks).where(looks.c.task.in_(found))).rowcount


_STRETCH: Final = sa.tuple_(fetches.c.agency, fetches.c.first, fetches.c.last)


def old_fetches(connection: sa.Connection, before: datetime, limit: int | None) -> Sequence[Any]:
    """What was served at the door before that instant: agency, first and last number."""
    asked = sa.select(fetches.c.agency, fetches.c.first, fetches.c.last)
    rows = connection.execute(asked.where(fetches.c.at < before).limit(limit))
    return [tuple(row) for row in rows]


def forget_fetches(connection: sa.Connection, found: Sequence[Any]) -> int:
    """That these were served is known no more."""
    return connection.execute(sa.delete(fetches).where(_STRETCH.in_(found))).rowcount


_GIVEN: Final = (LEDGERS.inbox.c.type == kind_of(AnswerDaySums).type,)
_FACT: Final = sa.tuple_(LEDGERS.inbox.c.source, LEDGERS.inbox.c.fact_id)


def old_sums(connection: sa.Connection, before: datetime, limit: int | None) -> Sequence[Any]:
    """Sums that agencies handed in over the queue before that instant: source and id."""
    inbox = LEDGERS.inbox.c
    asked = sa.select(inbox.source, inbox.fact_id).where(*_GIVEN, inbox.handled_at < before)
    return [tuple(row) for row in connection.execute(asked.limit(limit))]


def forget_sums(connection: sa.Connection, found: Sequence[Any]) -> int:
    """That these were handed in is known no more."""
    mine = sa.delete(LEDGERS.inbox).where(*_GIVEN, _FACT.in_(found))
    return connection.execute(mine).rowcount


@dataclass(frozen=True, slots=True)
class Looked:
    """A stretch of the outbox that was looked at: its end, and how many forms were cleared.

    `all_cleared` is whether nothing is left in it for another night.
    """

    end: int
    count: int
    all_cleared: bool


def cleared_up_to(connection: sa.Connection) -> int:
    """Up to which position no message to an agency has a form that will have to go."""
    asked = sa.select(cleared.c.position).where(cleared.c.what == _FORMS)
    return int(connection.scalar(asked) or 0)


def note_cleared(connection: sa.Connection, position: int) -> None:
    """Remember it for the next night."""
    batch.upsert(connection, cleared, [{"what": _FORMS, "position": position}])


def clear_messages(
    connection: sa.Connection, after: int, before: datetime, limit: int, *, dry: bool
) -> Looked | None:
    """Clear the forms of messages about tasks closed before that instant; None at the end."""
    outbox = LEDGERS.outbox
    asked = sa.select(outbox.c.position, outbox.c.body, outbox.c.sent_at).where(
        outbox.c.position > after, outbox.c.source == ROUTING_TASKS, outbox.c.made_at < before
    )
    rows = connection.execute(asked.order_by(outbox.c.position).limit(limit)).all()
    if not rows:
        return None
    task_ids = {row.position: _task_of(bytes(row.body)) for row in rows}
    named = [each for each in set(task_ids.values()) if each is not None]
    closed = set(
        connection.scalars(
            sa.select(tasks.c.id).where(tasks.c.id.in_(named), tasks.c.closed_at < before)
        )
    )
    free = [row for row in rows if row.sent_at is not None and task_ids[row.position] in closed]
    changed = 0
    for row in free:
        bare = without_forms(bytes(row.body))
        if bare == bytes(row.body):
            continue
        changed += 1
        if not dry:
            mine = outbox.c.position == row.position, outbox.c.sent_at.is_not(None)
            connection.execute(sa.update(outbox).where(*mine).values(body=bare))
    return Looked(rows[-1].position, changed, len(free) == len(rows))


def _task_of(body: bytes) -> str | None:
    try:
        return task_of(body)
    except Unreadable:
        return None
