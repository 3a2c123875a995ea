"""How much waits in the ledgers and since when; for health doors, metrics and operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from shared.database.types import Instant
from shared.messaging.tables import LEDGERS, PARKED, RETRY, WAITING


@dataclass(frozen=True, slots=True)
class Depth:
    """How many rows, and since when (UTC) the oldest is there; None where there is none."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Depths:
    """`inbox` is keyed by (consumer, state) for waiting, retry and parked; none means 0."""

    unsent: Depth
    inbox: dict[tuple[str, str], Depth]


# By its partial index each: on SQLite only when told so, else it walks the whole inbox.
_INBOX: Final = {
    state: {
        dialect: sa.text(
            f"SELECT consumer, count(*), min(received_at) AS oldest FROM inbox {hint}"  # noqa: S608
            f" WHERE state = '{state}' GROUP BY consumer ORDER BY consumer"
        ).columns(oldest=Instant())
        for dialect, hint in (("sqlite", f"INDEXED BY inbox_{state}"), ("postgresql", ""))
    }
    for state in (WAITING, RETRY, PARKED)
}


def measure(connection: sa.Connection) -> Depths:
    """Count what is not finished; each state has an index that holds only its own rows."""
    outbox = LEDGERS.outbox.c
    unsent = connection.execute(
        sa.select(sa.func.count(), sa.func.min(outbox.made_at)).where(outbox.sent_at.is_(None))
    ).one()
    depths = {
        (row[0], state): Depth(row[1], row[2])
        for state, texts in _INBOX.items()
        for row in connection.execute(texts[connection.dialect.name])
    }
    return Depths(Depth(unsent[0], unsent[1]), depths)
