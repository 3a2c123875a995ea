"""Files of many submissions: worked through row by row, and which numbers were filed by them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant, Json

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("procedure", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("faults", Json(), nullable=False),
        sa.Column("rows", sa.Integer),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant()),
        sa.Column("leased_until", Instant()),
        sa.UniqueConstraint("office", "token", name="imports_token"),
    )
    op.create_table(
        "import_files",
        sa.Column("import_id", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "import_answers",
        sa.Column("import_id", sa.Text, primary_key=True),
        sa.Column("line", sa.Integer, primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("dossier", sa.Text),
        sa.Column("reasons", Json(), nullable=False),
    )
    _make_numbers()


def _make_numbers() -> None:
    op.create_table(
        "imported_numbers",
        sa.Column("office", sa.Text, primary_key=True),
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("dossier", sa.Text, nullable=False),
        sa.Column("import_id", sa.Text, nullable=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("at", Instant(), nullable=False),
    )


def downgrade() -> None:
    for table in ("imported_numbers", "import_answers", "import_files", "imports"):
        op.drop_table(table)
