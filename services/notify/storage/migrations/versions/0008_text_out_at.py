"""A message whose text is going out is told from one that a sender has only claimed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("text_out_at", Instant()))
    # What an older version had in hand may have gone out.
    op.execute("UPDATE messages SET text_out_at = changed_at WHERE state = 'sending'")


def downgrade() -> None:
    op.drop_column("messages", "text_out_at")
