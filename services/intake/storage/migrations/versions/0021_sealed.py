"""What was erased of whom. What citizens say of themselves is sealed by the nightly loop, in place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant, Json

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", _Number, primary_key=True, autoincrement=True),
        sa.Column("dossier", sa.Text, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("counts", Json(), nullable=False),
        sa.Column("who", sa.Text, nullable=False),
    )
    op.create_index("erasures_dossier", "erasures", ["dossier"])
    op.add_column("dossiers", sa.Column("erased_at", Instant()))
    there = sa.text("erased_at IS NULL AND finished_at IS NOT NULL")
    op.create_index(
        "dossiers_to_erase",
        "dossiers",
        ["finished_at"],
        postgresql_where=there,
        sqlite_where=there,
    )


def downgrade() -> None:
    """What was sealed stays so, and the version before cannot read it."""
    op.drop_index("dossiers_to_erase", "dossiers")
    op.drop_column("dossiers", "erased_at")
    op.drop_index("erasures_dossier", "erasures")
    op.drop_table("erasures")
