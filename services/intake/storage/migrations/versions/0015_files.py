"""Scans and results of dossiers, and the codes by which citizens read results."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("dossier", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
        sa.Column("agency", sa.Text),
        sa.Column("task", sa.Text),
        sa.Column("withdrawn_at", Instant()),
        sa.Column("reason", sa.Text),
    )
    op.create_index("files_dossier", "files", ["dossier", "added_at"])
    op.create_index(
        "files_held",
        "files",
        ["added_at"],
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_table(
        "file_codes",
        sa.Column("dossier", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("until", Instant(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("file_codes")
    op.drop_index("files_held", "files")
    op.drop_index("files_dossier", "files")
    op.drop_table("files")
