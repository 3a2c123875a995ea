"""A held message keeps its routing key and the broker user who sent it."""

from __future__ import annotations

from alembic import op

from shared.messaging.history import add_senders, drop_senders

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_senders(op)  # type: ignore[arg-type]  # the module stands for Operations


def downgrade() -> None:
    drop_senders(op)  # type: ignore[arg-type]
