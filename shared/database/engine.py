"""Engines for SQLite and PostgreSQL: how sessions begin, and how long anything is waited for.

A host that vanishes says nothing more, so no wait here is without an end (`Limits`).
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from shared.database.trouble import Contention

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
# When either side asks whether the other still lives: seconds of silence, between two asks, asks.
_KEEPALIVE: Final = {"idle": 10, "interval": 5, "count": 3}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a database is waited for, in seconds.

    `answer` is the longest wait for one answer, whatever lies between us and the server; `vanish`
    that for a sign of life of the other host. The server itself gives a statement up after
    `statement`, its wait for a lock after `lock`, and a session that leaves a transaction open
    without a word after `idle`.
    """

    connect: float = 5
    pool: float = 5
    answer: float = 20
    statement: float = 15
    lock: float = 10
    idle: float = 60
    vanish: float = 10


def make_engine(url: str, limits: Limits | None = None) -> sa.Engine:
    """An engine for a service's database; nothing connects until it is used.

    SQLite: WAL, synchronous FULL, BEGIN IMMEDIATE for writers, one writer at a time in this
    process. PostgreSQL (psycopg 3): READ COMMITTED from a pool; of several hosts in the URL
    with `target_session_attrs=read-write` the one that takes writes.
    """
    parsed, held = sa.make_url(url), limits or Limits()
    sqlite = parsed.get_backend_name() == "sqlite"
    return _sqlite(parsed, held) if sqlite else _postgres(parsed, held)


def _postgres(url: sa.URL, limits: Limits) -> sa.Engine:
    from shared.database.pipeline import Connection, begin

    # A pipeline warns of the errors it passes over, in the server's words, which may quote a row.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    engine = sa.create_engine(
        url,
        pool_size=10,
        max_overflow=20,
        pool_use_lifo=True,
        pool_timeout=limits.pool,
        json_serializer=_json,
        connect_args=_connect_args(url, limits),
    )
    sa.event.listen(
        engine, "do_connect", lambda _d, _r, args, opts: Connection.connect(*args, **opts)
    )
    sa.event.listen(engine, "connect", lambda made, _: _prepare_postgres(made, limits))

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        if not options.get(ALONE, False):
            begin(connection, b"BEGIN READ ONLY" if options.get(READ_ONLY, False) else b"BEGIN")

    return engine


def _connect_args(url: sa.URL, limits: Limits) -> dict[str, Any]:
    from shared.database.pipeline import Cursor

    told = {
        "connect_timeout": math.ceil(limits.connect),
        "application_name": "lienthong",
        "tcp_user_timeout": round(limits.vanish * 1000),
        **{f"keepalives_{name}": value for name, value in _KEEPALIVE.items()},
    }
    # What the operator wrote into the URL goes before.
    args: dict[str, Any] = {name: told[name] for name in told if name not in url.query}
    return args | {"cursor_factory": Cursor, "autocommit": True}  # BEGIN is said by pipeline.py


def _prepare_postgres(connection: Any, limits: Limits) -> None:
    # Arrays as text are quoted letter by letter, which was a sixth of a consumer's work.
    from psycopg.types.array import ListBinaryDumper

    connection.patience = limits.answer
    connection.adapters.register_dumper(list, ListBinaryDumper)
    # Said here and not in the connection string: a pooler between us and the server takes it so.
    told = {
        "statement_timeout": f"{limits.statement}s",
        "lock_timeout": f"{limits.lock}s",
        "idle_in_transaction_session_timeout": f"{limits.idle}s",
        "tcp_user_timeout": f"{limits.vanish}s",
        **{f"tcp_keepalives_{name}": str(value) for name, value in _KEEPALIVE.items()},
    }
    each = ", ".join(["set_config(%s, %s, false)"] * len(told))
    connection.execute(f"SELECT {each}", [word for pair in told.items() for word in pair])


@contextmanager
def unhurried(connection: sa.Connection) -> Iterator[None]:
    """Without limits for the length of one transaction: a migration takes the time it takes."""
    if connection.dialect.name == "sqlite":
        yield
        return
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {name} = 0")
    driver: Any = connection.connection.driver_connection
    patience, driver.patience = driver.patience, None
    try:
        yield
    finally:
        driver.patience = patience


@contextmanager
def writer_lock(engine: sa.Engine) -> Iterator[None]:
    """What a writer must hold while its transaction is open: a lock on SQLite, else nothing.

    Contention where another thread held it for too long.
    """
    lock: threading.RLock | None = engine.get_execution_options().get(_WRITER)
    if lock is None:
        yield
        return
    if not lock.acquire(timeout=BUSY_MS / 1000):
        raise Contention("another thread holds the database")
    try:
        yield
    finally:
        lock.release()


def _json(value: object) -> str:
    # SQLite's JSON functions do not find keys that were written as \u escapes.
    return msgspec.json.encode(value).decode()


def _sqlite(url: sa.URL, limits: Limits) -> sa.Engine:
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
        options |= {"pool_size": 10, "max_overflow": 20, "pool_use_lifo": True}
        options["pool_timeout"] = limits.pool
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
