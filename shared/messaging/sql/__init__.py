"""The statements on the ledgers, once for each database; `sql_of` gives those of a connection."""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa

from shared.messaging.sql.base import Asked, Found, Key, Known, Numbered, Sql, Unsent, Waiting

__all__ = [
    "Asked",
    "Found",
    "Key",
    "Known",
    "Numbered",
    "Sql",
    "Unsent",
    "Waiting",
    "sql_of",
]


def sql_of(connection: sa.Connection) -> Sql:
    """The ledgers' statements in the words of this connection's database."""
    return _named(connection.dialect.name)


@cache
def _named(dialect: str) -> Sql:
    # Only one of them is loaded: PostgreSQL's brings its driver, 10 MB that SQLite never needs.
    if dialect == "sqlite":
        from shared.messaging.sql.sqlite import SqliteSql

        return SqliteSql()
    from shared.messaging.sql.postgres import PostgresSql

    return PostgresSql()
