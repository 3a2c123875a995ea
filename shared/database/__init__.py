"""One service's database: engine, units of work that commit whole or not at all, migrations.

No word of any one service's business, no broker and no loop belongs here; what is recorded in a
unit of work goes to the event log that was handed in (`shared/messaging`).
"""

from shared.database.engine import make_engine
from shared.database.signal import Signal
from shared.database.store import Store
from shared.database.types import Instant, Json
from shared.database.unit_of_work import Cause, EventLog, UnitOfWork

__all__ = [
    "Cause",
    "EventLog",
    "Instant",
    "Json",
    "Signal",
    "Store",
    "UnitOfWork",
    "make_engine",
]
