"""How people beside the applicant are reached, and which moments they hear of."""

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
        "parties",
        sa.Column("dossier", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("phone", sa.Text),
        sa.Column("email", sa.Text),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("consent_sms", sa.Boolean, nullable=False),
        sa.Column("consent_email", sa.Boolean, nullable=False),
        sa.Column("told", Json(), nullable=False),
        sa.Column("given_at", Instant(), nullable=False),
        sa.Column("first", sa.Text),
        sa.Column("phone_mark", sa.Text),
        sa.Column("email_mark", sa.Text),
    )
    for name in ("phone_mark", "email_mark"):
        op.create_index(f"parties_{name}", "parties", [name])


def downgrade() -> None:
    op.drop_table("parties")
