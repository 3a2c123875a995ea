"""Who speaks: whether a fact comes from whom it says, as far as the broker vouches for that.

The broker lets each user publish under its own routing keys (topic rights), and checks the
property `user_id` where one is set. What a fact says of itself must agree with both. That an
agency is whom it says is checked by routing, which alone hears agencies.
"""

from __future__ import annotations

from typing import Final

from shared.events.envelope import Envelope
from shared.events.names import READINGS
from shared.events.registry import KINDS
from shared.messaging import Bus, Delivery
from shared.messaging.consumer import UnknownSender, Verify

SERVICES: Final = frozenset(reading.service for reading in READINGS)


def speaker(source: str) -> str:
    """The service that states what comes from this source, which is also its broker user's name."""
    return source.removeprefix("/").partition("/")[0]


def anybody(bus: Bus) -> frozenset[str | None]:
    """Broker users who may speak for everybody: the one that a whole city logs in with, if it does.

    None stands for messages without a user: only a bus in one process has no others.
    """
    return frozenset() if bus.user in SERVICES else frozenset({bus.user})


def verify_facts(queue: str, everybody: frozenset[str | None]) -> Verify:
    """Let in what was sent to this queue of a service by the service that it says it comes from."""
    (exchange,) = {reading.exchange for reading in READINGS if reading.queue == queue}
    addresses = [to for kind in KINDS.values() for to in kind.addresses if to.exchange == exchange]
    sources = {to.routing_key.partition(".")[0]: to.source for to in addresses}
    users = {source: everybody | {None, speaker(source)} for source in sources.values()}
    makers = {name: {speaker(to.source) for to in kind.addresses} for name, kind in KINDS.items()}

    def verify(envelope: Envelope, delivery: Delivery) -> None:
        source = envelope.source
        if sources.get(delivery.routing_key.partition(".")[0]) != source:
            raise UnknownSender("its routing key belongs to another source than it names")
        service = speaker(source)
        if service not in makers.get(envelope.type, (service,)):
            raise UnknownSender("its source states no such facts")
        if delivery.user_id not in users[source]:
            raise UnknownSender("it was sent by another broker user than its source's")

    return verify
