"""How much waits in the ledgers and since when; for health doors, metrics and operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from shared.store.ledgers import PARKED, RETRY, WAITING, Ledgers


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


def measure(connection: sa.Connection, ledgers: Ledgers) -> Depths:
    """Count what is not finished; each state has an index that holds only its own rows."""
    outbox, inbox = ledgers.outbox.c, ledgers.inbox.c
    unsent = connection.execute(
        sa.select(sa.func.count(), sa.func.min(outbox.made_at)).where(outbox.sent_at.is_(None))
    ).one()
    depths: dict[tuple[str, str], Depth] = {}
    for state in (WAITING, RETRY, PARKED):
        # Written out, not bound: only then may the partial index of this state be used.
        only = inbox.state == sa.literal_column(f"'{state}'")
        rows = connection.execute(
            sa.select(inbox.consumer, sa.func.count(), sa.func.min(inbox.received_at))
            .where(only)
            .group_by(inbox.consumer)
        )
        for consumer, count, oldest in rows:
            depths[consumer, state] = Depth(count, oldest)
    return Depths(Depth(unsent[0], unsent[1]), depths)
