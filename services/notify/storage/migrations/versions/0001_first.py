"""The ledgers, what is remembered of dossiers, contacts and messages."""

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
    op.create_table(
        "cases",
        sa.Column("dossier", sa.Text, primary_key=True),
        sa.Column("procedure", sa.Text, nullable=False),
        sa.Column("procedure_name", sa.Text, nullable=False),
        sa.Column("short_name", sa.Text, nullable=False),
        sa.Column("office", sa.Text, nullable=False),
        sa.Column("office_name", sa.Text, nullable=False),
        sa.Column("due_at", Instant()),
    )
    op.create_table(
        "contacts",
        sa.Column("dossier", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("phone", sa.Text),
        sa.Column("email", sa.Text),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("consent_sms", sa.Boolean, nullable=False),
        sa.Column("consent_email", sa.Boolean, nullable=False),
        sa.Column("lookup_word", sa.Text, nullable=False),
        sa.Column("given_at", Instant(), nullable=False),
    )
    _create_messages()


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("fact_id", sa.Text, nullable=False),
        sa.Column("moment", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("dossier", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("encoding", sa.Text, nullable=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("template_version", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", Instant()),
        sa.Column("reason", sa.Text),
        sa.Column("sent_at", Instant()),
        sa.Column("told_unreachable", sa.Boolean, nullable=False),
        sa.Column("about", Json()),
        sa.Column("sender", sa.Text),
        sa.Column("lease_until", Instant()),
        sa.UniqueConstraint("fact_id", "moment", "person", "channel", name="messages_once"),
    )
    op.create_index("messages_dossier", "messages", ["dossier"])
    op.create_index("messages_newest", "messages", ["made_at", "id"])
    _partial_index("messages_due", ["channel", "next_at", "id"], "state IN ('queued', 'failed')")
    _partial_index("messages_sending", ["channel", "lease_until"], "state IN ('sending')")
    _partial_index("messages_awaiting", ["made_at"], "state IN ('awaiting_contact')")
    _partial_index(
        "messages_stuck", ["state", "changed_at"], "state IN ('uncertain', 'undeliverable')"
    )


def _partial_index(name: str, columns: list[str], where: str) -> None:
    only = sa.text(where)
    op.create_index(name, "messages", columns, postgresql_where=only, sqlite_where=only)


def downgrade() -> None:
    for table in ("messages", "contacts", "cases"):
        op.drop_table(table)
    drop_ledgers(op)  # type: ignore[arg-type]
