"""Who wants nothing sent, and what citizens write to the city."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stops",
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
    )
    op.create_table(
        "heard",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("heard_at", Instant(), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", Instant()),
        sa.Column("answer", sa.Text, nullable=False),
    )
    op.create_index("heard_sender", "heard", ["sender", "heard_at"])
    is_open = sa.text("next_at IS NOT NULL")
    op.create_index(
        "heard_next", "heard", ["next_at"], postgresql_where=is_open, sqlite_where=is_open
    )
    _index("messages_phone", "channel = 'sms'", "recipient", "made_at")
    _index("messages_opted_out", "state IN ('opted_out')", "made_at")


def downgrade() -> None:
    op.drop_index("messages_opted_out", "messages")
    op.drop_index("messages_phone", "messages")
    # The state that an older version does not know.
    op.execute("UPDATE messages SET state = 'undeliverable' WHERE state = 'opted_out'")
    op.drop_table("heard")
    op.drop_table("stops")


def _index(name: str, condition: str, *columns: str) -> None:
    only = sa.text(condition)
    op.create_index(name, "messages", list(columns), postgresql_where=only, sqlite_where=only)
