"""Reading one queue: what has arrived is handed out at once, acknowledged many at a time.

Reading is the loop's own thread; only `wake` comes from others. What a delivery means is no
business of this module.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from shared.kernel.errors import BrokerAway
from shared.messaging.amqp.address import Address
from shared.messaging.amqp.connection import Doubts, Link
from shared.messaging.amqp.contents import Content, delivered
from shared.messaging.model import Delivery

# How long `receive` waits between two looks at the heartbeat.
_LOOK_SECONDS = 1.0


class AmqpSubscriber:
    """A consumer with a window of `prefetch` deliveries on its own connection."""

    def __init__(
        self,
        addresses: Sequence[Address],
        prefix: str,
        queue: str,
        prefetch: int,
        topology: Doubts | None = None,
    ) -> None:
        self._queue = prefix + queue
        self._prefetch = prefetch
        self._arrived: deque[Delivery] = deque()
        self._cancelled = False
        self._link = Link(addresses, self._prepare, topology)
        self._wakeups, self._waker = socket.socketpair()
        self._wakeups.setblocking(False)
        self._waker.setblocking(False)

    def _prepare(self, channel: Any) -> None:
        # What an earlier connection brought will come again: its tags are worth nothing here.
        self._arrived.clear()
        self._cancelled = False
        channel.connection.take = self._on_content
        channel.basic_qos(0, self._prefetch, False)
        channel.basic_consume(self._queue, no_ack=False, on_cancel=self._on_cancel)

    def _on_content(self, content: Content) -> None:
        tag, routing_key = delivered(content)
        self._arrived.append(
            Delivery(
                body=content.body,
                tag=(self._link.epoch, tag),
                headers=content.properties.headers,
                routing_key=routing_key,
                user_id=content.properties.user_id,
                fault=content.fault,
                digest=content.digest,
            )
        )

    def _on_cancel(self, _consumer_tag: str) -> None:
        self._cancelled = True

    def receive(self, max: int, timeout: float) -> list[Delivery]:  # noqa: A002
        """What has arrived; BrokerAway when the connection is gone: the next call makes a new one."""
        with self._link.guard():
            self._link.tick()
            self._link.pump()
            if not self._arrived and timeout > 0:
                self._wait(time.monotonic() + timeout)
        if self._cancelled:
            self._link.lost()
            raise BrokerAway("the broker took the queue away from this consumer")
        return [self._arrived.popleft() for _ in range(min(max, len(self._arrived)))]

    def _wait(self, end: float) -> None:
        while not self._arrived and not self._cancelled:
            left = end - time.monotonic()
            if left <= 0 or self._woken():
                return
            self._link.wait(min(left, _LOOK_SECONDS), self._wakeups)
            self._link.pump()
            self._link.tick()

    def _woken(self) -> bool:
        try:
            return bool(self._wakeups.recv(4096))
        except BlockingIOError:
            return False

    def ack_through(self, delivery: Delivery) -> None:
        """Acknowledge up to here; on a connection made since then there is nothing to say."""
        epoch, tag = delivery.tag
        if epoch == self._link.epoch and self._link.open:
            with self._link.guard() as channel:
                channel.basic_ack(tag, multiple=True)

    def tend(self) -> None:
        """Heartbeats both ways; where the broker has thrown us out, the connection is dropped."""
        if self._link.open:
            with contextlib.suppress(BrokerAway), self._link.guard():
                self._link.pump()
                self._link.tick()

    def wake(self) -> None:
        # Where nothing more goes in, enough is in to wake it.
        with contextlib.suppress(OSError):
            self._waker.send(b"!")

    def close(self) -> None:
        self._arrived.clear()
        self._link.close()
        self._wakeups.close()
        self._waker.close()
