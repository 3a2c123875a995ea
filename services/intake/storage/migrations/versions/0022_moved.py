"""When a dossier last went to another office at a reorganisation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dossiers", sa.Column("moved_at", Instant()))


def downgrade() -> None:
    op.drop_column("dossiers", "moved_at")
