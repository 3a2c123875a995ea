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


def among(connection: sa.Connection, column: sa.Column[Any], keys: Iterable[str]) -> Any:
    """The condition that a text column is one of these keys; one statement text for any number."""
    listed = json.dumps(list(keys), ensure_ascii=False)
    each = "json_each" if connection.dialect.name == "sqlite" else "json_array_elements_text"
    given: Any = sa.literal(listed, sa.Text)
    if connection.dialect.name != "sqlite":
        given = sa.cast(given, sa.JSON)
    values = getattr(sa.func, each)(given).table_valued("value")
    return column.in_(sa.select(values.c.value))


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
