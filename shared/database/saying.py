"""Statements that save a wait on PostgreSQL (`trips`), and are simply run on SQLite.

Storage rooms import this and not `trips`: that one brings PostgreSQL's driver with it, 10 MB which
a city on SQLite never needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa


def tell(connection: sa.Connection, statement: sa.Executable, *rows: Mapping[str, Any]) -> None:
    """Run a statement without rows for each of these; see `trips.tell`."""
    if connection.dialect.name == "sqlite":
        values = [dict(row) for row in rows]
        connection.execute(statement, values if len(values) > 1 else values[0])
        return
    from shared.database import trips

    trips.tell(connection, statement, *rows)


def ask_all(
    connection: sa.Connection, steps: Sequence[tuple[sa.TextClause, Mapping[str, Any]]]
) -> list[list[Any]]:
    """Run these one after the other; the rows of each. See `trips.ask_all`."""
    if connection.dialect.name == "sqlite":
        return [list(connection.execute(text, dict(asked))) for text, asked in steps]
    from shared.database import trips

    return trips.ask_all(connection, steps)
