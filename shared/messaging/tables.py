"""The tables that every service keeps beside its own.

`define` adds them to a service's metadata. How they are written is in `sql/`; what they mean is
section 4 of the architecture. The names are the same in every service, one database each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import sqlalchemy as sa

from shared.database.sealing import SealedBytes
from shared.database.types import Instant

DONE: Final = "done"
LATE: Final = "late"
REFUSED: Final = "refused"
WAITING: Final = "waiting"
RETRY: Final = "retry"
PARKED: Final = "parked"
DISCARDED: Final = "discarded"

# A plain integer key counts up by itself on SQLite only when it is INTEGER.
_Position = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


@dataclass(frozen=True, slots=True)
class Ledgers:
    """The ledger tables of one service."""

    outbox: sa.Table
    inbox: sa.Table
    streams: sa.Table
    cursors: sa.Table
    acts: sa.Table
    epochs: sa.Table

    @classmethod
    def define(cls, metadata: sa.MetaData) -> Self:
        """Add the ledgers to a metadata and return them."""
        return cls(
            outbox=_outbox(metadata),
            inbox=_inbox(metadata),
            streams=_streams(metadata),
            cursors=_cursors(metadata),
            acts=_acts(metadata),
            epochs=_epochs(metadata),
        )


def _outbox(metadata: sa.MetaData) -> sa.Table:
    """Facts made here, as they are sent; also the way back in time of each dossier.

    `sent_at` is when the broker had a fact safely, or when it was parked (refusals.py).
    """
    table = sa.Table(
        "outbox",
        metadata,
        sa.Column("position", _Position, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("routing_key", sa.Text, nullable=False),
        sa.Column("body", SealedBytes, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant()),
        sa.UniqueConstraint("stream", "sequence", name="outbox_stream_sequence"),
        # AUTOINCREMENT: a position is never given twice, even after rows were removed.
        sqlite_autoincrement=True,
    )
    sa.Index("outbox_subject", table.c.subject)
    unsent = table.c.sent_at.is_(None)
    sa.Index("outbox_unsent", table.c.position, postgresql_where=unsent, sqlite_where=unsent)
    return table


def _inbox(metadata: sa.MetaData) -> sa.Table:
    """Facts that came in, each once per consumer, with what became of them."""
    table = sa.Table(
        "inbox",
        metadata,
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("fact_id", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", SealedBytes, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, default=0),
        sa.Column("next_at", Instant()),
        sa.Column("reason", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("handled_at", Instant()),
        # Under which key and by which broker user it was sent; of what was not done at once.
        sa.Column("routing_key", sa.Text),
        sa.Column("user_id", sa.Text),
    )
    sa.Index("inbox_subject", table.c.subject)
    for state, columns in (
        (WAITING, ("consumer", "subject")),
        (RETRY, ("consumer", "next_at")),
        (PARKED, ("consumer", "received_at")),
    ):
        only = table.c.state == sa.literal_column(f"'{state}'")
        picked = [table.c[name] for name in columns]
        sa.Index(f"inbox_{state}", *picked, postgresql_where=only, sqlite_where=only)
    return table


def _streams(metadata: sa.MetaData) -> sa.Table:
    """The last number given in each stream of ours, and the correlation id its facts share.

    `epoch` is the number that the stream counts on from since the database was restored, 0 in its
    first epoch; `follows` the last that was given before. `last` is `epoch` until a fact is made.
    """
    return sa.Table(
        "streams",
        metadata,
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("correlation", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("follows", sa.BigInteger, nullable=False, server_default="0"),
    )


def _cursors(metadata: sa.MetaData) -> sa.Table:
    """The last number that each consumer applied of each stream it reads, and of which epoch."""
    table = sa.Table(
        "cursors",
        metadata,
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("applied", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
    )
    sa.Index("cursors_stream", table.c.stream)
    return table


def _acts(metadata: sa.MetaData) -> sa.Table:
    """What operators did to the ledgers by hand: who, what, to how many, and why. Only added to."""
    return sa.Table(
        "operator_acts",
        metadata,
        sa.Column("position", _Position, primary_key=True, autoincrement=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )


def _epochs(metadata: sa.MetaData) -> sa.Table:
    """When this database was restored, and the number that its streams counted on from then."""
    return sa.Table(
        "epochs",
        metadata,
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )


#: For statements: the names are the same in every service.
LEDGERS: Final = Ledgers.define(sa.MetaData())
