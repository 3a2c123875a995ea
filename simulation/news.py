"""What the services stated lately, read from their ledgers; for the players of a simulation.

Lives here: reading the outboxes on from where one was. Must not: change anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from shared.database import Store
from shared.events.envelope import Envelope, decode
from shared.events.event import Event, kind_of
from shared.messaging.tables import LEDGERS


class News:
    """New events of these classes, as the services recorded them, in the order of their making."""

    def __init__(self, stores: Sequence[Store], classes: Iterable[type[Event]]) -> None:
        self._stores = stores
        self._types = [kind_of(cls).type for cls in classes]
        self._read = [0] * len(stores)
        self._counts = [-1] * len(stores)

    def fresh(self) -> list[Envelope]:
        found: list[Envelope] = []
        for number, store in enumerate(self._stores):
            if store.recorded.count == self._counts[number]:
                continue
            self._counts[number] = store.recorded.count
            found += self._since(number, store)
        return found

    def react(self, acts: Mapping[type[Event], Callable[[Any], object]]) -> int:
        """Hand each new event to the act of its class; the number of events seen."""
        fresh = [envelope.event() for envelope in self.fresh()]
        for event in fresh:
            acts[type(event)](event)
        return len(fresh)

    def _since(self, number: int, store: Store) -> list[Envelope]:
        outbox = LEDGERS.outbox
        query = (
            sa.select(outbox.c.position, outbox.c.body)
            .where(outbox.c.position > self._read[number], outbox.c.type.in_(self._types))
            .order_by(outbox.c.position)
        )
        with store.read() as connection:
            rows = connection.execute(query).all()
        if rows:
            self._read[number] = rows[-1].position
        return [decode(row.body) for row in rows]
