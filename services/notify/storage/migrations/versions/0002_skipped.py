"""Messages that were not sent because nobody agreed to any are found without reading all others."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    only = sa.text("state IN ('skipped')")
    op.create_index(
        "messages_skipped", "messages", ["made_at"], postgresql_where=only, sqlite_where=only
    )


def downgrade() -> None:
    op.drop_index("messages_skipped", "messages")
