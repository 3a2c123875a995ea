"""Many rows in one statement, on both databases; nothing here knows what the rows mean.

PostgreSQL gets one parameter (one text to plan, whatever the size of the batch): a JSON text is
made and read far quicker than a statement for each row. SQLite goes row by row: it has no trips
to save.
"""

# ruff: noqa: S608 - only names of our own tables and columns are put together

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from shared.database.saying import tell

Row = Mapping[str, Any]


def fetch(
    connection: sa.Connection,
    table: sa.Table,
    column: sa.Column[Any],
    keys: Iterable[str],
    *,
    lock: bool = False,
) -> Sequence[Any]:
    """The rows whose text column is one of these keys, in the order of the sorted keys.

    With `lock` PostgreSQL locks them in that order; SQLite has one writer anyway.
    """
    wanted = sorted(set(keys))
    if connection.dialect.name == "sqlite":
        given: Any = json.dumps(wanted, ensure_ascii=False)
        query = _fetch_on_sqlite(table, column.name)
    else:
        given = wanted
        query = _fetch_on_postgres(table, column.name, lock=lock)
    return connection.execute(query, {"keys": given}).all()


def insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """New rows; all with the same columns."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(table.insert(), list(rows))
    else:
        _write(connection, _insert(table, tuple(rows[0]), connection.dialect), rows)


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """New rows, in the place of those that have the same primary key."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(_upsert_on_sqlite(table, tuple(rows[0])), list(rows))
    else:
        _write(connection, _upsert(table, tuple(rows[0]), connection.dialect), rows)


def update(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Write these columns of the rows that have the same primary key."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        keys = _keys(table)
        named = [
            {(f"old_{name}" if name in keys else name): value for name, value in row.items()}
            for row in rows
        ]
        connection.execute(_update_on_sqlite(table), named)
    else:
        _write(connection, _update(table, tuple(rows[0]), connection.dialect), rows)


def _keys(table: sa.Table) -> list[str]:
    return [column.name for column in table.primary_key]


def _others(table: sa.Table, names: Sequence[str]) -> list[str]:
    return [name for name in names if not table.c[name].primary_key]


# --- SQLite's statements ------------------------------------------------------------------------


@cache
def _fetch_on_sqlite(table: sa.Table, name: str) -> Any:
    column = table.c[name]
    each = sa.func.json_each(sa.bindparam("keys", type_=sa.Text)).table_valued("value")
    return sa.select(table).where(column.in_(sa.select(each.c.value))).order_by(column)


@cache
def _upsert_on_sqlite(table: sa.Table, names: tuple[str, ...]) -> Any:
    made = sqlite.insert(table)
    others = {name: made.excluded[name] for name in _others(table, names)}
    return made.on_conflict_do_update(index_elements=_keys(table), set_=others)


@cache
def _update_on_sqlite(table: sa.Table) -> Any:
    return table.update().where(*(table.c[k] == sa.bindparam(f"old_{k}") for k in _keys(table)))


# --- PostgreSQL's statements, each made once ----------------------------------------------------


def _write(connection: sa.Connection, statement: sa.TextClause, rows: Sequence[Row]) -> None:
    tell(connection, statement, {"rows": _json(rows)})


def _plain(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is no value of a row")


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode


@cache
def _fetch_on_postgres(table: sa.Table, name: str, *, lock: bool) -> Any:
    """LATERAL keeps it an index look-up even in a plan that was made while the table was empty."""
    names = ", ".join(f"t.{each.name}" for each in table.columns)
    tail = "LIMIT 1 FOR UPDATE" if lock else "OFFSET 0"
    query = sa.text(
        f"SELECT {names} FROM unnest(CAST(:keys AS text[])) AS k(key) CROSS JOIN LATERAL "
        f"(SELECT * FROM {table.name} WHERE {name} = k.key {tail}) AS t"
    )
    return query.columns(*table.columns)


@cache
def _insert(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> sa.TextClause:
    return sa.text(_insert_text(table, names, dialect))


@cache
def _upsert(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> sa.TextClause:
    changes = ", ".join(f"{name} = excluded.{name}" for name in _others(table, names))
    conflict = f" ON CONFLICT ({', '.join(_keys(table))}) DO UPDATE SET {changes}"
    return sa.text(_insert_text(table, names, dialect) + conflict)


@cache
def _update(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> sa.TextClause:
    changes = ", ".join(f"{name} = n.{name}" for name in _others(table, names))
    same = " AND ".join(f"t.{key} = n.{key}" for key in _keys(table))
    source = _from(table, names, dialect)
    return sa.text(f"UPDATE {table.name} AS t SET {changes} {source} WHERE {same}")


def _insert_text(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> str:
    listed = ", ".join(names)
    source = _from(table, names, dialect)
    return f"INSERT INTO {table.name} ({listed}) SELECT {listed} {source}"


def _from(table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect) -> str:
    columns = ", ".join(f"{name} {table.c[name].type.compile(dialect)}" for name in names)
    return f"FROM json_to_recordset(CAST(:rows AS json)) AS n({columns})"
