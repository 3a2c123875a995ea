"""The AMQP side of the bus: declares, and makes publishers and subscribers.

Queues are declared with their type and nothing more: limits, dead-lettering and lengths are
policies of the broker (deploy/rabbitmq/definitions.json).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from shared.bus.amqp.address import parse
from shared.bus.amqp.link import CHANNEL_ERRORS, Link
from shared.bus.amqp.publisher import AmqpPublisher
from shared.bus.amqp.subscriber import AmqpSubscriber
from shared.bus.model import Exchange, Queue, TopologyBroken
from shared.log import get

_log = get("bus")
_QUORUM = {"x-queue-type": "quorum"}
_ACCESS_REFUSED = 403


class AmqpCourier:
    """One broker (or cluster) and the prefix of all names."""

    volatile = False

    def __init__(self, url: str, prefix: str) -> None:
        self._addresses = parse(url)
        self._prefix = prefix
        self._asking = Link(self._addresses)
        self._lock = threading.Lock()

    def publisher(self) -> AmqpPublisher:
        return AmqpPublisher(self._addresses, self._prefix)

    def subscriber(self, queue: str, prefetch: int) -> AmqpSubscriber:
        return AmqpSubscriber(self._addresses, self._prefix, queue, prefetch)

    def declare(self, exchanges: Sequence[Exchange], queues: Sequence[Queue]) -> None:
        """Declare exchanges, quorum queues and bindings; TopologyBroken names what is missing."""
        missing: list[str] = []
        link = Link(self._addresses)
        try:
            for exchange in exchanges:
                missing += self._exchange(link, exchange)
            for queue in queues:
                missing += self._queue(link, queue)
        finally:
            link.close()
        if missing:
            raise TopologyBroken(
                f"missing on the broker, and this user may not make them: {', '.join(missing)}"
            )

    def _exchange(self, link: Link, exchange: Exchange) -> list[str]:
        name = self._prefix + exchange.name
        return self._ensure(
            link,
            f"exchange {name}",
            lambda ch: ch.exchange_declare(name, exchange.kind, durable=True, auto_delete=False),
            lambda ch: ch.exchange_declare(name, exchange.kind, passive=True),
        )

    def _queue(self, link: Link, queue: Queue) -> list[str]:
        name = self._prefix + queue.name
        missing = self._ensure(
            link,
            f"queue {name}",
            lambda ch: ch.queue_declare(name, durable=True, auto_delete=False, arguments=_QUORUM),
            lambda ch: ch.queue_declare(name, passive=True),
        )
        if not missing:
            for exchange, key in queue.bindings:
                missing += self._binding(link, name, self._prefix + exchange, key)
        return missing

    def _ensure(
        self, link: Link, what: str, make: Callable[[Any], Any], look: Callable[[Any], Any]
    ) -> list[str]:
        refusal = _attempt(link, make)
        if refusal is None:
            return []
        # Made by somebody else, in another way or with rights we do not have: being there is
        # enough, and 403 or 406 is what RabbitMQ says to a declaration all the same.
        _log.info("bus.declared_elsewhere", what=what, code=refusal)
        return [] if _attempt(link, look) is None else [what]

    def _binding(self, link: Link, queue: str, exchange: str, key: str) -> list[str]:
        refusal = _attempt(link, lambda ch: ch.queue_bind(queue, exchange, key))
        if refusal is None:
            return []
        if refusal == _ACCESS_REFUSED:
            # Bindings cannot be asked for over AMQP; if it is missing, the publisher hears it.
            _log.info("bus.binding_not_checked", queue=queue, exchange=exchange, key=key)
            return []
        return [f"binding {exchange} -> {queue} ({key})"]

    def depth(self, queue: str) -> int:
        with self._lock:
            found: list[int] = []
            refusal = _attempt(
                self._asking,
                lambda ch: found.append(
                    ch.queue_declare(self._prefix + queue, passive=True).message_count
                ),
            )
            return found[0] if refusal is None else 0

    def ping(self) -> None:
        with self._lock, self._asking.guard() as channel:
            channel.basic_qos(0, 1, False)

    def close(self) -> None:
        with self._lock:
            self._asking.close()


def _attempt(link: Link, ask: Callable[[Any], Any]) -> int | None:
    """None when it was done, else the broker's reply code; BrokerAway as ever."""
    try:
        with link.guard(letting=CHANNEL_ERRORS) as channel:
            ask(channel)
    except CHANNEL_ERRORS as exc:
        return int(getattr(exc, "reply_code", 0) or 0)
    return None
