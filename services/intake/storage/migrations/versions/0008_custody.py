"""Keys have an end, tries of look-ups are counted, and who looked is written down."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant
from shared.identity.history import (
    drop_access_log,
    end_keys,
    endless_keys,
    make_access_log,
)

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    end_keys(op)  # type: ignore[arg-type]  # the module stands for Operations
    make_access_log(op)  # type: ignore[arg-type]
    op.create_table(
        "guesses",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
    )
    op.create_index("guesses_at", "guesses", ["at"])


def downgrade() -> None:
    op.drop_index("guesses_at", "guesses")
    op.drop_table("guesses")
    drop_access_log(op)  # type: ignore[arg-type]
    endless_keys(op)  # type: ignore[arg-type]
