"""Mail that came back, and who is told in the applicant's place."""

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
        "bounces",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("fate", sa.Text, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
    )
    op.create_index("bounces_at", "bounces", ["at"])
    op.add_column("contacts", sa.Column("representative", sa.Text))


def downgrade() -> None:
    """Who was told in the applicant's place is told on, under the applicant's name."""
    op.drop_column("contacts", "representative")
    op.drop_index("bounces_at", "bounces")
    op.drop_table("bounces")
