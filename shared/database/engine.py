"""Engines for SQLite and PostgreSQL, and the reading of their errors.

The one place that knows what each database calls "away" or "in each other's way".
"""

from __future__ import annotations

import logging
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.pool import StaticPool

from shared.kernel.errors import DatabaseAway, Transient

BUSY_MS: Final = 10_000
# Every connection of the embedded city keeps pages and statements of its own; a dozen of them
# with SQLite's own 2 MB of pages are enough: what they miss lies in the system's cache.
CACHED_KB: Final = 2000
CACHED_STATEMENTS: Final = 48
# Marks a connection that only reads: on SQLite it must not ask for the writer's lock.
READ_ONLY: Final = "lienthong_read_only"
# Marks a connection for single questions: on PostgreSQL they need no transaction.
ALONE: Final = "lienthong_alone"
_WRITER: Final = "lienthong_writer"

_AWAY_CLASSES = ("08", "53", "57P", "58")  # connection, resources, shutdown, system error
_CONTENTION = ("40001", "40P01", "55P03")  # serialisation, deadlock, lock not available
_AWAY_SQLITE = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")


class Contention(Transient):
    """Two writers stood in each other's way; trying again at once is right."""


def make_engine(url: str) -> sa.Engine:
    """An engine for a service's database; nothing connects until it is used.

    SQLite: WAL, synchronous FULL, BEGIN IMMEDIATE for writers, one writer at a time in this
    process. PostgreSQL (psycopg 3): READ COMMITTED from a pool.
    """
    parsed = sa.make_url(url)
    return _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgres(parsed)


def _postgres(url: sa.URL) -> sa.Engine:
    from shared.database.pipeline import Connection, Cursor, begin

    # A pipeline warns of the errors it passes over, in the server's words, which may quote a row.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    engine = sa.create_engine(
        url,
        pool_size=10,
        max_overflow=20,
        pool_use_lifo=True,
        pool_timeout=10,
        json_serializer=_json,
        connect_args={
            "connect_timeout": 5,
            "application_name": "lienthong",
            "cursor_factory": Cursor,
            "autocommit": True,  # BEGIN is said by pipeline.py
            "keepalives_idle": 30,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        },
    )
    sa.event.listen(
        engine, "do_connect", lambda _d, _r, args, opts: Connection.connect(*args, **opts)
    )
    sa.event.listen(engine, "connect", _prepare_postgres)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        if not options.get(ALONE, False):
            begin(connection, b"BEGIN READ ONLY" if options.get(READ_ONLY, False) else b"BEGIN")

    return engine


def _prepare_postgres(connection: Any, _: object) -> None:
    # Arrays as text are quoted letter by letter, which was a sixth of a consumer's work.
    from psycopg.types.array import ListBinaryDumper

    connection.adapters.register_dumper(list, ListBinaryDumper)


def writer_lock(engine: sa.Engine) -> AbstractContextManager[Any]:
    """What a writer must hold while its transaction is open: a lock on SQLite, else nothing."""
    lock: AbstractContextManager[Any] | None = engine.get_execution_options().get(_WRITER)
    return lock if lock is not None else nullcontext()


def translate(error: BaseException) -> Transient | None:
    """DatabaseAway or Contention where a database error means that; None for all others.

    The message of the driver is not passed on: it may quote a row.
    """
    if isinstance(error, exc.TimeoutError):
        return DatabaseAway("no database connection became free in time")
    if not isinstance(error, exc.DBAPIError):
        return None
    if error.connection_invalidated:
        return DatabaseAway("the database connection broke off")
    name = getattr(error.orig, "sqlite_errorname", None)
    return _of_postgres(error) if name is None else _of_sqlite(str(name))


def _of_postgres(error: exc.DBAPIError) -> Transient | None:
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        lost = isinstance(error, (exc.OperationalError, exc.InterfaceError))
        return DatabaseAway("the database cannot be reached") if lost else None
    if state in _CONTENTION:
        return Contention("two writers stood in each other's way")
    if state.startswith(_AWAY_CLASSES):
        return DatabaseAway("the database is shutting down or out of resources")
    return None


def _of_sqlite(name: str) -> Transient | None:
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Contention("another process holds the database")
    if name.startswith(_AWAY_SQLITE):
        return DatabaseAway("the database file cannot be written")
    return None


def _json(value: object) -> str:
    # SQLite's JSON functions do not find keys that were written as \u escapes.
    return msgspec.json.encode(value).decode()


def _sqlite(url: sa.URL) -> sa.Engine:
    in_memory = url.database in (None, "", ":memory:")
    # isolation_level None: the driver must not begin or commit on its own.
    options: dict[str, Any] = {
        "connect_args": {
            "isolation_level": None,
            "timeout": BUSY_MS / 1000,
            "cached_statements": CACHED_STATEMENTS,
        },
        "json_serializer": _json,
    }
    if in_memory:  # one connection for all, as each new one would be an empty database
        options["poolclass"] = StaticPool
        options["connect_args"]["check_same_thread"] = False
    else:
        # The connection used last has the pages that are wanted next.
        options |= {"pool_size": 10, "max_overflow": 20, "pool_timeout": 30, "pool_use_lifo": True}
    engine = sa.create_engine(url, **options)
    engine.update_execution_options(**{_WRITER: threading.RLock()})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.execute(f"PRAGMA cache_size=-{CACHED_KB}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A deferred BEGIN that later writes can fail at once with "busy", without any waiting.
    reading = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
