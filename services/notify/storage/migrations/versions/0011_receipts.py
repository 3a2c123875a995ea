"""Each try is written down, and what a provider tells afterwards of what it took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant, Json

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("messages", sa.Column("provider", sa.Text, nullable=False, server_default=""))
    op.add_column("messages", sa.Column("delivered_at", Instant()))
    _make_attempts()
    _make_tickets()
    _make_strays()


def downgrade() -> None:
    for table in ("strays", "tickets", "attempts"):
        op.drop_table(table)
    # The state that an older version does not know: handed over all the same.
    op.execute("UPDATE messages SET state = 'sent' WHERE state = 'delivered'")
    op.drop_column("messages", "delivered_at")
    op.drop_column("messages", "provider")


def _make_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", _Number, primary_key=True, autoincrement=True),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
    )
    op.create_index("attempts_message", "attempts", ["message"])
    op.create_index("attempts_at", "attempts", ["at"])


def _make_tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", _Number, primary_key=True, autoincrement=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("given", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("fate", sa.Integer, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("ask_at", Instant()),
    )
    op.create_index("tickets_reference", "tickets", ["reference", "provider"])
    op.create_index("tickets_message", "tickets", ["message"])
    asking = sa.text("ask_at IS NOT NULL")
    op.create_index(
        "tickets_asking", "tickets", ["ask_at"], postgresql_where=asking, sqlite_where=asking
    )


def _make_strays() -> None:
    op.create_table(
        "strays",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("names", Json(), nullable=False),
        sa.Column("fate", sa.Integer, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("number", sa.Integer),
        sa.Column("heard_at", Instant(), nullable=False),
        sa.Column("looked", sa.Integer, nullable=False),
        sa.Column("look_at", Instant(), nullable=False),
    )
    op.create_index("strays_look_at", "strays", ["look_at"])
