"""Taking personal words out of what the ledgers keep, and the row that proves it.

The facts stay, under their numbers: only what names or reaches somebody goes. Which words those are
is said by whoever asks (`shared/events/forms.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from shared.messaging.tables import DONE, LATE, LEDGERS

#: Erased because its time was over, or because whose it is has asked for it.
TERM: Final = "term"
ASKED: Final = "asked"


def change_bodies(
    connection: sa.Connection,
    table: sa.Table,
    subjects: Sequence[str],
    change: Callable[[bytes], bytes],
) -> int:
    """Rewrite what is settled of these subjects, in outbox or inbox; how many facts have changed."""
    keys = list(table.primary_key)
    settled = (
        table.c.sent_at.is_not(None)
        if table.name == LEDGERS.outbox.name
        else table.c.state.in_((DONE, LATE))
    )
    asked = sa.select(*keys, table.c.body).where(table.c.subject.in_(subjects), settled)
    changed = 0
    for *key, body in connection.execute(asked.with_for_update()).all():
        bare = change(bytes(body))
        if bare != bytes(body):
            mine = (column == value for column, value in zip(keys, key, strict=True))
            connection.execute(sa.update(table).where(*mine).values(body=bare))
            changed += 1
    return changed


def prove(
    connection: sa.Connection,
    erasures: sa.Table,
    counts: Mapping[str, Mapping[str, int]],
    now: datetime,
    *,
    rule: str,
    who: str,
) -> None:
    """Write down what was erased of each dossier: when (UTC), by which rule, how many rows of what."""
    rows: list[dict[str, Any]] = [
        {"dossier": code, "at": now, "rule": rule, "counts": dict(told), "who": who}
        for code, told in sorted(counts.items())
    ]
    if rows:
        connection.execute(sa.insert(erasures), rows)


def proofs_of(connection: sa.Connection, erasures: sa.Table, dossier: str) -> list[dict[str, Any]]:
    """What was erased of a dossier, the first first."""
    c = erasures.c
    asked = sa.select(c.at, c.rule, c.counts, c.who).where(c.dossier == dossier).order_by(c.id)
    return [dict(row._mapping) for row in connection.execute(asked)]  # noqa: SLF001 - SQLAlchemy's name
