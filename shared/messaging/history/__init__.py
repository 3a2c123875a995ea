"""The ledger tables in the shapes they once had, for the services' histories of their databases.

A history must not move with the code: `ledgers_1` repeats the tables as they were first made, and
each number after it says what was changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.messaging.history import ledgers_1
from shared.messaging.history.acts import drop_acts, make_acts
from shared.messaging.history.ledgers_2 import drop_starts, make_starts
from shared.messaging.history.ledgers_3 import add_senders, drop_senders
from shared.messaging.history.ledgers_4 import drop_epochs, make_epochs

if TYPE_CHECKING:
    from alembic.operations import Operations

__all__ = [
    "add_senders",
    "create_ledgers",
    "drop_acts",
    "drop_epochs",
    "drop_ledgers",
    "drop_senders",
    "drop_starts",
    "make_acts",
    "make_epochs",
    "make_starts",
]


def create_ledgers(op: Operations) -> None:
    """Create the ledger tables in their first shape, for version 0001 of each service."""
    ledgers_1.tables().create_all(op.get_bind())


def drop_ledgers(op: Operations) -> None:
    """Undo `create_ledgers`."""
    ledgers_1.tables().drop_all(op.get_bind())
