"""Mail that came in at the return path: each once, what became of it, and nothing of what it said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from services.notify.domain.bounces import Fate
from services.notify.storage.tables import bounces

_C: Final = bounces.c
_NOTE: Final = sa.text(
    "INSERT INTO bounces (id, message, at, fate, times) VALUES (:id, :message, :at, :fate, 1)"
    " ON CONFLICT (id) DO UPDATE SET times = bounces.times + 1 RETURNING times"
).bindparams(sa.bindparam("at", type_=_C.at.type))


def note(connection: sa.Connection, name: str, letter: str, fate: Fate, now: datetime) -> bool:
    """Write down that it came; False where it had come before."""
    values = {"id": name, "message": letter, "at": now, "fate": fate.value}
    return int(connection.execute(_NOTE, values).scalar_one()) == 1


def counts(connection: sa.Connection, since: datetime) -> Mapping[str, int]:
    """How many came since then (UTC), by what became of them; those that came again beside."""
    of_each = sa.select(_C.fate, sa.func.count(), sa.func.sum(_C.times - 1))
    found: dict[str, int] = {}
    for fate, count, again in connection.execute(of_each.where(_C.at >= since).group_by(_C.fate)):
        found[str(fate)] = int(count)
        found[Fate.REPEATED.value] = found.get(Fate.REPEATED.value, 0) + int(again)
    return found


def forget(connection: sa.Connection, before: datetime) -> int:
    """Let go of what came before then (UTC); how many they were."""
    return connection.execute(sa.delete(bounces).where(_C.at < before)).rowcount
