"""Keys have an end."""

from __future__ import annotations

from alembic import op

from shared.identity.history import end_keys, endless_keys

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    end_keys(op)  # type: ignore[arg-type]  # the module stands for Operations


def downgrade() -> None:
    endless_keys(op)  # type: ignore[arg-type]
