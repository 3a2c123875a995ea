"""Signed and chained records of what was handed over and answered; the end of a hand-over's lifetime.

What was handed over before is sealed after the fact, in batches, like everything else.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.types import Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_SEALED = ("answers", "refused_answers", "fetches")
_UNSEALED = sa.text("NOT sealed")
_NUMBERED = sa.text("message IS NOT NULL")
_EXPIRED = sa.text("expired_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("tasks", sa.Column("expired_at", Instant()))
    _index("tasks_expired", "tasks", ["agency"], _EXPIRED)
    op.add_column("answers", sa.Column("signature", sa.Text))
    for table in _SEALED:
        op.add_column(
            table, sa.Column("sealed", sa.Boolean, nullable=False, server_default=sa.false())
        )
        _index(f"{table}_unsealed", table, ["agency"], _UNSEALED)
    _records()
    op.create_table(
        "evidence_heads",
        sa.Column("agency", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("message", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "evidence_keys",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("public", sa.LargeBinary, nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant()),
    )


def _records() -> None:
    op.create_table(
        "evidence",
        sa.Column("agency", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("message", sa.BigInteger),
        sa.Column("about", sa.Text),
        sa.Column("core", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("token", sa.LargeBinary),
        sa.Column("sealed_at", Instant(), nullable=False),
    )
    op.create_index("evidence_at", "evidence", ["agency", "at"])
    op.create_index("evidence_about", "evidence", ["about"])
    _index("evidence_message", "evidence", ["agency", "message"], _NUMBERED)


def _index(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    for table in ("evidence_keys", "evidence_heads", "evidence"):
        op.drop_table(table)
    for table in _SEALED:
        op.drop_index(f"{table}_unsealed", table)
        op.drop_column(table, "sealed")
    op.drop_column("answers", "signature")
    op.drop_index("tasks_expired", "tasks")
    op.drop_column("tasks", "expired_at")
