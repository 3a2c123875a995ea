"""What was said of a dossier has rows of its own, so that the ledgers can let go of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "timelines",
        sa.Column("dossier", sa.Text, primary_key=True),
        sa.Column("facts", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("timelines")
