"""What routing knows of one person: the fields that steps share, shown and erased. No contacts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from services.routing.storage import clearing, evidence
from services.routing.storage.tables import cases, tasks
from shared.database import UnitOfWork
from shared.events.forms import without_forms
from shared.kernel.clock import format_instant
from shared.messaging.erasing import change_bodies
from shared.messaging.tables import LEDGERS


def known(connection: sa.Connection, code: str) -> dict[str, Any] | None:
    """All that routing has of a dossier; None where there is none."""
    form = connection.execute(
        sa.select(cases.c.form, cases.c.state).where(cases.c.dossier == code)
    ).one_or_none()
    if form is None:
        return None
    asked = (
        sa.select(tasks.c.agency, tasks.c.step, tasks.c.state, tasks.c.opened_at, tasks.c.outcome)
        .where(tasks.c.dossier == code)
        .order_by(tasks.c.opened_at, tasks.c.id)
    )
    return {
        "dossier": code,
        "state": form.state,
        "form": dict(form.form),
        "tasks": [
            {**row._mapping, "opened_at": format_instant(row.opened_at)}  # noqa: SLF001 - SQLAlchemy's name
            for row in connection.execute(asked)
        ],
    }


def may_go(connection: sa.Connection, codes: Sequence[str]) -> set[str]:
    """Which of these no agency works on any more."""
    asked = sa.select(cases.c.dossier).where(
        cases.c.dossier.in_(codes), cases.c.closed_at.is_(None)
    )
    return set(codes) - set(connection.scalars(asked))


def erase(uow: UnitOfWork, codes: Sequence[str], _who: str) -> int:
    """Empty the forms of closed cases and of the messages about them; how many there were.

    The messages stay under their numbers: agencies ask for them from any number on.
    """
    connection = uow.connection
    of_tasks = list(connection.scalars(sa.select(tasks.c.id).where(tasks.c.dossier.in_(codes))))
    subjects = [*codes, *of_tasks]
    count = clearing.empty_forms(connection, codes)
    for table in (LEDGERS.inbox, LEDGERS.outbox):
        count += change_bodies(connection, table, subjects, without_forms)
    evidence.forget_about(connection, of_tasks)
    return count
