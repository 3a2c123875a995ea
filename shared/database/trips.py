"""Fewer round trips to PostgreSQL: what needs no answer travels with what does.

BEGIN goes with the first statement of a transaction, and inside `together` a statement that gives
no rows goes with the next one that does, or with the COMMIT. An error of it then comes up there.
How it goes over the wire is in `exchange`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any, NamedTuple, cast

import psycopg
import sqlalchemy as sa
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import TransactionStatus

from shared.database.exchange import Asked, Prepared, exchange


class Connection(psycopg.Connection[Any]):
    """A connection of ours; `held` are statements that wait for company, None outside `together`."""

    held: list[Asked] | None = None
    kept: Prepared
    #: Turns values into what libpq takes and back; made once, as it learns each type once.
    values: Any = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kept = Prepared()

    def commit(self) -> None:
        """As psycopg's own, with what is held back before it."""
        if self.held is None:
            super().commit()
        elif self.held or not self.begins:
            _send(self, [], commit=True)

    @property
    def begins(self) -> bool:
        """Whether the next statement is the first of a transaction, with BEGIN before it."""
        if self.autocommit:
            return False
        return self.pgconn.transaction_status == TransactionStatus.IDLE


class Cursor(psycopg.Cursor[Any]):
    """The cursor of every connection of ours."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Cursor:
        """As psycopg's own, together with others where that saves waiting."""
        connection = self.connection
        held = connection.held if isinstance(connection, Connection) else None
        if held is None and not (isinstance(connection, Connection) and connection.begins):
            super().execute(query, params, **options)
        elif held is None or _gives_rows(query):
            self.take(_send(connection, [self.asked(query, params)])[-1])
        else:
            held.append(self.asked(query, params))
        return self

    def executemany(self, query: Any, params_seq: Iterable[Any], **options: Any) -> None:
        """As psycopg's own."""
        held = getattr(self.connection, "held", None)
        if held is None or options.get("returning"):
            super().executemany(query, params_seq, **options)
        else:
            held.extend(self.asked(query, params) for params in params_seq)

    def asked(self, query: Any, params: Any) -> Asked:
        """The statement as libpq takes it."""
        self._reset()
        self._tx = Transformer(self)
        self._last_query = query
        made = self._query = self._convert_query(query, params)
        return Asked(made.query, made.params, tuple(made.types), made.formats)

    def take(self, result: Any) -> None:
        """Make these rows the ones to be fetched."""
        self._set_results([result])


@lru_cache(maxsize=1000)
def _gives_rows(query: Any) -> bool:
    if not isinstance(query, str):
        return True
    return re.match(r"\s*(?:SELECT|WITH)\b|.*\bRETURNING\b", query, re.DOTALL) is not None


@contextmanager
def together(connection: sa.Connection) -> Iterator[None]:
    """Until the end of this block nothing waits for a statement without rows.

    The number of rows it touched is not told. The block ends with the COMMIT.
    """
    raw = connection.connection.driver_connection
    if not isinstance(raw, Connection):
        yield
        return
    raw.held = []
    try:
        yield
        if raw.held:
            raise RuntimeError("statements were held back and never committed")
    finally:
        raw.held = None


def tell(connection: sa.Connection, statement: sa.Executable, *rows: Mapping[str, Any]) -> None:
    """Run a statement without rows for each of these; inside `together` without a wait.

    As `connection.execute`, less the part of it that would read an answer. The statement must be
    one that is built once: its text is kept for ever.
    """
    raw = connection.connection.driver_connection
    if not isinstance(raw, Connection) or raw.held is None:
        values = [dict(row) for row in rows]
        connection.execute(statement, values if len(values) > 1 else values[0])
        return
    if not connection.in_transaction():
        connection.begin()
    for row in rows:
        raw.held.append(_ready(raw, _written(statement, connection.dialect, tuple(row)), row))


class _Written(NamedTuple):
    """A statement in PostgreSQL's own writing: what stands for $1, $2 …, and how it is made fit."""

    query: bytes
    names: tuple[str, ...]
    fit: Mapping[str, Callable[[Any], Any]]
    formats: list[PyFormat]


@cache
def _written(statement: Any, dialect: sa.Dialect, names: tuple[str, ...]) -> _Written:
    numbered = cast("Any", type(dialect))(paramstyle="numeric_dollar")
    compiled = statement.compile(dialect=numbered, column_keys=list(names) or None)
    fit = {}
    for name, bind in compiled.binds.items():
        processor = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if processor is not None:
            fit[name] = processor
    order = tuple(compiled.positiontup)
    return _Written(str(compiled).encode(), order, fit, [PyFormat.AUTO] * len(order))


def _ready(raw: Connection, written: _Written, row: Mapping[str, Any]) -> Asked:
    if raw.values is None:
        raw.values = Transformer(raw)
    fit = written.fit
    values = [fit[name](row[name]) if name in fit else row[name] for name in written.names]
    params = raw.values.dump_sequence(values, written.formats)
    return Asked(written.query, params, tuple(raw.values.types or ()), raw.values.formats)


def ask_all(
    connection: sa.Connection, steps: Sequence[tuple[sa.TextClause, Mapping[str, Any]]]
) -> list[list[Any]]:
    """Run these one after the other, waiting once; the rows of each.

    Values go to psycopg as they are, so only for texts whose parameters need no type of ours.
    """
    raw = connection.connection.driver_connection
    if not isinstance(raw, Connection):
        return [list(connection.execute(text, dict(asked))) for text, asked in steps]
    if not connection.in_transaction():
        connection.begin()  # SQLAlchemy must know that there is something to end
    with _as_sqlalchemy(connection, raw):
        sent = [_ready(raw, _written(text, connection.dialect, ()), asked) for text, asked in steps]
        return [_rows(raw, result) for result in _send(raw, sent)]


def _rows(raw: Connection, result: Any) -> list[Any]:
    raw.values.set_pgresult(result)
    rows: list[Any] = raw.values.load_rows(0, result.ntuples, tuple)
    return rows


@contextmanager
def _as_sqlalchemy(connection: sa.Connection, raw: Connection) -> Iterator[None]:
    """SQLAlchemy's errors for those of psycopg, as they would be if it had asked itself."""
    try:
        yield
    except psycopg.Error as error:
        if raw.closed:
            connection.invalidate()
        raise sa.exc.DBAPIError.instance(
            None, None, error, psycopg.Error, connection_invalidated=raw.closed
        ) from error


def _send(raw: Any, asked: Sequence[Asked], *, commit: bool = False) -> list[Any]:
    """Send what is held back and these statements, wait once; the results of these."""
    statements = [*(raw.held or ()), *asked]
    if raw.held:
        raw.held.clear()
    with raw.lock:
        begin = raw._get_tx_start_command() if raw.begins else None  # noqa: SLF001
        sent = exchange(raw.pgconn, raw.kept, statements, begin=begin, commit=commit)
        results: list[Any] = raw.wait(sent)
    return results[len(results) - len(asked) :]
