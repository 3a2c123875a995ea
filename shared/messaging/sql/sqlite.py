"""The ledgers' statements for SQLite: one writer at a time, so nothing needs a lock of its own."""

# ruff: noqa: S608 - only constants of this module are put together

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from shared.messaging.sql.base import Key, Known, Numbered, Sql, Unsent, Waiting, timed

_LISTED = "(SELECT value FROM json_each(:listed))"

_STREAMS = sa.text(
    f"SELECT stream, last, correlation, epoch, follows FROM streams WHERE stream IN {_LISTED}"
)
_EPOCH = sa.text("SELECT coalesce(max(number), 0) FROM epochs")
_TAKE = sa.text(
    "INSERT INTO streams (stream, last, correlation, epoch)"
    " VALUES (:stream, :epoch + :count, :correlation, :epoch)"
    " ON CONFLICT (stream) DO UPDATE SET last = last + :count"
)
_APPLIED = sa.text(
    f"SELECT stream, max(applied) FROM cursors WHERE stream IN {_LISTED} GROUP BY stream"
)
_CLAIM = timed(
    "SELECT position, id, type, subject, exchange, routing_key, body FROM outbox"
    " WHERE sent_at IS NULL"
    " AND position NOT IN (SELECT value FROM json_each(:in_flight))"
    " AND exchange || ' ' || routing_key NOT IN (SELECT value FROM json_each(:held))"
    " ORDER BY position LIMIT :limit"
)
_MARK = timed(f"UPDATE outbox SET sent_at = :now WHERE position IN {_LISTED}", "now")
# CROSS JOIN and INDEXED BY: without statistics SQLite would walk all rows of the consumer.
_KNOWN = timed(
    "SELECT i.source, i.fact_id, i.state, i.attempts, i.next_at FROM json_each(:listed) k"
    " CROSS JOIN inbox i ON i.consumer = :consumer AND i.source = json_extract(k.value, '$[0]')"
    " AND i.fact_id = json_extract(k.value, '$[1]')",
    next_at=True,
)
_ROW = (
    "SELECT source, fact_id, state, attempts, next_at, body, received_at, routing_key, user_id"
    " FROM inbox"
)
_WAITING = timed(
    f"{_ROW} INDEXED BY inbox_waiting"
    f" WHERE consumer = :consumer AND state = 'waiting' AND subject IN {_LISTED}",
    next_at=True,
    received_at=True,
)
_DUE = timed(
    f"{_ROW} INDEXED BY inbox_retry"
    " WHERE consumer = :consumer AND state = 'retry'"
    " AND (next_at <= :now OR next_at > :beyond)"
    " ORDER BY next_at, fact_id LIMIT :limit",
    "now",
    "beyond",
    next_at=True,
    received_at=True,
)
_NEXT_RETRY = timed(
    "SELECT min(next_at) AS next_at FROM inbox INDEXED BY inbox_retry WHERE consumer = :consumer AND state = 'retry'",
    next_at=True,
)
_CURSORS = sa.text(f"SELECT consumer, stream, applied FROM cursors WHERE stream IN {_LISTED}")


def _list(values: Iterable[object]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


class SqliteSql(Sql):
    """The statements for SQLite 3.35 and later."""

    def number(
        self,
        connection: sa.Connection,
        counts: Sequence[tuple[str, int, str]],
        asked: Sequence[str],
    ) -> tuple[dict[str, Numbered], dict[str, int]]:
        listed = _list(stream for stream, _, _ in counts)
        before = {row[0]: row for row in connection.execute(_STREAMS, {"listed": listed})}
        epoch = connection.scalar(_EPOCH)
        connection.execute(
            _TAKE,
            [{"stream": s, "count": n, "correlation": c, "epoch": epoch} for s, n, c in counts],
        )
        numbered = {}
        for stream, _, correlation in counts:
            new = (stream, epoch, correlation, epoch, 0)
            _, last, kept, since, follows = before.get(stream, new)
            numbered[stream] = Numbered(last + 1, kept, since, follows)
        applied: dict[str, int] = {}
        if asked:
            rows = connection.execute(_APPLIED, {"listed": _list(asked)})
            applied = {stream: number for stream, number in rows}  # noqa: C416 - rows are no pairs
        return numbered, applied

    def claim(
        self,
        connection: sa.Connection,
        limit: int,
        held: Iterable[tuple[str, str]],
        in_flight: Collection[int] = (),
    ) -> list[Unsent]:
        names = _list(f"{exchange} {key}" for exchange, key in held)
        asked = {"limit": limit, "held": names, "in_flight": _list(in_flight)}
        rows = connection.execute(_CLAIM, asked)
        return [Unsent(*row) for row in rows]

    def let_go(self, connection: sa.Connection) -> None:
        """One process, one relay: nothing is locked."""

    def mark_sent(self, connection: sa.Connection, positions: list[int], now: datetime) -> None:
        connection.execute(_MARK, {"listed": _list(positions), "now": now})

    def lock(self, connection: sa.Connection, consumer: str, subjects: Iterable[str]) -> None:
        """Nothing to do: the transaction itself is the only writer."""

    def known(
        self, connection: sa.Connection, consumer: str, keys: Sequence[Key]
    ) -> dict[Key, Known]:
        rows = connection.execute(_KNOWN, {"consumer": consumer, "listed": _list(keys)})
        return {(row[0], row[1]): Known(row[2], row[3], row[4]) for row in rows}

    def waiting(
        self, connection: sa.Connection, consumer: str, subjects: Sequence[str]
    ) -> list[Waiting]:
        rows = connection.execute(_WAITING, {"consumer": consumer, "listed": _list(subjects)})
        return [Waiting(*row) for row in rows]

    def due(
        self,
        connection: sa.Connection,
        consumer: str,
        now: datetime,
        limit: int,
        *,
        beyond: datetime,
    ) -> list[Waiting]:
        asked = {"consumer": consumer, "now": now, "beyond": beyond, "limit": limit}
        return [Waiting(*row) for row in connection.execute(_DUE, asked)]

    def next_retry(self, connection: sa.Connection, consumer: str) -> datetime | None:
        found: datetime | None = connection.scalar(_NEXT_RETRY, {"consumer": consumer})
        return found

    def cursors(
        self, connection: sa.Connection, consumer: str, streams: Sequence[str]
    ) -> tuple[dict[str, int], dict[str, int]]:
        own: dict[str, int] = {}
        anyone: dict[str, int] = {}
        for reader, stream, applied in connection.execute(_CURSORS, {"listed": _list(streams)}):
            anyone[stream] = max(applied, anyone.get(stream, 0))
            if reader == consumer:
                own[stream] = applied
        return own, anyone
