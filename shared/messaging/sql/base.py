"""What every database must be able to do with the ledgers, and what both do in the same words.

All methods run inside the caller's transaction. Instants are aware UTC datetimes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.selectable import TextualSelect

from shared.database import batch
from shared.database.sealing import SealedBytes
from shared.database.types import Instant
from shared.messaging.salvage import Place
from shared.messaging.tables import LEDGERS

Key = tuple[str, str]  # (source, fact_id)
Row = Mapping[str, Any]


def timed(text: str, *instants: str, **columns: bool) -> TextClause | TextualSelect:
    """A statement whose named parameters, and the result columns that are true, are instants.

    Its parameter or result column `body` is sealed, as in the tables.
    """
    clause = sa.text(text).bindparams(*(sa.bindparam(name, type_=Instant()) for name in instants))
    if ":body" in text:
        clause = clause.bindparams(sa.bindparam("body", type_=SealedBytes()))
    found: dict[str, Any] = {name: Instant() for name, given in columns.items() if given}
    if text.startswith("SELECT") and ", body" in text:
        found["body"] = SealedBytes()
    return clause.columns(**found) if found else clause


_ADMIT = timed(
    "INSERT INTO inbox (consumer, source, fact_id, stream, type, subject, body, state, attempts,"
    " received_at, handled_at) VALUES (:consumer, :source, :fact_id, :stream, :type, :subject,"
    " :body, 'done', 0, :now, :now) ON CONFLICT DO NOTHING",
    "now",
)
_BEHIND = sa.text(
    "SELECT (SELECT count(*) FROM inbox WHERE subject = :subject AND consumer = :consumer"
    " AND stream = :stream AND sequence = :number AND fact_id <> :fact_id),"
    " (SELECT coalesce(max(epoch), 0) FROM cursors"
    " WHERE consumer = :consumer AND stream = :stream)"
)
# What may change of an inbox row, and the key it is found by.
_CHANGED = (
    "consumer", "source", "fact_id",
    "state", "attempts", "next_at", "reason", "owner", "note", "handled_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Numbered:
    """The first number given to this unit in a stream, and the stream's correlation id.

    `epoch` and `follows` as in the table of streams.
    """

    first: int
    correlation: str
    epoch: int = 0
    follows: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What the inbox already says of a fact."""

    state: str
    attempts: int
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An inbox row that can be handled from its kept body; `state` is waiting or retry."""

    source: str
    fact_id: str
    state: str
    attempts: int
    next_at: datetime | None
    body: bytes = field(repr=False)
    received_at: datetime
    routing_key: str | None
    user_id: str | None


@dataclass(frozen=True, slots=True)
class Unsent:
    """An outbox row that the relay has to send."""

    position: int
    id: str
    type: str
    subject: str
    exchange: str
    routing_key: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a batch asks of the ledgers at its beginning; `numbered` are subjects with numbers."""

    subjects: Collection[str]
    keys: Sequence[Key]
    numbered: Sequence[str]
    streams: Sequence[str]


@dataclass(frozen=True, slots=True)
class Found:
    """The answers: see `known`, `waiting` and (both cursors) `cursors`."""

    known: dict[Key, Known]
    waiting: list[Waiting]
    own: dict[str, int]
    anyone: dict[str, int]


class Sql(ABC):
    """The ledgers' statements in one database's own words."""

    # --- making facts ---------------------------------------------------------------------

    @abstractmethod
    def number(
        self,
        connection: sa.Connection,
        counts: Sequence[tuple[str, int, str]],
        asked: Sequence[str],
    ) -> tuple[dict[str, Numbered], dict[str, int]]:
        """Take numbers for (stream, count, correlation if new), sorted by stream, and lock them.

        A new stream begins in the present epoch: what a restored database does not know may have
        been there before.

        Also tells, for the `asked` streams that we read, how far any consumer applied them.
        """

    def open_streams(
        self, connection: sa.Connection, counts: Sequence[tuple[str, int, str]]
    ) -> None:
        """Begin new streams at 1; one that is there is an IntegrityError."""
        rows = [{"stream": s, "last": n, "correlation": c} for s, n, c in counts]
        batch.insert(connection, LEDGERS.streams, rows)

    def add_outbox(self, connection: sa.Connection, rows: Sequence[Row]) -> None:
        """Write outbox rows in their order."""
        batch.insert(connection, LEDGERS.outbox, rows)

    @abstractmethod
    def claim(
        self,
        connection: sa.Connection,
        limit: int,
        held: Iterable[tuple[str, str]],
        in_flight: Collection[int] = (),
    ) -> list[Unsent]:
        """The oldest unsent rows, without those for `held` (exchange, routing key) pairs.

        Positions `in_flight` are left out: they are sent, and not yet known to be safe.
        On PostgreSQL the session locks them until `let_go`, and what another relay has locked is
        passed over.
        """

    @abstractmethod
    def let_go(self, connection: sa.Connection) -> None:
        """Let others claim what this session has claimed."""

    @abstractmethod
    def mark_sent(self, connection: sa.Connection, positions: list[int], now: datetime) -> None:
        """Note that the broker has these safely."""

    # --- taking facts in ------------------------------------------------------------------

    def admit(self, connection: sa.Connection, row: Row) -> bool:
        """Insert a row that is done; False when it was there."""
        return connection.execute(_ADMIT, row).rowcount == 1

    def look_up(self, connection: sa.Connection, consumer: str, asked: Asked) -> Found:
        """Lock the subjects, then all that a batch must know of them."""
        self.lock(connection, consumer, asked.subjects)
        known = self.known(connection, consumer, asked.keys)
        if not asked.numbered:
            return Found(known, [], {}, {})
        waiting = self.waiting(connection, consumer, asked.numbered)
        own, anyone = self.cursors(connection, consumer, asked.streams)
        return Found(known, waiting, own, anyone)

    @abstractmethod
    def lock(self, connection: sa.Connection, consumer: str, subjects: Iterable[str]) -> None:
        """Let no other worker of this consumer handle facts of these subjects until the end."""

    @abstractmethod
    def known(
        self, connection: sa.Connection, consumer: str, keys: Sequence[Key]
    ) -> dict[Key, Known]:
        """What the inbox says of these facts; those it has never seen are left out."""

    @abstractmethod
    def waiting(
        self, connection: sa.Connection, consumer: str, subjects: Sequence[str]
    ) -> list[Waiting]:
        """The waiting rows of these subjects."""

    @abstractmethod
    def due(
        self,
        connection: sa.Connection,
        consumer: str,
        now: datetime,
        limit: int,
        *,
        beyond: datetime,
    ) -> list[Waiting]:
        """Rows to be tried again by `now`, the longest due first.

        Those later than `beyond` as well: nobody plans so far ahead, the clock was put back.
        """

    @abstractmethod
    def next_retry(self, connection: sa.Connection, consumer: str) -> datetime | None:
        """When the next row of this consumer is to be tried again."""

    @abstractmethod
    def cursors(
        self, connection: sa.Connection, consumer: str, streams: Sequence[str]
    ) -> tuple[dict[str, int], dict[str, int]]:
        """How far this consumer applied these streams, and how far any consumer did."""

    def behind(
        self, connection: sa.Connection, consumer: str, place: Place, fact_id: str
    ) -> tuple[int, int]:
        """How many other facts this consumer has of this number, and the epoch it is in."""
        asked: dict[str, Any] = {"consumer": consumer, "fact_id": fact_id, "stream": place.stream}
        asked |= {"subject": place.subject, "number": place.sequence}
        others, epoch = connection.execute(_BEHIND, asked).one()
        return others, epoch

    def add_inbox(self, connection: sa.Connection, rows: Sequence[Row]) -> None:
        """Write new inbox rows; a row that is there is an IntegrityError."""
        batch.insert(connection, LEDGERS.inbox, rows)

    def change_inbox(self, connection: sa.Connection, rows: Sequence[Row]) -> None:
        """Set state, attempts, next_at, reason, owner, note and handled_at of rows by their key."""
        changed = [{name: row[name] for name in _CHANGED} for row in rows]
        batch.update(connection, LEDGERS.inbox, changed)

    def move_cursors(
        self,
        connection: sa.Connection,
        consumer: str,
        applied: Mapping[str, int],
        epochs: Mapping[str, int] | None = None,
    ) -> None:
        """Note how far this consumer has applied these streams, of some also in which epoch."""
        later = epochs or {}
        rows = [
            {"consumer": consumer, "stream": stream, "applied": number}
            for stream, number in sorted(applied.items())
        ]
        batch.upsert(connection, LEDGERS.cursors, [r for r in rows if r["stream"] not in later])
        anew = [r | {"epoch": later[str(r["stream"])]} for r in rows if r["stream"] in later]
        batch.upsert(connection, LEDGERS.cursors, anew)
