"""The coordination lists: steps that no agency has, by the office whose head must name one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.routing.domain.case import Case, Task
from services.routing.storage.rows import case_of
from services.routing.storage.tables import cases, tasks
from shared.database import Store, batch
from shared.messaging.metrics import Reading

# The words of the index `tasks_placing`, so that it is used.
_WAITING = (sa.text("kind = 'placing'"), tasks.c.state.in_(("assigned", "taken", "paused")))
#: By office: how many wait, and since when (UTC) the first of them.
BY_OFFICE = (
    sa.select(tasks.c.agency, sa.func.count(), sa.func.min(tasks.c.opened_at))
    .where(*_WAITING, tasks.c.opened_at <= sa.bindparam("now"))
    .group_by(tasks.c.agency)
    .order_by(tasks.c.agency)
)


def waiting(connection: sa.Connection, office: str, limit: int) -> list[tuple[Case, Task]]:
    """What waits for the head of this office, with its cases, the longest waiting first."""
    asked = sa.select(tasks.c.id, tasks.c.dossier).where(*_WAITING, tasks.c.agency == office)
    rows = connection.execute(asked.order_by(tasks.c.opened_at, tasks.c.id).limit(limit)).all()
    codes = {row.dossier for row in rows}
    given: dict[str, list[Any]] = {code: [] for code in codes}
    for row in batch.fetch(connection, tasks.c.dossier, codes):
        given[row.dossier].append(row)
    found = batch.fetch(connection, cases.c.dossier, codes)
    of = {row.dossier: case_of(row, given[row.dossier]) for row in found}
    listed = ((of[row.dossier], of[row.dossier].task(row.id)) for row in rows)
    return [(case, task) for case, task in listed if task is not None]


def measured(store: Store) -> list[Reading]:
    """How many steps wait to be placed, and for how long the first, for the measures."""
    now = store.clock.now()
    with store.read() as connection:
        rows = connection.execute(BY_OFFICE, {"now": now}).all()
    count: int = sum(row[1] for row in rows)
    oldest: datetime = min((row[2] for row in rows), default=now)
    return [
        Reading(
            "lienthong_steps_to_place", "Steps that wait for a head to name their agency", count
        ),
        Reading(
            "lienthong_steps_to_place_oldest_seconds",
            "Age of the longest waiting of them, 0 for none",
            (now - oldest).total_seconds(),
        ),
    ]
