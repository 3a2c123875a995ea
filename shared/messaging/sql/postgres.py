"""The ledgers' statements for PostgreSQL: what it says in other words than SQLite.

READ COMMITTED is enough: counters are taken by an upsert that locks its row, and the facts of one
subject are handled by one worker at a time, by an advisory lock that also covers streams whose
cursor does not exist yet. Lookups go through LATERAL so that they stay index lookups even in a
plan that was made while the tables were empty.
"""

# ruff: noqa: S608 - only constants of this module are put together

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql.selectable import TextualSelect

from shared.database import batch
from shared.database.sealing import SealedBytes
from shared.messaging.sql.base import Asked, Found, Key, Known, Numbered, Sql, Unsent, Waiting


def _rows(text: str, kind: type[Unsent | Waiting]) -> TextualSelect:
    """A statement whose rows are these, with the bodies opened."""
    columns: list[Any] = [
        sa.column(name, SealedBytes()) if name == "body" else sa.column(name)
        for name in kind.__slots__
    ]
    return sa.text(text).columns(*columns)


_CLAIMED = 0x6F757462  # any number of our own: the locks of relays among all advisory locks
_NUMBER = sa.text(
    "WITH begun AS (SELECT coalesce(max(number), 0) AS epoch FROM epochs),"
    " taken AS (INSERT INTO streams AS s (stream, last, correlation, epoch)"
    " SELECT u.stream, begun.epoch + u.size, u.correlation, begun.epoch"
    " FROM unnest(CAST(:streams AS text[]), CAST(:counts AS bigint[]),"
    " CAST(:correlations AS text[])) AS u(stream, size, correlation) CROSS JOIN begun"
    " ON CONFLICT (stream) DO UPDATE SET last = s.last + excluded.last - excluded.epoch"
    " RETURNING stream, last, correlation, epoch, follows)"
    " SELECT stream, last, correlation, epoch, follows FROM taken UNION ALL"
    " SELECT a.stream, (SELECT max(c.applied) FROM cursors c WHERE c.stream = a.stream),"
    " NULL, NULL, NULL"
    " FROM unnest(CAST(:asked AS text[])) AS a(stream)"
)
# Row by row in their order, so that no more are locked than are taken (OFFSET 0 keeps the lock from
# being asked of others). Whoever had one before may have sent it since this statement began: then
# it is not unsent any more, or its row is being written just now.
_CLAIM = _rows(
    "WITH taken AS MATERIALIZED (SELECT c.position FROM (SELECT position FROM outbox"
    " WHERE sent_at IS NULL AND position <> ALL (CAST(:in_flight AS bigint[]))"
    " AND exchange || ' ' || routing_key <> ALL (CAST(:held AS text[]))"
    " ORDER BY position OFFSET 0) AS c"
    f" WHERE pg_try_advisory_lock({_CLAIMED}, CAST(c.position % 2147483648 AS int)) LIMIT :limit)"
    " SELECT o.* FROM taken CROSS JOIN LATERAL"
    " (SELECT position, id, type, subject, exchange, routing_key, body FROM outbox"
    " WHERE position = taken.position AND sent_at IS NULL LIMIT 1 FOR UPDATE SKIP LOCKED) AS o"
    " ORDER BY o.position",
    Unsent,
)
_LET_GO = sa.text("SELECT pg_advisory_unlock_all()")
_MARK = sa.text("UPDATE outbox SET sent_at = :now WHERE position = ANY (CAST(:listed AS bigint[]))")
# The array is sorted and unnest keeps its order: two workers never wait for each other in a ring.
_LOCK = sa.text(
    "SELECT count(pg_advisory_xact_lock(k)) FROM unnest(CAST(:keys AS bigint[])) AS u(k)"
)
_KNOWN = sa.text(
    "SELECT i.* FROM unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) AS k(source, fact_id)"
    " CROSS JOIN LATERAL (SELECT source, fact_id, state, attempts, next_at FROM inbox"
    " WHERE consumer = :consumer AND source = k.source AND fact_id = k.fact_id LIMIT 1) AS i"
)
_ROW = (
    "SELECT source, fact_id, state, attempts, next_at, body, received_at, routing_key, user_id"
    " FROM inbox"
)
_WAITING = _rows(
    "SELECT i.* FROM unnest(CAST(:subjects AS text[])) AS k(subject) CROSS JOIN LATERAL"
    f" ({_ROW} WHERE consumer = :consumer AND state = 'waiting' AND subject = k.subject"
    " OFFSET 0) AS i",
    Waiting,
)
_DUE = _rows(
    f"{_ROW} WHERE consumer = :consumer AND state = 'retry'"
    " AND (next_at <= :now OR next_at > :beyond)"
    " ORDER BY next_at, fact_id LIMIT :limit",
    Waiting,
)
_NEXT_RETRY = sa.text(
    "SELECT min(next_at) FROM inbox WHERE consumer = :consumer AND state = 'retry'"
)
_CURSORS = sa.text(
    "SELECT c.* FROM unnest(CAST(:streams AS text[])) AS k(stream) CROSS JOIN LATERAL"
    " (SELECT consumer, stream, applied FROM cursors WHERE stream = k.stream OFFSET 0) AS c"
)


def _number_of(consumer: str, subject: str) -> int:
    digest = hashlib.blake2b(f"{consumer}\n{subject}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _locked(consumer: str, subjects: Iterable[str]) -> dict[str, Any]:
    return {"keys": sorted({_number_of(consumer, subject) for subject in subjects})}


def _known(consumer: str, keys: Sequence[Key]) -> dict[str, Any]:
    return {
        "consumer": consumer,
        "sources": [source for source, _ in keys],
        "ids": [fact_id for _, fact_id in keys],
    }


def _applied(consumer: str, rows: Iterable[Any]) -> tuple[dict[str, int], dict[str, int]]:
    own: dict[str, int] = {}
    anyone: dict[str, int] = {}
    for reader, stream, applied in rows:
        anyone[stream] = max(applied, anyone.get(stream, 0))
        if reader == consumer:
            own[stream] = applied
    return own, anyone


def _query(connection: sa.Connection, text: sa.Executable, values: Mapping[str, Any]) -> list[Any]:
    (rows,) = batch.query(connection, (text, values))
    return rows


class PostgresSql(Sql):
    """The statements for PostgreSQL 13 and later through psycopg 3."""

    def number(
        self,
        connection: sa.Connection,
        counts: Sequence[tuple[str, int, str]],
        asked: Sequence[str],
    ) -> tuple[dict[str, Numbered], dict[str, int]]:
        streams, sizes, correlations = (list(column) for column in zip(*counts, strict=True))
        asking = {"streams": streams, "counts": sizes, "correlations": correlations}
        rows = _query(connection, _NUMBER, {**asking, "asked": list(asked)})
        size = dict(zip(streams, sizes, strict=True))
        numbered: dict[str, Numbered] = {}
        applied: dict[str, int] = {}
        for stream, number, correlation, epoch, follows in rows:
            if correlation is not None:
                first = number - size[stream] + 1
                numbered[stream] = Numbered(first, correlation, epoch, follows)
            elif number is not None:
                applied[stream] = number
        return numbered, applied

    def claim(
        self,
        connection: sa.Connection,
        limit: int,
        held: Iterable[tuple[str, str]],
        in_flight: Collection[int] = (),
    ) -> list[Unsent]:
        names = [f"{exchange} {key}" for exchange, key in held]
        asked = {"limit": limit, "held": names, "in_flight": list(in_flight)}
        rows = _query(connection, _CLAIM, asked)
        return [Unsent(*row) for row in rows]

    def let_go(self, connection: sa.Connection) -> None:
        batch.execute(connection, _LET_GO, {})

    def mark_sent(self, connection: sa.Connection, positions: list[int], now: datetime) -> None:
        batch.execute(connection, _MARK, {"listed": positions, "now": now})

    def look_up(self, connection: sa.Connection, consumer: str, asked: Asked) -> Found:
        """In one trip; each statement still sees what was committed before the lock was got."""
        steps: list[batch.Query] = [
            (_LOCK, _locked(consumer, asked.subjects)),
            (_KNOWN, _known(consumer, asked.keys)),
        ]
        if asked.numbered:
            steps.append((_WAITING, {"consumer": consumer, "subjects": list(asked.numbered)}))
            steps.append((_CURSORS, {"streams": list(asked.streams)}))
        rows = batch.query(connection, *steps)
        known = {(row[0], row[1]): Known(row[2], row[3], row[4]) for row in rows[1]}
        if not asked.numbered:
            return Found(known, [], {}, {})
        return Found(known, [Waiting(*row) for row in rows[2]], *_applied(consumer, rows[3]))

    def lock(self, connection: sa.Connection, consumer: str, subjects: Iterable[str]) -> None:
        _query(connection, _LOCK, _locked(consumer, subjects))

    def known(
        self, connection: sa.Connection, consumer: str, keys: Sequence[Key]
    ) -> dict[Key, Known]:
        rows = _query(connection, _KNOWN, _known(consumer, keys))
        return {(row[0], row[1]): Known(row[2], row[3], row[4]) for row in rows}

    def waiting(
        self, connection: sa.Connection, consumer: str, subjects: Sequence[str]
    ) -> list[Waiting]:
        asked = {"consumer": consumer, "subjects": list(subjects)}
        return [Waiting(*row) for row in _query(connection, _WAITING, asked)]

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
        return [Waiting(*row) for row in _query(connection, _DUE, asked)]

    def next_retry(self, connection: sa.Connection, consumer: str) -> datetime | None:
        ((found,),) = _query(connection, _NEXT_RETRY, {"consumer": consumer})
        return cast("datetime | None", found)

    def cursors(
        self, connection: sa.Connection, consumer: str, streams: Sequence[str]
    ) -> tuple[dict[str, int], dict[str, int]]:
        return _applied(consumer, _query(connection, _CURSORS, {"streams": list(streams)}))
