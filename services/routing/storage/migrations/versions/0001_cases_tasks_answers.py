"""Cases, tasks, answers and the ledgers.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database import Instant, Json
from shared.messaging.history import create_ledgers, drop_ledgers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_RINGS = sa.text("next_at IS NOT NULL")
_OPEN = sa.text("state IN ('assigned', 'taken', 'paused')")


def upgrade() -> None:
    """Create everything."""
    create_ledgers(op)  # type: ignore[arg-type]  # the module stands for Operations
    _create_cases()
    _create_tasks()
    _create_answers()


def downgrade() -> None:
    """Take it away again."""
    for table in ("answers", "tasks", "cases"):
        op.drop_table(table)
    drop_ledgers(op)  # type: ignore[arg-type]  # the module stands for Operations


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("dossier", sa.Text, primary_key=True),
        sa.Column("procedure", sa.Text, nullable=False),
        sa.Column("procedure_name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("office_name", sa.Text, nullable=False),
        sa.Column("territory", sa.Text, nullable=False),
        sa.Column("branches", Json(), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("form", Json(), nullable=False),
        sa.Column("papers", Json(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("promised_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("rounds", sa.Integer, nullable=False),
        sa.Column("waiting_papers", sa.Boolean, nullable=False),
        sa.Column("respond_by", Instant()),
        sa.Column("extensions", sa.Integer, nullable=False),
        sa.Column("outside_since", Instant()),
        sa.Column("dates_owed", sa.Integer, nullable=False),
        sa.Column("alarm_due_at", Instant()),
        sa.Column("near_day_at", Instant()),
        sa.Column("near_hours_at", Instant()),
        sa.Column("missed", sa.Boolean, nullable=False),
        sa.Column("next_at", Instant()),
        sa.Column("closed_at", Instant()),
    )
    op.create_index(
        "cases_next_at", "cases", ["next_at"], postgresql_where=_RINGS, sqlite_where=_RINGS
    )


def _create_tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("dossier", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("agency", sa.Text, nullable=False),
        sa.Column("agency_name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("due_at", Instant()),
        sa.Column("near_day_at", Instant()),
        sa.Column("near_hours_at", Instant()),
        sa.Column("missed", sa.Boolean, nullable=False),
        sa.Column("next_at", Instant()),
        sa.Column("taken_at", Instant()),
        sa.Column("officer", sa.Text),
        sa.Column("paused_at", Instant()),
        sa.Column("asked", sa.Boolean, nullable=False),
        sa.Column("pending", Json()),
        sa.Column("extensions", sa.Integer, nullable=False),
        sa.Column("closed_by", sa.Text),
        sa.Column("closed_at", Instant()),
        sa.Column("outcome", sa.Text),
        sa.Column("result_code", sa.Text),
        sa.Column("document", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("amount_vnd", sa.BigInteger),
        sa.Column("late", sa.Boolean, nullable=False),
        sa.UniqueConstraint("dossier", "step", name="tasks_dossier_step"),
    )
    op.create_index(
        "tasks_next_at", "tasks", ["next_at"], postgresql_where=_RINGS, sqlite_where=_RINGS
    )
    op.create_index(
        "tasks_open", "tasks", ["agency", "due_at"], postgresql_where=_OPEN, sqlite_where=_OPEN
    )
    op.create_index("tasks_agency", "tasks", ["agency", "opened_at"])


def _create_answers() -> None:
    op.create_table(
        "answers",
        sa.Column("answer_id", sa.Text, primary_key=True),
        sa.Column("agency", sa.Text, primary_key=True),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("applied", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("at", Instant(), nullable=False),
    )
    op.create_index("answers_task", "answers", ["task"])
