"""PostgreSQL databases for tests: made as copies, washed and used again, dropped at the end.

To make a database costs a hundred times what it costs to empty one, so a test that ends gives its
own back. What it gets is as fresh: nobody else is connected, the structure is compared with a fresh
copy's, every row and every sequence is put back. Where any of that fails it is dropped. No test
lives here.
"""

from __future__ import annotations

import secrets
import time
import urllib.parse
from collections import defaultdict
from dataclasses import dataclass

import psycopg
from psycopg import sql

MOST_KEPT = 4
PATIENCE_SECONDS = 1.0  # a session ends a moment after its client has closed it

_OURS = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'"
_STRUCTURE = f"""
SELECT coalesce(string_agg(line, E'\\n' ORDER BY line), '') FROM (
  SELECT format('%s %s %s %s %s %s %s', n.nspname, c.relname, c.relkind, a.attname,
         format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) AS line
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE {_OURS}
  UNION ALL SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS}
  UNION ALL SELECT format('%s %s', k.conname, pg_get_constraintdef(k.oid)) FROM pg_constraint k
  JOIN pg_namespace n ON n.oid = k.connamespace WHERE {_OURS}
  UNION ALL SELECT pg_get_triggerdef(t.oid) || t.tgenabled::text FROM pg_trigger t WHERE NOT t.tgisinternal
  UNION ALL SELECT pg_get_functiondef(p.oid) FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_OURS}
  UNION ALL SELECT format('%s', s.setconfig) FROM pg_db_role_setting s
  JOIN pg_database b ON b.oid = s.setdatabase WHERE b.datname = current_database()
) AS everything
"""
_TABLES = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND {_OURS}
"""
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_SEQUENCES = "SELECT schemaname, sequencename, start_value, last_value FROM pg_sequences"

Table = tuple[str, str]


@dataclass(frozen=True)
class Fresh:
    """What a database looks like before a test had it."""

    structure: str
    rows: dict[Table, bytes]
    sequences: list[tuple[str, str, int, int | None]]


class Pool:
    """The databases of one session of tests; each is used by one test at a time."""

    def __init__(self, administrator: str) -> None:
        self._administrator = administrator
        self._free: dict[str | None, list[str]] = defaultdict(list)
        self._fresh: dict[str | None, Fresh] = {}

    def take(self, template: str | None) -> str:
        """A fresh database, a copy of `template` or empty; the caller gives it back."""
        if self._free[template]:
            return self._free[template].pop()
        name = f"lt_test_{secrets.token_hex(6)}"
        create_database(self._administrator, name, template)
        if template not in self._fresh:
            with self._connected(name) as connection:
                self._fresh[template] = _look(connection)
        return name

    def give_back(self, name: str, template: str | None) -> None:
        """Wash a database for the next test, or drop it where that cannot be done."""
        if len(self._free[template]) < MOST_KEPT and self._washed(name, template):
            self._free[template].append(name)
        else:
            drop_database(self._administrator, name)

    def close(self) -> None:
        """Drop what lies here."""
        for names in self._free.values():
            while names:
                drop_database(self._administrator, names.pop())

    def _washed(self, name: str, template: str | None) -> bool:
        fresh = self._fresh.get(template)
        if fresh is None:
            return False
        try:
            with self._connected(name) as connection:
                return _alone(connection) and _wash(connection, fresh, empty=template is None)
        except psycopg.Error:
            return False

    def _connected(self, name: str) -> psycopg.Connection:
        return psycopg.connect(_plain(database_url(self._administrator, name)))


def _look(connection: psycopg.Connection) -> Fresh:
    rows = {table: _dump(connection, table) for table in _filled(connection)}
    return Fresh(_structure(connection), rows, _sequences(connection))


def _alone(connection: psycopg.Connection) -> bool:
    """Whether nobody else is in this database, or is gone soon: who stays might still write."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = connection.execute(_OTHERS).fetchone()
        connection.rollback()  # the next look must not see what this one saw
        if found == (0,):
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.01)


def _wash(connection: psycopg.Connection, fresh: Fresh, *, empty: bool) -> bool:
    """Put every row and sequence back as it was; False where the structure is another one."""
    if empty:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    if _structure(connection) != fresh.structure:
        return False
    connection.execute(
        "SET LOCAL session_replication_role = replica"
    )  # no foreign keys, no triggers
    for table in _filled(connection):
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(*table)))
    for table, content in fresh.rows.items():
        query = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(*table))
        with connection.cursor().copy(query) as copy:
            copy.write(content)
    for schema, name, start, last in fresh.sequences:
        told = (sql.Identifier(schema, name).as_string(connection), last or start, last is not None)
        connection.execute("SELECT setval(%s::regclass, %s, %s)", told)
    connection.commit()
    return True


def _structure(connection: psycopg.Connection) -> str:
    found = connection.execute(_STRUCTURE).fetchone()  # type: ignore[arg-type]
    assert found is not None
    return str(found[0])


def _sequences(connection: psycopg.Connection) -> list[tuple[str, str, int, int | None]]:
    return [tuple(row) for row in connection.execute(_SEQUENCES)]  # type: ignore[misc]


def _filled(connection: psycopg.Connection) -> list[Table]:
    """The tables that hold a row."""
    tables = [(row[0], row[1]) for row in connection.execute(_TABLES)]  # type: ignore[arg-type]
    if not tables:
        return []
    looks = [sql.SQL("EXISTS (SELECT FROM {})").format(sql.Identifier(*table)) for table in tables]
    found = connection.execute(sql.SQL("SELECT {}").format(sql.SQL(", ").join(looks))).fetchone()
    assert found is not None
    return [table for table, filled in zip(tables, found, strict=True) if filled]


def _dump(connection: psycopg.Connection, table: Table) -> bytes:
    query = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(*table))
    with connection.cursor().copy(query) as copy:
        return b"".join(bytes(part) for part in copy)


def database_url(administrator: str, name: str) -> str:
    """The URL of one database beside the administrator's own."""
    parts = urllib.parse.urlsplit(administrator)
    return urllib.parse.urlunsplit(parts._replace(path=f"/{name}"))


def create_database(administrator: str, name: str, template: str | None = None) -> None:
    """Make a database, as a copy of `template` where one is named."""
    query = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(template or "template1")
    )
    _administer(administrator, query)


def drop_database(administrator: str, name: str) -> None:
    """Drop a database, cutting off whoever is still connected to it."""
    query = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    _administer(administrator, query)


def cut_off(administrator: str, name: str) -> None:
    """End every session in a database: one left open keeps it from being copied."""
    query = sql.SQL(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}"
    ).format(sql.Literal(name))
    _administer(administrator, query)


def _administer(administrator: str, query: sql.Composable) -> None:
    with psycopg.connect(_plain(administrator), autocommit=True) as connection:
        connection.execute(query)


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
