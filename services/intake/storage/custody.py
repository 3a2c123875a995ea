"""Who looks after which dossier: an officer's opaque id beside the dossier's code."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.intake.storage.tables import custody, dossiers

_OPEN = dossiers.c.finished_at.is_(None)


def take(connection: sa.Connection, dossier: str, officer: str, now: datetime) -> None:
    """An officer took the dossier in and looks after it; whoever did before no longer does."""
    connection.execute(sa.delete(custody).where(custody.c.dossier == dossier))
    connection.execute(sa.insert(custody).values(dossier=dossier, officer=officer, since=now))


def of(connection: sa.Connection, dossier: str) -> str | None:
    """Who looks after a dossier; None where a programme took it in."""
    found = sa.select(custody.c.officer).where(custody.c.dossier == dossier)
    officer: str | None = connection.execute(found).scalar()
    return officer


def open_of(connection: sa.Connection, officer: str) -> list[Any]:
    """The unfinished dossiers that an officer looks after: code and office."""
    found = (
        sa.select(dossiers.c.code, dossiers.c.office)
        .join(custody, custody.c.dossier == dossiers.c.code)
        .where(custody.c.officer == officer, _OPEN)
        .order_by(dossiers.c.code)
    )
    return list(connection.execute(found))


def open_counts(connection: sa.Connection, office: str) -> dict[str, int]:
    """How many unfinished dossiers of an office each officer looks after."""
    counted = (
        sa.select(custody.c.officer, sa.func.count())
        .join(dossiers, custody.c.dossier == dossiers.c.code)
        .where(dossiers.c.office == office, _OPEN)
        .group_by(custody.c.officer)
    )
    return {officer: int(count) for officer, count in connection.execute(counted)}


def hand_over(
    connection: sa.Connection, given: str, taker: str, now: datetime, *, office: str | None = None
) -> list[str]:
    """Put the unfinished dossiers of one officer (of one office) into another's care; their codes."""
    codes = [row.code for row in open_of(connection, given) if office in (None, row.office)]
    for start in range(0, len(codes), 500):
        part = codes[start : start + 500]
        connection.execute(
            sa.update(custody).where(custody.c.dossier.in_(part)).values(officer=taker, since=now)
        )
    return codes
