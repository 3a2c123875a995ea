"""One way after the other, calls of the desk, and messages that wait for a decent hour.

What was written before is the only way of its kind (1 of 1) and goes out as it would have.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_INDEXES = (
    ("messages_held", ("held",), ["channel", "next_at", "id"]),
    ("messages_standby", ("standby",), ["next_at", "id"]),
    ("messages_to_call", ("to_call",), ["changed_at"]),
    ("messages_dropped", ("spared", "cancelled", "recalled"), ["state", "made_at"]),
)


def upgrade() -> None:
    op.add_column("cases", sa.Column("channel", sa.Text, nullable=False, server_default=""))
    op.add_column("contacts", sa.Column("first", sa.Text))
    for column in (
        sa.Column("rung", sa.SmallInteger, nullable=False, server_default="1"),
        sa.Column("rungs", sa.SmallInteger, nullable=False, server_default="1"),
        sa.Column("matter", sa.Text, nullable=False, server_default=""),
        sa.Column("good_until", Instant()),
    ):
        op.add_column("messages", column)
    for name, states, columns in _INDEXES:
        only = sa.text("state IN ({})".format(", ".join(f"'{state}'" for state in states)))
        op.create_index(name, "messages", columns, postgresql_where=only, sqlite_where=only)
    op.create_table(
        "told_days",
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("told_days")
    # States that an older version does not know: what waits goes now, the rest is over.
    op.execute("UPDATE messages SET state = 'queued' WHERE state = 'held'")
    op.execute(
        "UPDATE messages SET state = 'skipped' "
        "WHERE state IN ('standby', 'spared', 'cancelled', 'recalled')"
    )
    op.execute("UPDATE messages SET state = 'undeliverable' WHERE state = 'to_call'")
    for name, _, _ in _INDEXES:
        op.drop_index(name, "messages")
    for column in ("rung", "rungs", "matter", "good_until"):
        op.drop_column("messages", column)
    op.drop_column("contacts", "first")
    op.drop_column("cases", "channel")
