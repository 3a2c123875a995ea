"""What a reorganisation is about at the agencies: their open tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from services.routing.domain.case import OPEN_STATES
from services.routing.storage.tables import cases, tasks

BATCH: Final = 100


def open_tasks(connection: sa.Connection, agencies: Sequence[str]) -> dict[str, int]:
    """How many tasks these agencies owe an answer, by agency."""
    counted = sa.select(tasks.c.agency, sa.func.count()).where(*_open_at(agencies))
    found = connection.execute(counted.group_by(tasks.c.agency))
    return {row.agency: row[1] for row in found}


def left_at(connection: sa.Connection, agencies: Sequence[str], after: str) -> list[str]:
    """Up to `BATCH` dossiers with a result and an open task there, that follow on this code."""
    query = (
        sa.select(tasks.c.dossier)
        .join(cases, cases.c.dossier == tasks.c.dossier)
        .where(*_open_at(agencies), cases.c.state == "resolved", tasks.c.dossier > after)
        .distinct()
        .order_by(tasks.c.dossier)
    )
    return list(connection.execute(query.limit(BATCH)).scalars())


def _open_at(agencies: Sequence[str]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        tasks.c.agency.in_(agencies),
        tasks.c.state.in_(OPEN_STATES),
        tasks.c.kind == "task",
    )
