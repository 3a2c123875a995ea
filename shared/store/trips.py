"""Fewer round trips to PostgreSQL: what needs no answer travels with what does.

BEGIN goes with the first statement of a transaction, and inside `together` a statement that gives
no rows goes with the next one that does, or with the COMMIT. An error of it then comes up there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus

_OPEN: Final[WeakKeyDictionary[psycopg.Connection[Any], psycopg.Pipeline]] = WeakKeyDictionary()


class Cursor(psycopg.Cursor[Any]):
    """The cursor of every connection of ours."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Cursor:
        """As psycopg's own, in a pipeline where that saves waiting."""
        connection = self.connection
        pipeline = _OPEN.get(connection)
        if pipeline is not None:
            super().execute(query, params, **options)
            if _gives_rows(query):
                pipeline.sync()
        elif _begins(connection):
            with connection.pipeline():
                super().execute(query, params, **options)
        else:
            super().execute(query, params, **options)
        return self


def _begins(connection: psycopg.Connection[Any]) -> bool:
    """Whether the next statement is the first of a transaction, with BEGIN before it."""
    if connection.autocommit:
        return False
    return connection.info.transaction_status == TransactionStatus.IDLE


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
    if not isinstance(raw, psycopg.Connection) or not psycopg.Pipeline.is_supported():
        yield
        return
    with raw.pipeline() as pipeline:
        _OPEN[raw] = pipeline
        try:
            yield
        finally:
            del _OPEN[raw]


def ask_all(
    connection: sa.Connection, steps: Sequence[tuple[sa.TextClause, Mapping[str, Any]]]
) -> list[list[Any]]:
    """Run these one after the other, waiting once; the rows of each.

    Values go to psycopg as they are, so only for texts whose parameters need no type of ours.
    """
    raw = connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection) or not psycopg.Pipeline.is_supported():
        return [list(connection.execute(text, dict(asked))) for text, asked in steps]
    if not connection.in_transaction():
        connection.begin()  # SQLAlchemy must know that there is something to end
    try:
        with raw.pipeline():
            cursors = [
                psycopg.Cursor(raw).execute(_plain(text, connection.dialect), asked)
                for text, asked in steps
            ]
        return [cursor.fetchall() for cursor in cursors]
    except psycopg.Error as error:
        if raw.closed:
            connection.invalidate()
        raise sa.exc.DBAPIError.instance(
            None, None, error, psycopg.Error, connection_invalidated=raw.closed
        ) from error


@cache
def _plain(text: sa.TextClause, dialect: sa.Dialect) -> Any:
    """The text with its parameters in psycopg's own writing."""
    return str(text.compile(dialect=dialect))
