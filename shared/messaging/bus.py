"""The bus: one door to whichever transport the URL names.

Services and loops see this class alone; kombu stays behind it.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.kernel.errors import SettingsError
from shared.messaging.model import Courier, Exchange, Publisher, Queue, Subscriber


class Bus:
    """Exchanges, queues, publishers and subscribers of one broker.

    `url` is memory://[name] (all in this process), amqp:// or amqps:// (several brokers of one
    cluster separated by `;`). `prefix` goes before the name of every exchange and queue.
    """

    def __init__(self, url: str, *, prefix: str = "") -> None:
        self.url = url
        self.prefix = prefix
        self._courier = _courier(url, prefix)

    @property
    def volatile(self) -> bool:
        """True when messages die with the process: confirmed is what every reader is done with."""
        return self._courier.volatile

    def declare(self, exchanges: Sequence[Exchange], queues: Sequence[Queue]) -> None:
        """Make what is not there yet; any number of times.

        Where this user has no right to declare, that things exist is enough; TopologyBroken
        names what does not.
        """
        self._courier.declare(exchanges, queues)

    def publisher(self) -> Publisher:
        """A sender with its own connection, made at first use."""
        return self._courier.publisher()

    def subscriber(self, queue: str, prefetch: int = 200) -> Subscriber:
        """A reader of one queue with its own connection, made at first use."""
        return self._courier.subscriber(queue, prefetch)

    def depth(self, queue: str) -> int:
        """Messages that wait in the queue and nobody has taken; 0 when there is no such queue."""
        return self._courier.depth(queue)

    def ping(self) -> None:
        """A round trip to the broker; BrokerAway when there is none."""
        self._courier.ping()

    def close(self) -> None:
        """Close what the bus itself opened; publishers and subscribers are closed by their owners."""
        self._courier.close()


def _courier(url: str, prefix: str) -> Courier:
    scheme = url.split(":", 1)[0].lower()
    if scheme == "memory":
        from shared.messaging.memory import MemoryCourier

        return MemoryCourier(url, prefix)
    if scheme in ("amqp", "amqps"):
        from shared.messaging.amqp.transport import AmqpCourier

        return AmqpCourier(url, prefix)
    raise SettingsError(f"the bus knows memory://, amqp:// and amqps://, not {scheme}://")
