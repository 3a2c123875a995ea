"""Slips that a desk gave out while its line was away, and the dossiers that they stand for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "slips",
        sa.Column("dossier", sa.Text, primary_key=True),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("word", sa.Text, nullable=False),
        sa.Column("taken_at", Instant()),
        sa.Column("sent_at", Instant(), nullable=False),
    )
    op.create_index("slips_number", "slips", ["number"])
    op.create_index("slips_form", "slips", ["office", "token"], unique=True)


def downgrade() -> None:
    op.drop_table("slips")
