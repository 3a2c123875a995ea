"""People have accounts, sign-ins, and dossiers in their care."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant, Json

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("login", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("places", Json(), nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("must_change", sa.Boolean, nullable=False),
        sa.Column("totp", sa.Text),
        sa.Column("totp_last", sa.BigInteger, nullable=False),
        sa.Column("recovery", Json(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant()),
    )
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("chosen", Json(), nullable=False),
    )
    op.create_index("sign_ins_person", "sign_ins", ["person"])
    op.create_table(
        "custody",
        sa.Column("dossier", sa.Text, primary_key=True),
        sa.Column("officer", sa.Text, nullable=False),
        sa.Column("since", Instant(), nullable=False),
    )
    op.create_index("custody_officer", "custody", ["officer"])


def downgrade() -> None:
    for name in ("custody", "sign_ins", "staff"):
        op.drop_table(name)
