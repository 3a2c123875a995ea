"""How a dossier was filed; extra verifications, and tasks that count no more since it was sent back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cases", sa.Column("channel", sa.Text))
    op.add_column(
        "tasks", sa.Column("verifications", sa.Integer, nullable=False, server_default="0")
    )
    op.add_column(
        "tasks", sa.Column("undone", sa.Boolean, nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    with op.batch_alter_table("tasks") as tasks:
        tasks.drop_column("undone")
        tasks.drop_column("verifications")
    with op.batch_alter_table("cases") as cases:
        cases.drop_column("channel")
