"""The ledgers in their first shape, which never changes.

To change the ledgers: change `shared/messaging/tables.py`, write what is to be done in a new file
beside this, as `ledgers_2.py` does, and call that from a new version of each service.
"""

from __future__ import annotations

import sqlalchemy as sa

from shared.database.types import Instant


def tables() -> sa.MetaData:
    """The six tables of the first shape."""
    metadata = sa.MetaData()
    for make in (_outbox, _inbox, _streams, _cursors, _starts, _api_keys):
        make(metadata)
    return metadata


def _position() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("position", kind, primary_key=True, autoincrement=True)


def _outbox(metadata: sa.MetaData) -> None:
    table = sa.Table(
        "outbox",
        metadata,
        _position(),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("routing_key", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant()),
        sa.UniqueConstraint("stream", "sequence", name="outbox_stream_sequence"),
        sqlite_autoincrement=True,
    )
    sa.Index("outbox_subject", table.c.subject)
    unsent = sa.text("sent_at IS NULL")
    sa.Index("outbox_unsent", table.c.position, postgresql_where=unsent, sqlite_where=unsent)


def _inbox(metadata: sa.MetaData) -> None:
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
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", Instant()),
        sa.Column("reason", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("handled_at", Instant()),
    )
    c = table.c
    sa.Index("inbox_subject", c.subject)
    _only("inbox_waiting", "waiting", c.consumer, c.subject)
    _only("inbox_retry", "retry", c.consumer, c.next_at)
    _only("inbox_parked", "parked", c.consumer, c.received_at)


def _only(name: str, state: str, *columns: sa.Column[object]) -> None:
    where = sa.text(f"state = '{state}'")
    sa.Index(name, *columns, postgresql_where=where, sqlite_where=where)


def _streams(metadata: sa.MetaData) -> None:
    sa.Table(
        "streams",
        metadata,
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("correlation", sa.Text, nullable=False),
    )


def _cursors(metadata: sa.MetaData) -> None:
    table = sa.Table(
        "cursors",
        metadata,
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("applied", sa.BigInteger, nullable=False),
    )
    sa.Index("cursors_stream", table.c.stream)


def _starts(metadata: sa.MetaData) -> None:
    sa.Table(
        "starts",
        metadata,
        _position(),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("resend_from", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )


def _api_keys(metadata: sa.MetaData) -> None:
    sa.Table(
        "api_keys",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("bound_to", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant()),
    )
