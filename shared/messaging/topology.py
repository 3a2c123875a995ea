"""The exchanges and queues of the contract as a transport declares them.

Limits and dead-lettering are policies of the broker (deploy/rabbitmq), never arguments of a queue.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, cast

from shared.events import names
from shared.events.registry import KINDS
from shared.messaging.model import Exchange, Queue

EXCHANGES: Final = tuple(
    Exchange(name, cast("Literal['topic', 'direct']", kind))
    for name, kind in names.EXCHANGE_KINDS.items()
)


def exchanges_of(service: str) -> tuple[Exchange, ...]:
    """The exchanges that this service writes to or reads from: it may declare no other."""
    addresses = (address for kind in KINDS.values() for address in kind.addresses)
    used = {each.exchange for each in addresses if each.source.split("/")[1] == service}
    used |= {reading.exchange for reading in names.READINGS if reading.service == service}
    return tuple(exchange for exchange in EXCHANGES if exchange.name in used)


def queues_of(service: str) -> tuple[Queue, ...]:
    """The queues that this service reads, with their bindings; dead letters come without one."""
    read = (
        Queue(reading.queue, tuple((reading.exchange, key) for key in reading.patterns))
        for reading in names.READINGS
        if reading.service == service
    )
    return (*read, Queue(names.dead_letters(service)))


def agency_queues(agencies: Iterable[str]) -> tuple[Queue, ...]:
    """One queue for each of these agencies' codes.

    An agency that was away asks for what it missed: the ledger has all that was handed over.
    """
    queues = map(names.agency_queue, agencies)
    return tuple(Queue(queue, ((names.AGENCY_TASKS, queue),), catch_up=True) for queue in queues)
