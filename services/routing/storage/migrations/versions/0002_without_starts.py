"""Nothing is noted of starts any more: what is unsent is what a start sends."""

from __future__ import annotations

from alembic import op

from shared.messaging.history import drop_starts, make_starts

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    drop_starts(op)  # type: ignore[arg-type]  # the module stands for Operations


def downgrade() -> None:
    make_starts(op)  # type: ignore[arg-type]
