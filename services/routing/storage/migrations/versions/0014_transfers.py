"""A step may see several tasks, one after the other; and the list of those that wait to be placed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_PLACING = sa.text("kind = 'placing'")


def upgrade() -> None:
    op.add_column("tasks", sa.Column("number", sa.Integer, nullable=False, server_default="1"))
    op.add_column("tasks", sa.Column("named", sa.Text))
    with op.batch_alter_table("tasks") as tasks:
        tasks.drop_constraint("tasks_dossier_step", type_="unique")
        tasks.create_unique_constraint("tasks_dossier_step_number", ["dossier", "step", "number"])
    op.create_index(
        "tasks_placing", "tasks", ["agency"], postgresql_where=_PLACING, sqlite_where=_PLACING
    )


def downgrade() -> None:
    op.drop_index("tasks_placing", "tasks")
    with op.batch_alter_table("tasks") as tasks:
        tasks.drop_constraint("tasks_dossier_step_number", type_="unique")
        tasks.drop_column("named")
        tasks.drop_column("number")
        tasks.create_unique_constraint("tasks_dossier_step", ["dossier", "step"])
