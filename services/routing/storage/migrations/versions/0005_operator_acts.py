"""What operators do by hand is written down: who, what, to how many, and why."""

from __future__ import annotations

from alembic import op

from shared.messaging.history import drop_acts, make_acts

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    make_acts(op)  # type: ignore[arg-type]  # the module stands for Operations


def downgrade() -> None:
    drop_acts(op)  # type: ignore[arg-type]
