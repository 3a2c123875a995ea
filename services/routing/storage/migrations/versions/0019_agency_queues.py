"""What is wished of an agency's queue on the broker, and whether that was carried out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agency_queues",
        sa.Column("agency", sa.Text, primary_key=True),
        sa.Column("wanted", sa.Boolean, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("hash", sa.Text),
        sa.Column("old_hash", sa.Text),
        sa.Column("old_until", Instant()),
        sa.Column("paused_at", Instant()),
        sa.Column("paused_by", sa.Text),
        sa.Column("paused_why", sa.Text),
        sa.Column("wished_at", Instant(), nullable=False),
        sa.Column("wished_by", sa.Text),
        sa.Column("done_at", Instant()),
        sa.Column("trouble", sa.Text),
    )


def downgrade() -> None:
    op.drop_table("agency_queues")
