"""What each hand-over cost, and for whose dossiers: kept with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Messages and cases are never deleted: of each hand-over of before it is known too.
_FILL = (
    "UPDATE attempts SET"
    " channel = COALESCE((SELECT m.channel FROM messages AS m WHERE m.id = attempts.message), ''),"
    " parts = COALESCE((SELECT m.parts FROM messages AS m WHERE m.id = attempts.message), 0),"
    " office = COALESCE((SELECT c.office FROM messages AS m JOIN cases AS c ON c.dossier = m.dossier"
    " WHERE m.id = attempts.message), '')"
)


def upgrade() -> None:
    for name in ("channel", "office"):
        column = sa.Column(name, sa.Text, nullable=False, server_default="")
        op.add_column("attempts", column)
    op.add_column("attempts", sa.Column("parts", sa.Integer, nullable=False, server_default="0"))
    op.execute(_FILL)


def downgrade() -> None:
    for name in ("parts", "office", "channel"):
        op.drop_column("attempts", name)
