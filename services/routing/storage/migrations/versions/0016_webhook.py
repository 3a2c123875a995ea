"""How an agency is reached by webhook, and by which way it fetched what it was served."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant, Json

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("agency", sa.Text, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("skips", Json(), nullable=False),
        sa.Column("secrets", Json(), nullable=False),
        sa.Column("paused", sa.Text),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("cursor", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failing_since", Instant()),
        sa.Column("failure", sa.Text),
        sa.Column("next_at", Instant()),
        sa.Column("held_by", sa.Text),
        sa.Column("held_until", Instant()),
        sa.Column("delivered", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", Instant()),
        sa.Column("trial_asked_at", Instant()),
        sa.Column("trial_at", Instant()),
        sa.Column("trial", sa.Text),
    )
    op.add_column("fetches", sa.Column("way", sa.Text, nullable=False, server_default="door"))


def downgrade() -> None:
    op.drop_column("fetches", "way")
    op.drop_table("webhooks")
