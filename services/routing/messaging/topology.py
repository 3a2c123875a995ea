"""What routing declares on the broker: its exchanges, its queues and one queue for each agency."""

from __future__ import annotations

from typing import Final

from shared.catalogue import Catalogue
from shared.events import names
from shared.messaging import Exchange, Queue

EXCHANGES: Final = (
    Exchange(names.DOSSIER_FACTS, "topic"),
    Exchange(names.AGENCY_TASKS, "direct"),
    Exchange(names.AGENCY_ANSWERS, "topic"),
)
FACTS_QUEUE: Final = "routing.facts"
ANSWERS_QUEUE: Final = "routing.answers"
QUEUES: Final = (
    *(
        Queue(reading.queue, tuple((reading.exchange, pattern) for pattern in reading.patterns))
        for reading in names.READINGS
        if reading.service == "routing"
    ),
    Queue(names.DEAD_LETTERS),
)


def agency_queues(catalogue: Catalogue) -> tuple[Queue, ...]:
    """A queue for every agency of any day: an old dossier may still owe an answer to an old one.

    An agency that was away asks for what it missed: the ledger has all that was handed over.
    """
    return tuple(
        Queue(queue, ((names.AGENCY_TASKS, queue),), catch_up=True)
        for queue in (names.agency_queue(code) for code in catalogue.agency_codes())
    )
