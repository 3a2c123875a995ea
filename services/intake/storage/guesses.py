"""How often look-ups and sign-ins were tried, of each and of each caller: one table for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from services.intake.domain.guessing import FORGOTTEN_AFTER, Allowance, Tries, one_more
from services.intake.storage.tables import guesses
from shared.database import Instant, Store, batch

_WANTED: Final = sa.select(guesses).where(batch.among(guesses.c.key))
_NEW: Final = sa.text(
    "INSERT INTO guesses (key, level, at, until) VALUES (:key, 0, :now, :now)"
    " ON CONFLICT (key) DO NOTHING"
).bindparams(sa.bindparam("now", type_=Instant()))
_OLD: Final = sa.delete(guesses).where(guesses.c.at < sa.bindparam("before"))


def wait_for(store: Store, allowances: Mapping[str, Allowance]) -> tuple[str, float] | None:
    """Count a try under each of these keys; or, where one must wait, which and how long (seconds).

    One that must wait is not counted and writes nothing.
    """
    now, keys = store.clock.now(), sorted(allowances)
    with store.query() as connection:
        rows: Sequence[Any] = connection.execute(_WANTED, {"keys": keys}).all()
        if (waiting := _longest(rows, allowances, now)) is not None:
            return waiting
    with store.transaction() as connection:
        _make(connection, keys, now)
        rows = batch.fetch(connection, guesses.c.key, keys, lock=True)
        waiting = _longest(rows, allowances, now)
        if waiting is None:
            batch.update(connection, guesses, [_counted(row, allowances, now) for row in rows])
        connection.execute(_OLD, {"before": now - FORGOTTEN_AFTER})
    return waiting


def forget(store: Store, keys: Sequence[str]) -> None:
    """Nothing is remembered of the tries under these keys."""
    with store.transaction() as connection:
        connection.execute(sa.delete(guesses).where(guesses.c.key.in_(keys)))


def _make(connection: sa.Connection, keys: list[str], now: datetime) -> None:
    """Rows to lock, where there are none: two processes may try the same at once."""
    connection.execute(_NEW, [{"key": key, "now": now} for key in keys])


def _longest(
    rows: Sequence[Any], allowances: Mapping[str, Allowance], now: datetime
) -> tuple[str, float] | None:
    waits = [(_tries(row).wait(allowances[row.key], now), str(row.key)) for row in rows]
    seconds, key = max(waits, default=(0.0, ""))
    return (key, seconds) if seconds > 0 else None


def _counted(row: Any, allowances: Mapping[str, Allowance], now: datetime) -> dict[str, Any]:
    after = one_more(_tries(row), allowances[row.key], now)
    return {"key": row.key, "level": after.level, "at": after.at, "until": after.until}


def _tries(row: Any) -> Tries:
    return Tries(row.level, row.at, row.until)
