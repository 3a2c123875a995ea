"""What is typed at the desk is kept until it is filed, for a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant, Json

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("office", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("procedure", sa.Text, nullable=False),
        sa.Column("officer", sa.Text, nullable=False),
        sa.Column("page", sa.Text, nullable=False),
        sa.Column("saves", sa.Integer, nullable=False),
        sa.Column("inputs", Json(), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
    )
    op.create_index("drafts_saved_at", "drafts", ["saved_at"])


def downgrade() -> None:
    op.drop_index("drafts_saved_at", "drafts")
    op.drop_table("drafts")
