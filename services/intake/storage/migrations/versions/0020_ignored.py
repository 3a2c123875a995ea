"""The columns of an uploaded file that whoever handed it in has left out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Json

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "imports", sa.Column("ignored", Json(), nullable=False, server_default=sa.text("'[]'"))
    )


def downgrade() -> None:
    op.drop_column("imports", "ignored")
