"""Many rows in one statement, on both databases.

PostgreSQL gets one JSON parameter (one text to plan whatever the size of the batch), SQLite
executemany. Nothing here knows what the rows mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

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


@lru_cache(maxsize=32)
def _fetch_on_sqlite(table: sa.Table, name: str) -> Any:
    column = table.c[name]
    each = sa.func.json_each(sa.bindparam("keys", type_=sa.Text)).table_valued("value")
    return sa.select(table).where(column.in_(sa.select(each.c.value))).order_by(column)


@lru_cache(maxsize=32)
def _fetch_on_postgres(table: sa.Table, name: str, *, lock: bool) -> Any:
    """LATERAL keeps it an index look-up even in a plan that was made while the table was empty."""
    names = ", ".join(f"t.{each.name}" for each in table.columns)
    tail = "LIMIT 1 FOR UPDATE" if lock else "OFFSET 0"
    # Only names of our own tables are put together here.
    query = sa.text(
        f"SELECT {names} FROM unnest(CAST(:keys AS text[])) AS k(key) CROSS JOIN LATERAL "  # noqa: S608
        f"(SELECT * FROM {table.name} WHERE {name} = k.key {tail}) AS t"
    )
    return query.columns(*table.columns)


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert these rows, or overwrite those that are there by primary key."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(_for_sqlite(table), rows)
        return
    text = json.dumps(rows, default=_plain, ensure_ascii=False)
    connection.execute(_for_postgres(table), {"rows": text})


@lru_cache(maxsize=16)
def _for_sqlite(table: sa.Table) -> Any:
    statement = sqlite_insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key},
    )


@lru_cache(maxsize=16)
def _for_postgres(table: sa.Table) -> sa.TextClause:
    names = ", ".join(column.name for column in table.columns)
    keys = ", ".join(column.name for column in table.primary_key.columns)
    changes = ", ".join(f"{c.name} = excluded.{c.name}" for c in table.columns if not c.primary_key)
    # Only names of our own tables are put together here.
    return sa.text(
        f"INSERT INTO {table.name} ({names}) SELECT {names} FROM "  # noqa: S608
        f"json_populate_recordset(CAST(NULL AS {table.name}), CAST(:rows AS json)) "
        f"ON CONFLICT ({keys}) DO UPDATE SET {changes}"
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no row value: {type(value).__name__}")
