"""The bus: one door to whichever transport the URL names.

Services and loops see this class alone; kombu stays behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from shared.kernel.errors import SettingsError
from shared.messaging.model import Exchange, Publisher, Queue, Seen, Subscriber, Transport


class Bus:
    """Exchanges, queues, publishers and subscribers of one broker.

    `url` is memory:// (this bus's own), memory://name (shared by all of that name in this process),
    amqp:// or amqps:// (several brokers of one cluster separated by `;`). `prefix` goes before the name of every exchange and queue.
    """

    def __init__(self, url: str, *, prefix: str = "") -> None:
        self.url = url
        self.prefix = prefix
        self._transport = _transport(url, prefix)

    @property
    def volatile(self) -> bool:
        """True when messages die with the process: confirmed is what every reader is done with."""
        return self._transport.volatile

    @property
    def user(self) -> str | None:
        """The broker user that we log in as; empty where a certificate says it, None where none is."""
        return self._transport.user

    def declare(self, exchanges: Sequence[Exchange], queues: Sequence[Queue]) -> None:
        """Make what is not there yet; any number of times.

        Where this user has no right to declare, that things exist is enough; TopologyBroken
        names what does not.
        """
        self._transport.declare(exchanges, queues)

    def not_again(self, ask: Callable[[], Collection[str]]) -> None:
        """Before all is declared again after a break, `ask` names the queues that are not to be."""
        self._transport.not_again(ask)

    def publisher(self) -> Publisher:
        """A sender with its own connection, made at first use."""
        return self._transport.publisher()

    def subscriber(self, queue: str, prefetch: int = 200) -> Subscriber:
        """A reader of one queue with its own connection, made at first use."""
        return self._transport.subscriber(queue, prefetch)

    def depth(self, queue: str) -> int:
        """Messages that wait in the queue and nobody has taken; 0 when there is no such queue."""
        seen = self._transport.seen(queue)
        return 0 if seen is None else seen.messages

    def seen(self, queue: str) -> Seen | None:
        """How many wait in the queue and how many read it; None when there is no such queue."""
        return self._transport.seen(queue)

    def ping(self) -> None:
        """A round trip to the broker; BrokerAway when there is none."""
        self._transport.ping()

    def close(self) -> None:
        """Close what the bus itself opened; publishers and subscribers are closed by their owners."""
        self._transport.close()


def _transport(url: str, prefix: str) -> Transport:
    scheme = url.split(":", 1)[0].lower()
    if scheme == "memory":
        from shared.messaging.memory import MemoryTransport

        return MemoryTransport(url, prefix)
    if scheme in ("amqp", "amqps"):
        from shared.messaging.amqp.transport import AmqpTransport

        return AmqpTransport(url, prefix)
    raise SettingsError(f"the bus knows memory://, amqp:// and amqps://, not {scheme}://")
