"""Requests for more time, and when a missed promise is apologised for; those that were missed in silence before, at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Open dossiers whose clock runs, as Case.next_at has it.
_SILENT = """
UPDATE cases SET apology_at = alarm_due_at, next_at = alarm_due_at
WHERE state = 'live' AND missed AND NOT waiting_papers AND outside_since IS NULL AND dates_owed = 0
AND NOT EXISTS (
    SELECT 1 FROM tasks WHERE tasks.dossier = cases.dossier AND tasks.kind = 'payment'
    AND tasks.state IN ('assigned', 'taken', 'paused')
)
"""


def upgrade() -> None:
    op.add_column("cases", sa.Column("apology_at", Instant()))
    op.execute(_SILENT)
    op.add_column("tasks", sa.Column("wish", Instant()))


def downgrade() -> None:
    op.drop_column("tasks", "wish")
    op.drop_column("cases", "apology_at")
