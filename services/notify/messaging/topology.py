"""The exchanges and queues that notify declares."""

from __future__ import annotations

from shared.events.names import CITIZEN_CONTACTS, DOSSIER_FACTS, READINGS
from shared.messaging import Exchange, Queue

FACTS = "notify.facts"
CONTACTS = "notify.contacts"

EXCHANGES = (Exchange(DOSSIER_FACTS), Exchange(CITIZEN_CONTACTS))
QUEUES = tuple(
    Queue(reading.queue, tuple((reading.exchange, pattern) for pattern in reading.patterns))
    for reading in READINGS
    if reading.service == "notify"
)
