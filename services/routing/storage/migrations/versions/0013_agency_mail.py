"""Staff addresses of agencies, and when each next has its list as mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant, Json

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agency_mail",
        sa.Column("agency", sa.Text, primary_key=True),
        sa.Column("addresses", Json(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
    )
    asked = sa.text("wish IS NOT NULL")
    op.create_index("tasks_wish", "tasks", ["dossier"], postgresql_where=asked, sqlite_where=asked)


def downgrade() -> None:
    op.drop_index("tasks_wish", "tasks")
    op.drop_table("agency_mail")
