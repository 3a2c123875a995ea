"""Handing open tasks over once more to agencies that begin to read their queues.

On a bus that forgets, what nobody read is gone with the process; the ledger still has it. Lives
here and not in routing: only a city in one process knows that somebody new reads.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from services.routing.domain.case import OPEN_STATES
from services.routing.storage.tables import tasks
from shared.database import Store
from shared.events.names import ROUTING_TASKS
from shared.messaging.resending import resend_stream


def hand_over_again(routing: Store, agencies: Collection[str]) -> int:
    """Have the messages to these agencies sent again from their oldest open task on; how many.

    An agency that had them already answers under the same ids, which routing knows.
    """
    oldest = (
        sa.select(tasks.c.agency, sa.func.min(tasks.c.opened_at))
        .where(
            tasks.c.kind == "task",
            tasks.c.state.in_(OPEN_STATES),
            tasks.c.agency.in_(sorted(agencies)),
        )
        .group_by(tasks.c.agency)
        .order_by(tasks.c.agency)
    )
    with routing.begin() as uow:
        return sum(
            resend_stream(uow, f"{ROUTING_TASKS} {agency}", since)
            for agency, since in uow.connection.execute(oldest).all()
        )
