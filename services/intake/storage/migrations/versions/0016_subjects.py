"""An account may be joined to an identity of the city's own sign-in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("subject", sa.Text))
    op.create_index("staff_subject", "staff", ["subject"], unique=True)


def downgrade() -> None:
    op.drop_index("staff_subject", "staff")
    op.drop_column("staff", "subject")
