"""Dossiers, daily counters, kept answers, and the ledgers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant, Json
from shared.messaging.history import create_ledgers, drop_ledgers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_ledgers(op)  # type: ignore[arg-type]  # the module stands for Operations
    _dossiers()
    op.create_table(
        "counters",
        sa.Column("agency_id", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("last", sa.Integer, nullable=False),
    )
    op.create_table(
        "idempotent_answers",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
    )


def _dossiers() -> None:
    op.create_table(
        "dossiers",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("procedure", sa.Text, nullable=False),
        sa.Column("procedure_version", sa.Integer, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("standing", sa.SmallInteger, nullable=False),
        sa.Column("submitted_at", Instant(), nullable=False),
        sa.Column("received_at", Instant()),
        sa.Column("promised_at", Instant()),
        sa.Column("due_at", Instant()),
        sa.Column("owed_at", Instant()),
        sa.Column("paused_since", Instant()),
        sa.Column("finished_at", Instant()),
        sa.Column("returned_at", Instant()),
        sa.Column("lookup_word", sa.Text, nullable=False),
        sa.Column("contact", Json(), nullable=False),
        sa.Column("searched", sa.Text, nullable=False),
        sa.Column("form", Json(), nullable=False),
        sa.Column("papers", Json(), nullable=False),
        sa.Column("branches", Json(), nullable=False),
        sa.Column("progress", Json(), nullable=False),
    )
    op.create_index("dossiers_office_submitted", "dossiers", ["office", "submitted_at", "code"])
    op.create_index("dossiers_office_received", "dossiers", ["office", "received_at"])
    unfinished = sa.text("finished_at IS NULL")
    op.create_index(
        "dossiers_office_open_due",
        "dossiers",
        ["office", "due_at"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )


def downgrade() -> None:
    for table in ("idempotent_answers", "counters", "dossiers"):
        op.drop_table(table)
    drop_ledgers(op)  # type: ignore[arg-type]
