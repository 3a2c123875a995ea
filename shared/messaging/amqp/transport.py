"""The AMQP side of the bus: one broker, its topology, its publishers and subscribers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

from shared.kernel.errors import BrokerAway
from shared.messaging.amqp.address import parse
from shared.messaging.amqp.connection import Link
from shared.messaging.amqp.publisher import AmqpPublisher
from shared.messaging.amqp.subscriber import AmqpSubscriber
from shared.messaging.amqp.topology import Topology, attempt
from shared.messaging.model import Exchange, Queue, Seen


class AmqpTransport:
    """One broker (or cluster) and the prefix of all names."""

    volatile = False

    def __init__(self, url: str, prefix: str) -> None:
        self._addresses = parse(url)
        # Several brokers of one cluster know the same users: the first names ours.
        first = self._addresses[0]
        self.user: str | None = "" if first.login_method == "EXTERNAL" else first.user
        self._prefix = prefix
        self._topology = Topology(self._addresses, prefix)
        self._asking = Link(self._addresses)
        self._lock = threading.Lock()

    def declare(self, exchanges: Sequence[Exchange], queues: Sequence[Queue]) -> None:
        self._topology.declare(exchanges, queues)

    def not_again(self, ask: Callable[[], Collection[str]]) -> None:
        self._topology.not_again = ask

    def publisher(self) -> AmqpPublisher:
        return AmqpPublisher(self._addresses, self._prefix, self._topology)

    def subscriber(self, queue: str, prefetch: int) -> AmqpSubscriber:
        return AmqpSubscriber(self._addresses, self._prefix, queue, prefetch, self._topology)

    def seen(self, queue: str) -> Seen | None:
        found: list[Seen] = []

        def look(channel: Any) -> None:
            told = channel.queue_declare(self._prefix + queue, passive=True)
            found.append(Seen(told.message_count, told.consumer_count))

        self._ask(lambda: attempt(self._asking, look))
        return found[0] if found else None

    def ping(self) -> None:
        self._ask(self._ping)

    def _ping(self) -> None:
        with self._asking.guard() as channel:
            channel.basic_qos(0, 1, False)

    def _ask(self, question: Callable[[], object]) -> None:
        """Once more where the line lay idle: the broker may have closed it, and be there yet."""
        with self._lock:
            used = self._asking.open
            try:
                question()
            except BrokerAway:
                if not used:
                    raise
                question()

    def close(self) -> None:
        with self._lock:
            self._asking.close()
