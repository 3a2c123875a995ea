"""The shape of the ledgers in which operators' acts have a table of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from shared.database.types import Instant

if TYPE_CHECKING:
    from alembic.operations import Operations


def make_acts(op: Operations) -> None:
    """Room for who did what by hand, and why."""
    op.create_table(
        "operator_acts",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )


def drop_acts(op: Operations) -> None:
    """Undo `make_acts`."""
    op.drop_table("operator_acts")
