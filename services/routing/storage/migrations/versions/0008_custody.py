"""Keys have an end, and who looked is written down."""

from __future__ import annotations

from alembic import op

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


def downgrade() -> None:
    drop_access_log(op)  # type: ignore[arg-type]
    endless_keys(op)  # type: ignore[arg-type]
