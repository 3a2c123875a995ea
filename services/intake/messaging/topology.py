"""The exchanges and queues that intake needs; limits and dead-lettering are policies."""

from __future__ import annotations

from typing import Final

from shared.events import names
from shared.messaging import Exchange, Queue

EXCHANGES: Final = (
    Exchange(names.DOSSIER_FACTS, "topic"),
    Exchange(names.CITIZEN_CONTACTS, "topic"),
)
FACTS_QUEUE: Final = "intake.facts"
QUEUES: Final = tuple(
    Queue(reading.queue, tuple((reading.exchange, key) for key in reading.patterns))
    for reading in names.READINGS
    if reading.service == "intake"
)
#: Whose facts the consumer reads.
SOURCES: Final = (names.ROUTING, names.NOTIFY)
