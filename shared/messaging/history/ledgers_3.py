"""The third shape of the ledgers: what is held says under which key, and by whom, it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.operations import Operations

_NAMES: Final = ("routing_key", "user_id")


def add_senders(op: Operations) -> None:
    """Room for the sender; of what is held already nobody knows."""
    for name in _NAMES:
        op.add_column("inbox", sa.Column(name, sa.Text))


def drop_senders(op: Operations) -> None:
    """Undo `add_senders`."""
    for name in _NAMES:
        op.drop_column("inbox", name)
