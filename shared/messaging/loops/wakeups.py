"""Signals across processes: on PostgreSQL a commit in one process wakes the relay of another.

One NOTIFY per commit would serialise commits and cost a fifth of the throughput, and each one wakes
every loop of the service. So one process sends a few at once and then one in `EVEN_SECONDS`. It
carries the names of the signals that the commits gave. A lost one costs no fact: loops look for
themselves now and then. On SQLite there is one process only, and the store's own signals do.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy.exc import SQLAlchemyError

from shared.database import Store
from shared.kernel.errors import DatabaseAway
from shared.messaging.loops.linger import Pace, Rests
from shared.messaging.loops.loop import Loop

#: How far apart notices are where commits keep coming; after a rest some go out at once.
EVEN_SECONDS: Final = 0.04
_PACE: Final = Pace(full=sys.maxsize, longest=EVEN_SECONDS, share=1.0, credit=0.25)


def notifiers(store: Store, service: str) -> list[Loop]:
    """What a process runs beside its doors so that its commits wake the service's loops."""
    return [Notifier(store, service)] if _shared(store) else []


def listeners(store: Store, service: str) -> list[Loop]:
    """What a process runs beside its loops so that commits of other processes wake them."""
    return [Listener(store, service)] if _shared(store) else []


def _shared(store: Store) -> bool:
    return store.engine.dialect.name == "postgresql"


class _Line:
    """A connection of its own, outside the pool, in autocommit; made at first use."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: psycopg.Connection[Any] | None = None

    @contextmanager
    def use(self) -> Iterator[tuple[psycopg.Connection[Any], bool]]:
        """The connection, and whether it is new; DatabaseAway closes it."""
        try:
            new = self._connection is None
            if self._connection is None:
                self._connection = self._open()
            yield self._connection, new
        except (psycopg.Error, SQLAlchemyError, OSError) as exc:
            self.close()
            raise DatabaseAway("the wake-up line to the database broke off") from exc

    def _open(self) -> psycopg.Connection[Any]:
        pooled = self._store.engine.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()
        if not isinstance(connection, psycopg.Connection):
            raise TypeError("wake-ups across processes need psycopg")
        connection.autocommit = True
        return connection

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Notifier:
    """Tells other processes of this one's commits; many that come together in one notice."""

    def __init__(self, store: Store, service: str) -> None:
        self.name = f"{service}.notifier"
        self._line = _Line(store)
        self._channel = _channel(service)
        self._news = threading.Event()
        self._commits = 0  # since the last notice; a lost count is only a lost count
        self._signals: set[str] = set()  # given since the last notice
        self._lock = threading.Lock()
        self._rests = Rests(_PACE)
        self._quiet_until = 0.0  # monotonic
        store.after_commit.append(self._note)

    def step(self, wait: float) -> int:
        """Send one notice if there was a commit since the last; tells of how many commits.

        It may be held back by some hundredths of a second, unless `wait` is 0: then the next call
        has it.
        """
        quiet = self._quiet_until - time.monotonic()
        if (quiet > 0 and not wait) or not self._news.wait(wait):
            return 0
        time.sleep(max(0.0, self._quiet_until - time.monotonic()))
        self._news.clear()
        with self._lock:
            told, self._commits = self._commits, 0
            names, self._signals = self._signals, set()
        try:
            with self._line.use() as (connection, _):
                connection.execute("SELECT pg_notify(%s, %s)", (self._channel, " ".join(names)))
        except DatabaseAway:
            self._note(names)
            raise
        now = time.monotonic()
        self._quiet_until = now + self._rests.after(1, EVEN_SECONDS, now)
        return max(1, told)

    def _note(self, signals: Collection[str]) -> None:
        with self._lock:
            self._commits += 1
            self._signals.update(signals)
        self._news.set()

    def next_due(self) -> datetime | None:
        """Never by the clock."""
        return None

    def wake(self) -> None:
        """Send one more, which harms nobody."""
        self._news.set()

    def close(self) -> None:
        self._line.close()


@contextmanager
def telling(store: Store, service: str) -> Iterator[None]:
    """What a command commits within this block is told at once: it runs no loop that would.

    A notice that cannot be sent is no failure of the command: loops look for themselves.
    """
    told = notifiers(store, service)

    def tell(_: Collection[str]) -> None:
        for each in told:
            with suppress(DatabaseAway):
                each.step(0.0)

    store.after_commit.append(tell)
    try:
        yield
    finally:
        for each in told:
            with suppress(DatabaseAway):
                each.step(EVEN_SECONDS)  # what came too soon after another
            each.close()


class Listener:
    """Signals the store when another process tells of a commit."""

    def __init__(self, store: Store, service: str) -> None:
        self.name = f"{service}.listener"
        self._store = store
        self._line = _Line(store)
        self._listen = sql.SQL("LISTEN {}").format(sql.Identifier(_channel(service)))

    def step(self, wait: float) -> int:
        """Wait up to `wait` s for word of a commit."""
        with self._line.use() as (connection, new):
            if new:
                connection.execute(self._listen)
                # What was committed while nobody listened was not heard.
                self._store.heard()
            notices = list(connection.notifies(timeout=wait, stop_after=1))
        for notice in notices:
            self._store.heard(notice.payload.split())
        return len(notices)

    def next_due(self) -> datetime | None:
        """Never by the clock."""
        return None

    def wake(self) -> None:
        """A waiting step ends by itself within its wait; there is nothing to look at sooner."""

    def close(self) -> None:
        self._line.close()


def _channel(service: str) -> str:
    return f"lienthong_{service}"
