"""Streams can begin anew after the database was restored."""

from __future__ import annotations

from alembic import op

from shared.messaging.history import drop_epochs, make_epochs

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    make_epochs(op)  # type: ignore[arg-type]  # the module stands for Operations


def downgrade() -> None:
    drop_epochs(op)  # type: ignore[arg-type]
