"""Contacts, addresses and texts sealed; what they are found by; what was erased.

Contacts, stops and what citizens wrote are sealed here. Messages and ledgers, of which there are
many, are read as they are and sealed by the nightly loop.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.database.resealing import seal_some
from shared.database.sealing import Marked, SealedText, sealer_of
from shared.database.types import Instant, Json

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_then = sa.MetaData()
_contacts = sa.Table(
    "contacts",
    _then,
    sa.Column("dossier", sa.Text, primary_key=True),
    *(sa.Column(name, SealedText) for name in ("name", "phone", "email", "lookup_word")),
    sa.Column("phone_mark", Marked("phone")),
    sa.Column("email_mark", Marked("email")),
)
_heard = sa.Table(
    "heard",
    _then,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sender", SealedText),
    sa.Column("text", SealedText),
    sa.Column("sender_mark", Marked("sender")),
)
_STOP = sa.text(
    "UPDATE stops SET address = :mark, shown = :shown WHERE address = :plain"
).bindparams(sa.bindparam("mark", type_=Marked("shown")), sa.bindparam("shown", type_=SealedText()))
# Of the others nobody knows whether the result was fetched: their contacts stay until asked for.
_CLOSE = (
    "UPDATE cases SET closed = true WHERE ended AND EXISTS (SELECT 1 FROM messages AS m"
    " WHERE m.dossier = cases.dossier"
    " AND m.moment IN ('refused', 'withdrawn', 'stopped', 'returned'))"
)
_SMS = "channel = 'sms'"


def upgrade() -> None:
    for name in ("phone_mark", "email_mark"):
        op.add_column("contacts", sa.Column(name, sa.Text))
        op.create_index(f"contacts_{name}", "contacts", [name])
    op.add_column("messages", sa.Column("recipient_mark", sa.Text))
    op.add_column(
        "cases", sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.execute(_CLOSE)
    op.add_column("heard", sa.Column("sender_mark", sa.Text))
    op.add_column("stops", sa.Column("shown", sa.Text))
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
    op.drop_index("heard_sender", "heard")
    op.create_index("heard_sender", "heard", ["sender_mark", "heard_at"])
    op.drop_index("messages_phone", "messages")
    _index("messages_marked", _SMS, "recipient_mark")
    _index("messages_phone", f"{_SMS} AND recipient_mark IS NULL", "recipient")
    _seal()


def _seal() -> None:
    connection = op.get_bind()
    addresses = connection.exec_driver_sql("SELECT address FROM stops").scalars().all()
    for plain in addresses:
        connection.execute(_STOP, {"mark": plain, "shown": plain, "plain": plain})
    sealer = sealer_of(connection.dialect)
    if sealer is None:
        return
    for table in (_contacts, _heard):
        # A new installation needs no keys before it has something to seal.
        count = connection.scalar(sa.select(sa.func.count()).select_from(table))
        place = None
        while count:
            _, place = seal_some(connection, sealer, table, place)
            if place is None:
                break


def downgrade() -> None:
    """The columns go; what was sealed stays so, and the version before cannot read it."""
    op.drop_index("messages_phone", "messages")
    op.drop_index("messages_marked", "messages")
    _index("messages_phone", _SMS, "recipient")
    op.drop_index("heard_sender", "heard")
    op.create_index("heard_sender", "heard", ["sender", "heard_at"])
    op.drop_index("erasures_dossier", "erasures")
    op.drop_table("erasures")
    op.drop_column("stops", "shown")
    op.drop_column("heard", "sender_mark")
    op.drop_column("cases", "closed")
    op.drop_column("messages", "recipient_mark")
    for name in ("email_mark", "phone_mark"):
        op.drop_index(f"contacts_{name}", "contacts")
        op.drop_column("contacts", name)


def _index(name: str, condition: str, column: str) -> None:
    only = sa.text(condition)
    op.create_index(name, "messages", [column, "made_at"], postgresql_where=only, sqlite_where=only)
