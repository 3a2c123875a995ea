"""The second shape of the ledgers: without `starts`.

On a bus inside one process a fact was marked sent when it was put on a queue, and `starts` told
from which position on the next start had to send again. Now it is marked once its readers are done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from shared.messaging.history import ledgers_1

if TYPE_CHECKING:
    from alembic.operations import Operations

# What the old version would have sent again at its next start; on a broker `starts` is empty.
_TAKE_BACK = sa.text(
    "UPDATE outbox SET sent_at = NULL WHERE sent_at IS NOT NULL AND position >="
    " (SELECT resend_from FROM starts ORDER BY position DESC LIMIT 1)"
)


def drop_starts(op: Operations) -> None:
    """Have what may have died with its process sent again, and drop the table."""
    op.get_bind().execute(_TAKE_BACK)
    op.drop_table("starts")


def make_starts(op: Operations) -> None:
    """Undo `drop_starts`: an empty table, with which the old version sends what is unsent."""
    ledgers_1.tables().tables["starts"].create(op.get_bind())
