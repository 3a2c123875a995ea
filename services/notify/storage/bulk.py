"""Many rows in one statement: on PostgreSQL as one JSON text, on SQLite row by row.

A text is made and read far quicker than a statement for each row; SQLite has no trips to save.
"""

# ruff: noqa: S608 - only names of tables and columns are put together

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from shared.store.types import Instant

Row = Mapping[str, Any]


def insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """New rows; all with the same columns."""
    if connection.dialect.name == "postgresql":
        connection.execute(_insert(table, tuple(rows[0])), {"rows": _written(rows)})
    else:
        connection.execute(table.insert(), list(rows))


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """New rows, in the place of those that have the same primary key."""
    if connection.dialect.name == "postgresql":
        connection.execute(_upsert(table, tuple(rows[0])), {"rows": _written(rows)})
        return
    made = sqlite.insert(table)
    others = {name: made.excluded[name] for name in _others(table, tuple(rows[0]))}
    keys = [column.name for column in table.primary_key]
    connection.execute(made.on_conflict_do_update(index_elements=keys, set_=others), list(rows))


def update(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Write these columns of the rows that have the same primary key."""
    if connection.dialect.name == "postgresql":
        connection.execute(_update(table, tuple(rows[0])), {"rows": _written(rows)})
        return
    which = [column.name for column in table.primary_key]
    made = table.update().where(*(table.c[key] == sa.bindparam(f"old_{key}") for key in which))
    named = [
        {(f"old_{name}" if name in which else name): value for name, value in row.items()}
        for row in rows
    ]
    connection.execute(made, named)


def _others(table: sa.Table, names: Sequence[str]) -> list[str]:
    return [name for name in names if not table.c[name].primary_key]


# --- PostgreSQL's statements, each made once ----------------------------------------------------


def _instant(value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} is no value of a row")


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_instant).encode


def _written(rows: Sequence[Row]) -> str:
    return _json(rows)


@cache
def _insert(table: sa.Table, names: tuple[str, ...]) -> sa.TextClause:
    return sa.text(_insert_text(table, names))


@cache
def _upsert(table: sa.Table, names: tuple[str, ...]) -> sa.TextClause:
    keys = ", ".join(column.name for column in table.primary_key)
    changes = ", ".join(f"{name} = excluded.{name}" for name in _others(table, names))
    conflict = f" ON CONFLICT ({keys}) DO UPDATE SET {changes}"
    return sa.text(_insert_text(table, names) + conflict)


@cache
def _update(table: sa.Table, names: tuple[str, ...]) -> sa.TextClause:
    changes = ", ".join(f"{name} = n.{name}" for name in _others(table, names))
    same = " AND ".join(f"t.{key.name} = n.{key.name}" for key in table.primary_key)
    return sa.text(f"UPDATE {table.name} AS t SET {changes} {_from(table, names)} WHERE {same}")


def _insert_text(table: sa.Table, names: tuple[str, ...]) -> str:
    listed = ", ".join(names)
    return f"INSERT INTO {table.name} ({listed}) SELECT {listed} {_from(table, names)}"


def _from(table: sa.Table, names: tuple[str, ...]) -> str:
    columns = ", ".join(f"{name} {_word(table, name)}" for name in names)
    return f"FROM json_to_recordset(CAST(:rows AS json)) AS n({columns})"


def _word(table: sa.Table, name: str) -> str:
    kind = table.c[name].type
    words = {
        Instant: "timestamptz",
        sa.Integer: "integer",
        sa.Boolean: "boolean",
        sa.JSON: "jsonb",
    }
    return next((word for each, word in words.items() if isinstance(kind, each)), "text")
