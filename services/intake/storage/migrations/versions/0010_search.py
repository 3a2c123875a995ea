"""Dossiers are found by names without marks, numbers and parcels; lists have indexes of their own.

No row is filled in here: that needs the service's secret and takes minutes. A loop of the service
does it in short steps (usecases/fill.py) and says when it is done.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ALIVE = sa.text("status IN (1, 2, 4, 5, 6, 9)")
_CALL = sa.text("call_since IS NOT NULL")


def upgrade() -> None:
    word = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "search_words",
        sa.Column("dossier", sa.Text, primary_key=True),
        sa.Column("word", word, primary_key=True),
        sa.Column("office", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("search_words_office_word", "search_words", ["office", "word", "dossier"])
    op.create_table(
        "search_state",
        sa.Column("key_mark", sa.Text, primary_key=True),
        sa.Column("reached", sa.Text, nullable=False),
        sa.Column("done", sa.Boolean, nullable=False),
    )
    op.create_table(
        "searches",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
    )
    op.create_index("searches_made_at", "searches", ["made_at"])
    op.add_column("dossiers", sa.Column("call_since", Instant()))
    op.create_index(
        "dossiers_office_alive",
        "dossiers",
        ["office", "status", "due_at", "code", "paused_since"],
        sqlite_where=_ALIVE,
        postgresql_where=_ALIVE,
    )
    op.create_index(
        "dossiers_office_call",
        "dossiers",
        ["office", "call_since"],
        sqlite_where=_CALL,
        postgresql_where=_CALL,
    )


def downgrade() -> None:
    op.drop_index("dossiers_office_call", "dossiers")
    op.drop_index("dossiers_office_alive", "dossiers")
    op.drop_column("dossiers", "call_since")
    op.drop_table("searches")
    op.drop_table("search_state")
    op.drop_table("search_words")
