"""The daily counter of each office's dossier codes."""

from __future__ import annotations

from datetime import date
from typing import Final

import sqlalchemy as sa

from shared.database import batch

_DAY: Final = {"postgresql": "CAST(:day AS date)", "sqlite": ":day"}
_NEXT: Final = {
    dialect: sa.text(
        f"INSERT INTO counters AS c (agency_id, day, last) VALUES (:agency_id, {day}, 1)"  # noqa: S608
        " ON CONFLICT (agency_id, day) DO UPDATE SET last = c.last + 1 RETURNING last"
    )
    for dialect, day in _DAY.items()
}


def next_number(connection: sa.Connection, agency_id: str, day: date) -> int:
    """Count one up and return it, from 1 each local day.

    The row stays locked until the unit commits and falls back with a rollback: numbers can neither
    repeat nor skip.
    """
    asked = {"agency_id": agency_id, "day": day.isoformat()}
    (rows,) = batch.query(connection, (_NEXT[connection.dialect.name], asked))
    return int(rows[0][0])
