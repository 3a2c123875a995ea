"""What became of answers that were not applied, and when an untaken task is handed over again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refused_answers",
        sa.Column("agency", sa.Text, primary_key=True),
        sa.Column("answer_id", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("vi", sa.Text, nullable=False),
        sa.Column("en", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("at", Instant(), nullable=False),
    )
    op.create_index("refused_answers_task", "refused_answers", ["task"])
    for column in (
        sa.Column("repeat_at", Instant()),
        sa.Column("repeats", sa.Integer, nullable=False, server_default="0"),
        sa.Column("fetched_at", Instant()),
    ):
        op.add_column("tasks", column)


def downgrade() -> None:
    with op.batch_alter_table("tasks") as tasks:
        for name in ("fetched_at", "repeats", "repeat_at"):
            tasks.drop_column(name)
    op.drop_table("refused_answers")
