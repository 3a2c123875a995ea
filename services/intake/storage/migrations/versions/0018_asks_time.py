"""Since when an agency waits for the head's word on more time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dossiers", sa.Column("asks_time_since", Instant()))
    asked = sa.text("asks_time_since IS NOT NULL")
    op.create_index(
        "dossiers_office_asks_time",
        "dossiers",
        ["office", "asks_time_since"],
        sqlite_where=asked,
        postgresql_where=asked,
    )


def downgrade() -> None:
    op.drop_index("dossiers_office_asks_time", "dossiers")
    op.drop_column("dossiers", "asks_time_since")
