"""Answers kept under an Idempotency-Key, for ever; the primary key lets each key be used once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from services.intake.storage.tables import answers

_MAKERS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
# RETURNING and not rowcount, which SQLAlchemy does not promise for an INSERT.
_KEEP = {
    name: make(answers).on_conflict_do_nothing().returning(answers.c.key)
    for name, make in _MAKERS.items()
}
_FIND = sa.select(answers.c.request, answers.c.status, answers.c.answer).where(
    answers.c.owner == sa.bindparam("owner"), answers.c.key == sa.bindparam("key")
)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered (JSON text, kept to the letter); `request` digests what was asked."""

    request: str
    status: int
    answer: str


def find_answer(connection: sa.Connection, owner: str, key: str) -> KeptAnswer | None:
    """The answer kept under this owner's key."""
    row = connection.execute(_FIND, {"owner": owner, "key": key}).one_or_none()
    return KeptAnswer(row.request, row.status, row.answer) if row else None


def keep_answer(
    connection: sa.Connection, owner: str, key: str, kept: KeptAnswer, now: datetime
) -> bool:
    """Keep it; False if another request has used the key meanwhile (then roll back).

    On PostgreSQL this waits for a twin request that is still running.
    """
    row = {
        "owner": owner,
        "key": key,
        "request": kept.request,
        "status": kept.status,
        "answer": kept.answer,
        "made_at": now,
    }
    return connection.execute(_KEEP[connection.dialect.name], row).first() is not None
