"""Exchanges, queues and bindings on RabbitMQ: declared, or at least looked for.

Queues are declared with their type and nothing more: limits, dead-lettering and lengths are
policies of the broker (deploy/rabbitmq/definitions.json).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

from shared.kernel.errors import BrokerAway
from shared.log import get
from shared.messaging.amqp.address import Address
from shared.messaging.amqp.connection import CHANNEL_ERRORS, Link
from shared.messaging.model import Exchange, Queue, TopologyBroken

_log = get("bus")
_QUORUM = {"x-queue-type": "quorum"}
_ACCESS_REFUSED = 403


class Topology:
    """All that was ever asked to be declared, so that a broker that lost it gets it again.

    `doubt` is called when a connection broke off: nobody knows what the broker still has then,
    and `ensure`, called before the next connection is made, declares everything anew.
    """

    def __init__(self, addresses: Sequence[Address], prefix: str) -> None:
        self._addresses = addresses
        self._prefix = prefix
        self._exchanges: dict[str, Exchange] = {}
        self._queues: dict[str, Queue] = {}
        self._lock = threading.RLock()
        self._doubtful = False
        #: The names of queues that nobody wants any more, asked before all is declared again.
        self.not_again: Callable[[], Collection[str]] = tuple

    def declare(self, exchanges: Sequence[Exchange], queues: Sequence[Queue]) -> None:
        """Declare now, or as soon as there is a broker; TopologyBroken names what is missing."""
        with self._lock:
            self._exchanges |= {exchange.name: exchange for exchange in exchanges}
            self._queues |= {queue.name: queue for queue in queues}
            try:
                self._declare(exchanges, queues)
            except BrokerAway as exc:
                self._doubtful = True
                _log.warning("bus.declared_later", reason=str(exc))

    def doubt(self) -> None:
        """A connection broke off."""
        self._doubtful = True

    def ensure(self) -> None:
        """Declare again if there is doubt; BrokerAway leaves the doubt."""
        if not self._doubtful:
            return
        with self._lock:
            if self._doubtful:
                for gone in self.not_again():
                    self._queues.pop(gone, None)
                self._declare(list(self._exchanges.values()), list(self._queues.values()))
                self._doubtful = False

    def _declare(self, exchanges: Sequence[Exchange], queues: Sequence[Queue]) -> None:
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
        refusal = attempt(link, make)
        if refusal is None:
            return []
        # Made by somebody else, in another way or with rights we do not have: being there is
        # enough, and 403 or 406 is what RabbitMQ says to a declaration all the same.
        _log.info("bus.declared_elsewhere", what=what, code=refusal)
        return [] if attempt(link, look) is None else [what]

    def _binding(self, link: Link, queue: str, exchange: str, key: str) -> list[str]:
        refusal = attempt(link, lambda ch: ch.queue_bind(queue, exchange, key))
        if refusal is None:
            return []
        if refusal == _ACCESS_REFUSED:
            # Bindings cannot be asked for over AMQP; if it is missing, the publisher hears it.
            _log.info("bus.binding_not_checked", queue=queue, exchange=exchange, key=key)
            return []
        return [f"binding {exchange} -> {queue} ({key})"]


def attempt(link: Link, ask: Callable[[Any], Any]) -> int | None:
    """None when it was done, else the broker's reply code; BrokerAway as ever."""
    try:
        with link.guard(letting=CHANNEL_ERRORS) as channel:
            ask(channel)
    except CHANNEL_ERRORS as exc:
        return int(getattr(exc, "reply_code", 0) or 0)
    return None
