"""What an agency and the city differ in, day by day, and when that began and ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant, Json

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("agency", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("said_at", Instant()),
        sa.Column("trouble", sa.Text),
        sa.Column("spans", Json(), nullable=False),
        sa.Column("since", Instant()),
        sa.Column("sent_again", sa.Integer, nullable=False),
        sa.Column("healed_at", Instant()),
    )


def downgrade() -> None:
    op.drop_table("reconciliations")
