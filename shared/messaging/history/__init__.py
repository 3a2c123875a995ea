"""The ledger tables in the shapes they once had, for the services' histories of their databases.

A history must not move with the code: `ledgers_1` repeats the tables as they were first made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.messaging.history import ledgers_1

if TYPE_CHECKING:
    from alembic.operations import Operations


def create_ledgers(op: Operations) -> None:
    """Create the ledger tables in their first shape, for version 0001 of each service."""
    ledgers_1.tables().create_all(op.get_bind())


def drop_ledgers(op: Operations) -> None:
    """Undo `create_ledgers`."""
    ledgers_1.tables().drop_all(op.get_bind())
