"""What was sent by post, for the day's list for the post office."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "postings",
        sa.Column("dossier", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("posted_at", Instant(), nullable=False),
        sa.Column("carrier", sa.Text),
        sa.Column("waybill", sa.Text),
    )
    op.create_index("postings_office_at", "postings", ["office", "posted_at"])


def downgrade() -> None:
    op.drop_index("postings_office_at", "postings")
    op.drop_table("postings")
