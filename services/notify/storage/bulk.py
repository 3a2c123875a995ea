"""Many rows in one statement: on PostgreSQL as arrays, one per column, which travel and are read
far quicker than one statement for each row; on SQLite row by row, which costs no trip there.
"""

# ruff: noqa: S608 - only names of tables and columns are put together

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from shared.store.types import Instant

Row = Mapping[str, Any]


def among(
    connection: sa.Connection, column: sa.Column[str], values: Sequence[str]
) -> sa.ColumnElement[bool]:
    """Whether the column is one of these; on PostgreSQL one statement for any number of them."""
    if not _arrays(connection):
        return column.in_(values)
    listed = sa.bindparam("among", list(values), postgresql.ARRAY(sa.Text), unique=True)
    return column == sa.any_(listed)


def insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """New rows; all with the same columns."""
    if _arrays(connection):
        _send(connection, _insert(table, tuple(rows[0])), table, rows)
    else:
        connection.execute(table.insert(), list(rows))


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """New rows, in the place of those that have the same primary key."""
    if _arrays(connection):
        _send(connection, _upsert(table, tuple(rows[0])), table, rows)
        return
    made = sqlite.insert(table)
    others = {name: made.excluded[name] for name in _others(table, tuple(rows[0]))}
    keys = [column.name for column in table.primary_key]
    connection.execute(made.on_conflict_do_update(index_elements=keys, set_=others), list(rows))


def update(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Write these columns of the rows that have the same primary key."""
    if _arrays(connection):
        _send(connection, _update(table, tuple(rows[0])), table, rows)
        return
    which = [column.name for column in table.primary_key]
    made = table.update().where(*(table.c[key] == sa.bindparam(f"old_{key}") for key in which))
    named = [
        {(f"old_{name}" if name in which else name): value for name, value in row.items()}
        for row in rows
    ]
    connection.execute(made, named)


def _arrays(connection: sa.Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _send(
    connection: sa.Connection, statement: sa.TextClause, table: sa.Table, rows: Sequence[Row]
) -> None:
    columns: dict[str, list[Any]] = {}
    for name in rows[0]:
        written = _writer(table.c[name].type)
        values = [row[name] for row in rows]
        columns[name] = [written(value) for value in values] if written else values
    connection.execute(statement, columns)


def _writer(kind: sa.types.TypeEngine[Any]) -> Callable[[Any], Any] | None:
    if isinstance(kind, sa.JSON):
        return lambda value: None if value is None else json.dumps(value, ensure_ascii=False)
    return None


def _others(table: sa.Table, names: Sequence[str]) -> list[str]:
    return [name for name in names if not table.c[name].primary_key]


# --- PostgreSQL's statements, each made once ----------------------------------------------------


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
    changes = ", ".join(f"{name} = {_read(table, name)}" for name in _others(table, names))
    same = " AND ".join(f"t.{key.name} = n.{key.name}" for key in table.primary_key)
    return sa.text(f"UPDATE {table.name} AS t SET {changes} {_from(table, names)} WHERE {same}")


def _insert_text(table: sa.Table, names: tuple[str, ...]) -> str:
    read = ", ".join(_read(table, name) for name in names)
    return f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {read} {_from(table, names)}"


def _from(table: sa.Table, names: tuple[str, ...]) -> str:
    arrays = ", ".join(f"CAST(:{name} AS {_word(table, name)}[])" for name in names)
    return f"FROM unnest({arrays}) AS n({', '.join(names)})"


def _read(table: sa.Table, name: str) -> str:
    # An array of JSON would need a cast of each of its values on our side.
    return f"CAST(n.{name} AS jsonb)" if isinstance(table.c[name].type, sa.JSON) else f"n.{name}"


def _word(table: sa.Table, name: str) -> str:
    kind = table.c[name].type
    if isinstance(kind, Instant):
        return "timestamptz"
    words = {sa.Integer: "integer", sa.Boolean: "boolean"}
    return next((word for each, word in words.items() if isinstance(kind, each)), "text")
