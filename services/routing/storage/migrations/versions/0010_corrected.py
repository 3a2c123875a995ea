"""A case knows which fields of its form the desk has corrected."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Json

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cases", sa.Column("corrected", Json()))


def downgrade() -> None:
    op.drop_column("cases", "corrected")
