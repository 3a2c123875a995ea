"""Who sends has a name of its own and says that it lives: not host and number, which come again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("beats", sa.BigInteger, nullable=False),
        sa.Column("beat_at", Instant(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("processes")
