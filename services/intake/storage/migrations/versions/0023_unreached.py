"""At which numbers and mailboxes nothing arrives, by keyed digests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unreached",
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("since", Instant(), nullable=False),
    )
    op.create_index("unreached_since", "unreached", ["since"])


def downgrade() -> None:
    op.drop_index("unreached_since", "unreached")
    op.drop_table("unreached")
