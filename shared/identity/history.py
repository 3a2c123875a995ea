"""How the tables of this room came to their shape, for the histories of the services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from shared.database.types import Instant

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
