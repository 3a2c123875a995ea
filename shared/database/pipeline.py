"""PostgreSQL's pipeline through psycopg's public door: what needs no answer travels with what does.

BEGIN goes with the first statement of a transaction. While a unit of work ends (`deferring`) a
statement that `execute` is given goes with the next query, or with the COMMIT; an error of it then
comes up there. Only loaded where there is a PostgreSQL: it brings the driver with it. Storage
rooms speak to `batch`, never to this.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any, Final, NamedTuple, cast

import psycopg
import sqlalchemy as sa

from shared.database.sealing import Kept

#: Statements of one connection that the server keeps parsed, each from its second use on.
MOST_PREPARED: Final = 200
_INTERVAL: Final = 0.1  # seconds between looks for Ctrl-C, as psycopg's own


class Statement(NamedTuple):
    """A statement in PostgreSQL's own writing ($1, $2 …) with its values."""

    text: bytes
    values: Sequence[Any]


class Connection(psycopg.Connection[Any]):
    """A connection of ours: to psycopg in autocommit, as BEGIN is said here.

    psycopg would wait for its own BEGIN before it sends anything else, even in a pipeline.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.server_cursor_factory = ServerCursor
        self.prepare_threshold = 1
        self.patience: float | None = None  # seconds for one answer; None: without an end
        self.prepared_max = MOST_PREPARED
        self.opening: bytes | None = None  # a BEGIN that is not sent yet
        self.deferred: list[Statement] = []  # what waits for company
        self.defers = False  # whether anything may wait

    def wait(self, gen: Any, interval: float = _INTERVAL, timeout: float | None = None) -> Any:
        """As psycopg's own; an answer that does not come in time closes the connection.

        The limits of server and system do not reach a line on which somebody between takes our
        bytes and passes none on.
        """
        if timeout is not None or self.patience is None:
            return super().wait(gen, interval, timeout)
        end = time.monotonic() + self.patience
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.OperationalError as error:
            if time.monotonic() < end or error.sqlstate is not None:
                raise
            self.close()
            raise psycopg.OperationalError("no answer from the server in time") from None

    @property
    def has_waiting(self) -> bool:
        """Whether something has to go before the next statement."""
        return self.opening is not None or bool(self.deferred)

    def send_waiting(self) -> None:
        """Put what waits on its way, inside a pipeline."""
        if not self.has_waiting:
            return
        cursor = psycopg.RawCursor(self)
        if self.opening is not None:
            cursor.execute(self.opening, prepare=False)
            self.opening = None
        waiting, self.deferred = self.deferred, []
        for statement in waiting:
            cursor.execute(*statement)

    def commit(self) -> None:
        """As psycopg's own, with what waits before it; nothing where nothing was said."""
        if not self.deferred:
            self.opening = None
            super().commit()
            return
        with self.pipeline():
            self.send_waiting()
            # As a statement: `commit` inside a pipeline waits, and the pipeline's end waits again.
            psycopg.RawCursor(self).execute(b"COMMIT", prepare=False)

    def rollback(self) -> None:
        """As psycopg's own; what waits is never sent."""
        self.opening = None
        self.deferred = []
        super().rollback()


class Cursor(psycopg.Cursor[Any]):
    """The cursor that SQLAlchemy uses on connections of ours."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Cursor:
        """As psycopg's own, together with what has to go before it."""
        with _together(self.connection):
            super().execute(query, params, **options)
        return self

    def executemany(self, query: Any, params_seq: Iterable[Any], **options: Any) -> None:
        """As psycopg's own, together with what has to go before it."""
        with _together(self.connection):
            super().executemany(query, params_seq, **options)


class ServerCursor(psycopg.ServerCursor[Any]):
    """The cursor of SQLAlchemy's streams; it knows no pipeline, so what waits goes before it."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> ServerCursor:
        """As psycopg's own."""
        with _together(self.connection):
            pass
        super().execute(query, params, **options)
        return self


@contextmanager
def _together(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """What is executed here goes with what waits, and both are waited for at the end."""
    if isinstance(connection, Connection) and connection.has_waiting:
        with connection.pipeline():
            connection.send_waiting()
            yield
    else:
        yield


def begin(connection: sa.Connection, text: bytes) -> None:
    """Say BEGIN with the first statement of the transaction."""
    _driver(connection).opening = text


@contextmanager
def deferring(connection: sa.Connection) -> Iterator[None]:
    """Until the end of this block nothing waits for what `execute` is given.

    The block ends with the COMMIT.
    """
    raw = _driver(connection)
    raw.defers = True
    try:
        yield
        if raw.deferred:
            raise RuntimeError("statements were deferred and never committed")
    finally:
        raw.defers = False


def execute(connection: sa.Connection, statement: sa.Executable, values: Mapping[str, Any]) -> None:
    """Run a statement without rows; inside `deferring` without a wait."""
    raw = _driver(connection)
    if not raw.defers:
        connection.execute(statement, dict(values))
        return
    if not connection.in_transaction():
        connection.begin()
    raw.deferred.append(_statement(connection, statement, values))


def query(
    connection: sa.Connection, asked: Sequence[tuple[sa.Executable, Mapping[str, Any]]]
) -> list[list[Any]]:
    """Run these one after the other, waiting once; the rows of each."""
    raw = _driver(connection)
    if not connection.in_transaction():
        connection.begin()  # SQLAlchemy must know that there is something to end
    sent = [_statement(connection, statement, values) for statement, values in asked]
    with _as_sqlalchemy(raw):
        cursors = [psycopg.RawCursor(raw) for _ in sent]
        alone = len(sent) == 1 and not raw.has_waiting
        with nullcontext() if alone else raw.pipeline():
            raw.send_waiting()
            for cursor, statement in zip(cursors, sent, strict=True):
                cursor.execute(*statement)
        found = [cursor.fetchall() for cursor in cursors]
    return [
        _opened(rows, _written(statement, connection.dialect).sealed, connection.dialect)
        for rows, (statement, _) in zip(found, asked, strict=True)
    ]


def _opened(rows: list[Any], sealed: Sequence[tuple[int, Kept]], dialect: sa.Dialect) -> list[Any]:
    if not sealed:
        return rows
    opened = []
    for row in rows:
        values = list(row)
        for place, kind in sealed:
            values[place] = kind.process_result_value(values[place], dialect)
        opened.append(tuple(values))
    return opened


def _driver(connection: sa.Connection) -> Connection:
    return cast("Connection", connection.connection.driver_connection)


class _Written(NamedTuple):
    """A statement as PostgreSQL takes it: what stands for $1, $2 …, and how it is made fit.

    `sealed` are the places of what is opened in its rows.
    """

    text: bytes
    names: tuple[str, ...]
    fit: Mapping[str, Callable[[Any], Any]]
    sealed: tuple[tuple[int, Kept], ...]


@cache
def _written(statement: Any, dialect: sa.Dialect) -> _Written:
    numbered = cast("Any", type(dialect))(paramstyle="numeric_dollar")
    compiled = statement.compile(dialect=numbered)
    fit = {}
    for name, bind in compiled.binds.items():
        processor = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if processor is not None:
            fit[name] = processor
    given = enumerate(getattr(statement, "selected_columns", ()))
    sealed = tuple((place, each.type) for place, each in given if isinstance(each.type, Kept))
    return _Written(str(compiled).encode(), tuple(compiled.positiontup), fit, sealed)


def _statement(
    connection: sa.Connection, statement: sa.Executable, values: Mapping[str, Any]
) -> Statement:
    text, names, fit, _ = _written(statement, connection.dialect)
    return Statement(
        text, [fit[name](values[name]) if name in fit else values[name] for name in names]
    )


@contextmanager
def _as_sqlalchemy(raw: Connection) -> Iterator[None]:
    """SQLAlchemy's errors for those of psycopg, as they would be if it had asked itself."""
    try:
        yield
    except psycopg.Error as error:
        raise sa.exc.DBAPIError.instance(
            None, None, error, psycopg.Error, connection_invalidated=raw.closed
        ) from error
