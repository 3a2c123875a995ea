"""What a ticker could not do: put off in the inbox, where operators find it, until it succeeds.

One dossier whose clock cannot be passed must not take along the hundred beside it. It is tried
again by itself with growing pauses, at last once an hour; after its budget it stands as parked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from shared.database import Store, UnitOfWork
from shared.kernel.actor import CLOCK
from shared.kernel.retry import RetryPolicy
from shared.messaging.consumer.model import reason_of
from shared.messaging.sql import sql_of
from shared.messaging.tables import DISCARDED, LEDGERS, PARKED, RETRY

POLICY: Final = RetryPolicy()
# What stands there beside the facts of true sources, which begin with a slash.
SOURCE: Final = "clock"
TYPE: Final = "time.passed"
_INBOX: Final = LEDGERS.inbox.c


@dataclass(frozen=True, slots=True)
class _Row:
    state: str
    attempts: int
    next_at: datetime | None


class PutOff:
    """The matters of one ticker that failed, as last read; `keys` are not due with the others."""

    def __init__(self, name: str, store: Store) -> None:
        self._name = name
        self._store = store
        self._rows: dict[str, _Row] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        """All that are left out: put off, parked, or given up by a person."""
        return tuple(sorted(self._rows))

    def read(self) -> None:
        """Look what stands there: another process may have written, an operator released some."""
        held = (RETRY, PARKED, DISCARDED)
        asked = sa.select(_INBOX.fact_id, _INBOX.state, _INBOX.attempts, _INBOX.next_at).where(
            _INBOX.consumer == self._name, _INBOX.source == SOURCE, _INBOX.state.in_(held)
        )
        with self._store.query() as connection:
            self._rows = {row[0]: _Row(*row[1:]) for row in connection.execute(asked)}

    def due(self, now: datetime) -> list[str]:
        """Those that are to be tried again now (UTC)."""
        return sorted(key for key, row in self._rows.items() if _is_due(row, now))

    def next_due(self, now: datetime) -> datetime | None:
        """When the next of them is tried again (UTC)."""
        planned = (row.next_at for row in self._rows.values() if row.next_at is not None)
        return min((now if at > POLICY.beyond(now) else at for at in planned), default=None)

    def done(self, uow: UnitOfWork, keys: Iterable[str]) -> None:
        """These have succeeded in this unit: nobody need look at them any more."""
        for key in self._rows.keys() & set(keys):
            uow.connection.execute(sa.delete(LEDGERS.inbox).where(self._is(key)))

    def failed(self, key: str, error: BaseException) -> tuple[int, str]:
        """Write down that it failed, in a unit of its own; how often by now, and why."""
        reason = reason_of(error)
        with self._store.begin(CLOCK) as uow:
            sql = sql_of(uow.connection)
            sql.lock(uow.connection, self._name, [key])
            found = uow.connection.scalar(sa.select(_INBOX.attempts).where(self._is(key)))
            attempts = (found or 0) + 1
            row = {
                "consumer": self._name,
                "source": SOURCE,
                "fact_id": key,
                "stream": key,
                "sequence": None,
                "type": TYPE,
                "subject": key,
                "body": json.dumps({"subject": key}).encode(),
                "state": PARKED if POLICY.spent(attempts) else RETRY,
                "attempts": attempts,
                "next_at": uow.now + POLICY.pause(attempts, key),
                "reason": reason,
                "owner": None,
                "note": None,
                "received_at": uow.now,
                "handled_at": None,
            }
            (sql.add_inbox if found is None else sql.change_inbox)(uow.connection, [row])
        return attempts, reason

    def _is(self, key: str) -> sa.ColumnElement[bool]:
        return sa.and_(
            _INBOX.consumer == self._name, _INBOX.source == SOURCE, _INBOX.fact_id == key
        )


def _is_due(row: _Row, now: datetime) -> bool:
    if row.next_at is None:
        return False
    return row.next_at <= now or row.next_at > POLICY.beyond(now)
