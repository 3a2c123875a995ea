"""Questions about many rows at once, built once; PostgreSQL gets several of them in one trip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from shared.database import saying


@dataclass(frozen=True, slots=True)
class Question:
    """A statement about the rows whose key is `listed`, in the words of each database.

    PostgreSQL gets the list as one array, so that the statement is the same for any number; None
    where SQLite, which has one writer, has nothing to ask.
    """

    arrays: Any
    plain: Any


def about(column: sa.Column[str], make: Callable[[sa.ColumnElement[bool]], Any]) -> Question:
    """What `make` makes of the condition that the column is one of the listed."""
    array = sa.bindparam("listed", type_=postgresql.ARRAY(sa.Text))
    return Question(
        make(column == sa.any_(array)),
        make(column.in_(sa.bindparam("listed", expanding=True))),
    )


def ask(connection: sa.Connection, question: Question, listed: Sequence[str], **more: Any) -> Any:
    """The answer to one question as SQLAlchemy gives it."""
    arrays = connection.dialect.name == "postgresql"
    statement = question.arrays if arrays else question.plain
    return connection.execute(statement, {"listed": list(listed), **more})


def ask_all(
    connection: sa.Connection, *asked: tuple[Question, Sequence[str]]
) -> list[Sequence[Any]]:
    """The rows that answer each question, asked one after the other; with plain values only.

    On PostgreSQL values come as its driver gives them: instants in the session's zone.
    """
    if connection.dialect.name != "postgresql":
        return [
            list(ask(connection, question, listed)) if question.plain is not None else []
            for question, listed in asked
        ]
    steps = [(question.arrays, {"listed": list(keys)}) for question, keys in asked]
    return list(saying.ask_all(connection, steps))
