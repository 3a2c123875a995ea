"""The ledgers of one service and its unit of work: state and facts commit together or not at all.

Outbox, inbox, streams, cursors, starts and keys live here, on SQLite and PostgreSQL. No word of
any one service's business, no broker and no loop belongs here.
"""

from shared.store.engine import make_engine
from shared.store.ledgers import Ledgers
from shared.store.store import Store
from shared.store.types import Instant, Json
from shared.store.uow import Cause, Outgoing, Translator, UnitOfWork
from shared.store.wake import Wake

__all__ = [
    "Cause",
    "Instant",
    "Json",
    "Ledgers",
    "Outgoing",
    "Store",
    "Translator",
    "UnitOfWork",
    "Wake",
    "make_engine",
]
