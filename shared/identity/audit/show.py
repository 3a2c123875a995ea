"""Reading the access log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from shared.identity.audit.tables import LOG


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose acts, on what, from when on (UTC); None for all."""

    actor: str | None = None
    thing: str | None = None
    since: datetime | None = None


def find(connection: sa.Connection, wanted: Wanted, limit: int) -> Sequence[Any]:
    """The acts that are wanted, the newest first."""
    query = sa.select(LOG).order_by(LOG.c.position.desc()).limit(limit)
    if wanted.actor is not None:
        query = query.where(LOG.c.actor == wanted.actor)
    if wanted.since is not None:
        query = query.where(LOG.c.at >= wanted.since)
    if wanted.thing is not None:
        spaced = sa.literal(" ") + LOG.c.things + sa.literal(" ")
        query = query.where(spaced.contains(f" {wanted.thing} ", autoescape=True))
    return connection.execute(query).all()
