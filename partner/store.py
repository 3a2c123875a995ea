"""The agency's own file: one SQLite database, all or nothing, and whatever is wrong with it said.

A message is kept here before it is acknowledged; it counts as handled in the same transaction that
keeps the answers made while handling it. So a crash repeats nothing and loses nothing. The file
holds citizens' data.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from partner import schema
from partner.errors import StoreTrouble
from partner.transport import Now, utc_now

PATIENCE = 30.0  # seconds; how long another process of ours may hold the file


class Store:
    """The file; used by one thread, and by several processes if need be.

    Its errors leave as StoreTrouble where the file is in trouble (disk full, locked, damaged).
    """

    def __init__(self, path: str | Path, now: Now = utc_now) -> None:
        self.now = now
        self._inside = False
        with _told():
            if str(path) != ":memory:":
                Path(path).touch(mode=0o600)  # it holds citizens' data
            self._connection = sqlite3.connect(str(path), isolation_level=None, timeout=PATIENCE)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            schema.prepare(self._connection)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another transaction it joins that one."""
        if self._inside:
            yield
            return
        self.do("BEGIN IMMEDIATE")
        self._inside = True
        try:
            yield
            self.do("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk may have ended it already
                self._connection.execute("ROLLBACK")
            raise
        finally:
            self._inside = False

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part of a transaction that may fail without the rest."""
        self.do("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO attempt")
            raise
        finally:
            if self._connection.in_transaction:
                self._connection.execute("RELEASE attempt")

    def probe(self) -> None:
        """StoreTrouble where nothing can be written now."""
        with self.transaction():
            self.do(f"PRAGMA user_version = {schema.VERSION}")

    def do(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Run one statement."""
        with _told():
            return self._connection.execute(statement, values)

    def all(self, query: str, *values: object) -> Sequence[Any]:
        """The rows of a query."""
        with _told():
            return self._connection.execute(query, values).fetchall()

    def one(self, query: str, *values: object) -> Any:
        """The first row of a query, or None."""
        with _told():
            return self._connection.execute(query, values).fetchone()

    def when(self, at: datetime | None = None) -> str:
        """An instant, mostly the present one, as it is written in rows: UTC, whole seconds."""
        return (at or self.now()).astimezone(UTC).isoformat(timespec="seconds")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as wrong:
        if type(wrong) not in (sqlite3.OperationalError, sqlite3.DatabaseError):
            raise  # a value that does not fit: the file is well
        raise StoreTrouble(
            f"our own store cannot be used ({wrong}): make room, or look who holds it",
            f"không dùng được tệp lưu của đơn vị ({wrong}): hãy dọn chỗ trống hoặc xem ai đang giữ",
        ) from wrong
