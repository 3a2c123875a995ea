"""The bus inside one process, on kombu's memory transport.

kombu keeps the queues and does the routing; what it lacks is added here: an arrival wakes its
reader at once (kombu would poll), a message that no queue is bound for is told to its sender, and
what a closed subscriber had taken and not acknowledged comes again (kombu loses it).
Messages die with the process, so confirmed means: every queue that got the message has a reader
who acknowledged it. Readers that catch up from the sender's ledger are not waited for.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from kombu.connection import Connection
from kombu.transport import memory as kombu_memory

from shared.messaging.model import (
    CONTENT_TYPE,
    Delivery,
    Exchange,
    OutMessage,
    Queue,
    Sent,
)

_PENDING: Final = "lienthong-pending"  # property of a message
# kombu's memory state is one per process; so is what we add to it.
_LOCK = threading.RLock()


class _Confirms:
    """The keys of one publisher that are safe and not yet told; readers' threads add to it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._keys: list[Any] = []

    def add(self, key: Any) -> None:
        self._keys.append(key)

    def take(self) -> set[Any]:
        with self.lock:
            taken, self._keys = self._keys, []
        return set(taken)


class _Pending:
    """One message that is not confirmed yet, and the queues that are waited for."""

    __slots__ = ("_awaited", "_confirms", "_key")

    def __init__(self, key: Any, awaited: set[str], confirms: _Confirms) -> None:
        self._key = key
        self._awaited = awaited
        self._confirms = confirms

    def done(self, queue: str) -> None:
        """The reader of this queue has acknowledged it."""
        with self._confirms.lock:
            if queue in self._awaited:
                self._awaited.remove(queue)
                if not self._awaited:
                    self._confirms.add(self._key)


class _Arrivals:
    """What is beside one kombu queue: returned deliveries, its readers and what wakes them."""

    def __init__(self) -> None:
        self.arrived = threading.Condition(threading.Lock())
        self.returned: deque[tuple[Delivery, _Pending]] = deque()
        self.readers = 0
        self.catch_up = False

    def wake(self) -> None:
        with self.arrived:
            self.arrived.notify_all()


_ARRIVALS: dict[str, _Arrivals] = {}
_LIVES = [0]  # how often the memory was reset: a reader of an earlier life gives nothing back


def _arrivals(real_queue: str) -> _Arrivals:
    found = _ARRIVALS.get(real_queue)
    if found is None:
        with _LOCK:
            found = _ARRIVALS.setdefault(real_queue, _Arrivals())
    return found


def reset_memory() -> None:
    """Forget every exchange, queue and message of this process, as its death would; for tests."""
    with _LOCK:
        kombu_memory.Transport.global_state.clear()
        kombu_memory.Channel.queues.clear()
        _ARRIVALS.clear()
        _LIVES[0] += 1


class MemoryTransport:
    """Transports of the same URL share their queues; another name after memory:// is another city."""

    volatile = True

    def __init__(self, url: str, prefix: str) -> None:
        city = url.partition("://")[2].strip("/")
        self._before = f"{city}/{prefix}" if city else prefix
        # body_encoding: bodies are bytes and stay in this process, base64 would only cost time.
        self._connection = Connection(
            "memory://", transport_options={"polling_interval": 0.01, "body_encoding": None}
        )
        self._channel: Any = self._connection.channel()

    def real(self, name: str) -> str:
        return self._before + name

    def declare(self, exchanges: Sequence[Exchange], queues: Sequence[Queue]) -> None:
        with _LOCK:
            for exchange in exchanges:
                self._channel.exchange_declare(
                    exchange=self.real(exchange.name), type=exchange.kind, durable=True
                )
            for queue in queues:
                real = self.real(queue.name)
                self._channel.queue_declare(queue=real, durable=True)
                _arrivals(real).catch_up = queue.catch_up
                for name, key in queue.bindings:
                    self._channel.queue_bind(queue=real, exchange=self.real(name), routing_key=key)

    def publisher(self) -> MemoryPublisher:
        return MemoryPublisher(self, self._connection.channel())

    def subscriber(self, queue: str, prefetch: int) -> MemorySubscriber:
        return MemorySubscriber(self.real(queue), prefetch, self._connection.channel())

    def depth(self, queue: str) -> int:
        real = self.real(queue)
        waiting = kombu_memory.Channel.queues.get(real)
        return (waiting.qsize() if waiting is not None else 0) + len(_arrivals(real).returned)

    def ping(self) -> None:
        """Always there: it is this process."""

    def close(self) -> None:
        self._connection.release()


class MemoryPublisher:
    """Puts messages into the queues that are bound for them, and tells of those without any."""

    def __init__(self, transport: MemoryTransport, channel: Any) -> None:
        self._transport = transport
        self._channel = channel
        self._confirms = _Confirms()

    def publish(self, batch: Sequence[OutMessage]) -> Sent:
        sent = Sent()
        for message in batch:
            bound = self._queues(message.exchange, message.routing_key)
            if not bound:
                sent.failed[message.key] = (
                    f"unroutable: no queue is bound to {message.exchange} for {message.routing_key}"
                )
                continue
            awaited = {queue for queue in bound if not _arrivals(queue).catch_up}
            # To readers who catch up and are not there nothing is put: it would only fill memory.
            if awaited or any(_arrivals(queue).readers for queue in bound):
                self._put(message, bound, _Pending(message.key, awaited, self._confirms))
            if not awaited:
                sent.confirmed.add(message.key)
        sent.confirmed.update(self.confirmed())
        return sent

    def _put(self, message: OutMessage, bound: Sequence[str], pending: _Pending) -> None:
        prepared = self._channel.prepare_message(
            message.body, content_type=CONTENT_TYPE, headers=dict(message.headers)
        )
        prepared["properties"][_PENDING] = pending  # stays in this process, so it may be an object
        self._channel.basic_publish(
            prepared, self._transport.real(message.exchange), message.routing_key
        )
        for queue in bound:
            _arrivals(queue).wake()

    def _queues(self, exchange: str, routing_key: str) -> Sequence[str]:
        real = self._transport.real(exchange)
        try:
            table = self._channel.get_table(real)
        except KeyError:
            return ()
        return sorted(self._channel.typeof(real).lookup(table, real, routing_key, None))

    def confirmed(self) -> set[Any]:
        return self._confirms.take()

    def tend(self) -> None:
        """Nothing to keep alive."""

    def close(self) -> None:
        self._channel.close()


class MemorySubscriber:
    """Takes from one memory queue; holds what it gave out until it is acknowledged."""

    def __init__(self, real_queue: str, prefetch: int, channel: Any) -> None:
        self._queue = real_queue
        self._prefetch = prefetch
        self._channel = channel
        self._unacked: deque[tuple[Delivery, _Pending]] = deque()
        self._count = 0
        self._woken = False
        self._life = _LIVES[0]
        self._open = True
        self._count_reader(1)

    def _count_reader(self, change: int) -> None:
        with _LOCK:
            _arrivals(self._queue).readers += change

    def receive(self, max: int, timeout: float) -> list[Delivery]:  # noqa: A002
        taken = self._take(max)
        if taken or timeout <= 0:
            return taken
        self._wait(timeout)
        return self._take(max)

    def _wait(self, timeout: float) -> None:
        end = time.monotonic() + timeout
        arrivals = _arrivals(self._queue)
        with arrivals.arrived:
            while not self._woken and not self._has_some(arrivals):
                left = end - time.monotonic()
                if left <= 0:
                    break
                arrivals.arrived.wait(left)
            self._woken = False

    def _has_some(self, arrivals: _Arrivals) -> bool:
        # A full window (everything taken, nothing acknowledged) is not "some": it must wait.
        if len(self._unacked) >= self._prefetch:
            return False
        waiting = kombu_memory.Channel.queues.get(self._queue)
        return bool(arrivals.returned) or (waiting is not None and waiting.qsize() > 0)

    def _take(self, most: int) -> list[Delivery]:
        arrivals = _arrivals(self._queue)
        if not self._has_some(arrivals):
            return []
        taken: list[tuple[Delivery, _Pending]] = []
        room = min(most, self._prefetch - len(self._unacked))
        while len(taken) < room:
            one = self._next(arrivals)
            if one is None:
                break
            taken.append(one)
        self._unacked.extend(taken)
        return [delivery for delivery, _ in taken]

    def _next(self, arrivals: _Arrivals) -> tuple[Delivery, _Pending] | None:
        try:
            again = arrivals.returned.popleft()
        except IndexError:
            again = None
        self._count += 1
        if again is not None:
            return replace(again[0], tag=self._count), again[1]
        message = self._channel.basic_get(self._queue, no_ack=True)
        if message is None:
            return None
        key = message.delivery_info["routing_key"]
        delivery = Delivery(message.body, self._count, message.headers, key)
        return delivery, message.properties[_PENDING]

    def ack_through(self, delivery: Delivery) -> None:
        while self._unacked and self._unacked[0][0].tag <= delivery.tag:
            _, pending = self._unacked.popleft()
            pending.done(self._queue)

    def wake(self) -> None:
        arrivals = _arrivals(self._queue)
        with arrivals.arrived:
            self._woken = True
            arrivals.arrived.notify_all()

    def close(self) -> None:
        if self._open and self._life == _LIVES[0]:
            self._count_reader(-1)
            arrivals = _arrivals(self._queue)
            arrivals.returned.extendleft(reversed(self._unacked))
            arrivals.wake()
        self._open = False
        self._unacked.clear()
        self._channel.close()
