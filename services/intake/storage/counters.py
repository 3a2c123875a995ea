"""The daily counter of each office's dossier codes."""

from __future__ import annotations

from datetime import date
from typing import Final

import sqlalchemy as sa

from shared.database import batch

_COUNT: Final = (
    "INSERT INTO counters AS c (agency_id, day, last) SELECT :agency_id, {day}, 1"
    " WHERE {allowed} ON CONFLICT (agency_id, day) DO UPDATE SET last = c.last + 1"
    " RETURNING last"
)
_IN_FORCE: Final = "EXISTS (SELECT 1 FROM api_keys WHERE id = :key_id AND revoked_at IS NULL)"
_DAY: Final = {"postgresql": "CAST(:day AS date)", "sqlite": ":day"}


def _statement(dialect: str, allowed: str) -> sa.TextClause:
    return sa.text(_COUNT.format(day=_DAY[dialect], allowed=allowed))


_NEXT: Final = {dialect: _statement(dialect, "true") for dialect in _DAY}
_NEXT_FOR: Final = {dialect: _statement(dialect, _IN_FORCE) for dialect in _DAY}


def next_number(
    connection: sa.Connection, agency_id: str, day: date, *, key_id: str | None = None
) -> int | None:
    """Count one up and return it, from 1 each local day; None where `key_id` has been revoked.

    The row stays locked until the unit commits and falls back with a rollback: numbers can neither
    repeat nor skip. The key is asked for in the same statement, so that it costs no trip.
    """
    statements = _NEXT if key_id is None else _NEXT_FOR
    asked = {"agency_id": agency_id, "day": day.isoformat()}
    if key_id is not None:
        asked["key_id"] = key_id
    (rows,) = batch.query(connection, (statements[connection.dialect.name], asked))
    return int(rows[0][0]) if rows else None
