"""Keys have an end, and tries of look-ups are counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant
from shared.identity.history import end_keys, endless_keys

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    end_keys(op)  # type: ignore[arg-type]  # the module stands for Operations
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
    endless_keys(op)  # type: ignore[arg-type]
