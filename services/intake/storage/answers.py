"""Answers kept under an Idempotency-Key; the primary key lets each key be used once.

They go after the term of LIENTHONG_KEEP_ANSWERS_DAYS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from services.intake.storage.tables import answers
from shared.database import UnitOfWork, batch

# What the unit of work ends with where the key was used meanwhile.
KeyTaken: Final = sa.exc.IntegrityError
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


def keep_answer(uow: UnitOfWork, owner: str, key: str, kept: KeptAnswer) -> None:
    """Keep it with this unit, which ends with KeyTaken if another request has used the key.

    On PostgreSQL that waits for a twin request that is still running.
    """
    row = {
        "owner": owner,
        "key": key,
        "request": kept.request,
        "status": kept.status,
        "answer": kept.answer,
        "made_at": uow.now,
    }
    uow.on_flush(partial(batch.insert, uow.connection, answers, [row]))


def old_answers(connection: sa.Connection, before: datetime, limit: int | None) -> Sequence[Any]:
    """The keys of answers that were given before that instant (UTC)."""
    asked = sa.select(answers.c.owner, answers.c.key).where(answers.c.made_at < before)
    return connection.execute(asked.limit(limit)).all()


def forget(connection: sa.Connection, found: Sequence[Any]) -> int:
    """Delete these answers; their keys may be used anew."""
    keys = sa.tuple_(answers.c.owner, answers.c.key)
    return connection.execute(
        sa.delete(answers).where(keys.in_([tuple(row) for row in found]))
    ).rowcount
