"""The fourth shape of the ledgers: streams can begin anew after the database was restored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from shared.database.types import Instant

if TYPE_CHECKING:
    from alembic.operations import Operations

_COLUMNS: Final = (("streams", "epoch"), ("streams", "follows"), ("cursors", "epoch"))


def make_epochs(op: Operations) -> None:
    """Every stream is in its first epoch."""
    for table, name in _COLUMNS:
        column = sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        op.add_column(table, column)
    op.create_table(
        "epochs",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )


def drop_epochs(op: Operations) -> None:
    """Undo `make_epochs`; the numbers of a later epoch stay, and what they followed is forgotten."""
    op.drop_table("epochs")
    for table, name in _COLUMNS:
        op.drop_column(table, name)
