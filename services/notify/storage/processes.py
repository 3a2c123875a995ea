"""Which processes send: a row for each that lives, counted up by itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from services.notify.storage.tables import processes
from shared.database import batch


def beat(connection: sa.Connection, name: str, beats: int, at: datetime) -> None:
    """Say that this process lives; `at` (UTC) is for people alone."""
    batch.upsert(connection, processes, [{"name": name, "beats": beats, "beat_at": at}])


def beats(connection: sa.Connection) -> dict[str, int]:
    """How often each process has said so."""
    return {row.name: row.beats for row in connection.execute(sa.select(processes))}


def lives(connection: sa.Connection, name: str) -> bool:
    """Whether nobody has taken this process for dead, and it has not left."""
    found = sa.select(processes.c.name).where(processes.c.name == name)
    return connection.scalar(found) is not None


def remove(connection: sa.Connection, names: Iterable[str]) -> None:
    """These have left, or are dead."""
    connection.execute(sa.delete(processes).where(processes.c.name.in_(list(names))))
