"""When time alone does something about a dossier: a reminder, papers that never came.

Requests made before this have no such instant: a person closes them, or extends them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dossiers", sa.Column("next_at", Instant()))
    some = sa.text("next_at IS NOT NULL")
    op.create_index(
        "dossiers_next_at", "dossiers", ["next_at"], sqlite_where=some, postgresql_where=some
    )


def downgrade() -> None:
    op.drop_index("dossiers_next_at", "dossiers")
    op.drop_column("dossiers", "next_at")
