"""What agencies fetched at the door, and when they opened a task: the hand-over book's own rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fetches",
        sa.Column("agency", sa.Text, primary_key=True),
        sa.Column("first", sa.BigInteger, primary_key=True),
        sa.Column("last", sa.BigInteger, primary_key=True),
        sa.Column("at", Instant(), nullable=False),
    )
    op.create_table(
        "looks",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("looks")
    op.drop_table("fetches")
