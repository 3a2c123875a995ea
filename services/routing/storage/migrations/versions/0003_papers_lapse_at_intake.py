"""Intake says when papers did not come: no clock of routing rings for a case that waits for them."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE cases SET next_at = NULL WHERE waiting_papers")


def downgrade() -> None:
    op.execute("UPDATE cases SET next_at = respond_by WHERE waiting_papers AND state = 'live'")
