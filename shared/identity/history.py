"""How the tables of this room came to their shape, for the histories of the services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from shared.database.types import Instant
from shared.identity.audit.tables import guard, unguard

if TYPE_CHECKING:
    from alembic.operations import Operations

#: What a key that was made without an end still has, from the upgrade on.
_LEFT: Final = timedelta(days=365)
_KEYS: Final = sa.table("api_keys", sa.column("expires_at", Instant()))


def end_keys(op: Operations) -> None:
    """Give every key an end; those there are get a year from now."""
    op.add_column("api_keys", sa.Column("expires_at", Instant()))
    op.get_bind().execute(sa.update(_KEYS).values(expires_at=datetime.now(UTC) + _LEFT))
    with op.batch_alter_table("api_keys") as table:
        table.alter_column("expires_at", existing_type=Instant(), nullable=False)


def endless_keys(op: Operations) -> None:
    """Undo `end_keys`."""
    with op.batch_alter_table("api_keys") as table:
        table.drop_column("expires_at")


def make_access_log(op: Operations) -> None:
    """The access log, empty, its seals and its prunes; from now on they are only added to."""
    position = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "access_log",
        sa.Column("position", position, primary_key=True, autoincrement=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("things", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("access_log_at", "access_log", ["at"])
    op.create_table(
        "access_seals",
        sa.Column("number", position, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("sealed_at", Instant(), nullable=False),
    )
    op.create_table(
        "access_prunes",
        sa.Column("number", position, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("pruned_at", Instant(), nullable=False),
    )
    guard(op.get_bind())


def drop_access_log(op: Operations) -> None:
    """Undo `make_access_log`."""
    unguard(op.get_bind())
    for name in ("access_log", "access_seals", "access_prunes"):
        op.drop_table(name)
