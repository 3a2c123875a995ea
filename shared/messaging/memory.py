"""The bus inside one process: exchanges and queues as plain objects, one bus's own or named.

An arrival wakes its reader at once, a message that no queue is bound for is told to its sender, and
what a closed subscriber had taken and not acknowledged comes again, before what arrived since.
Messages die with the process, so confirmed means: every queue that got the message has a reader
who acknowledged it. Readers that catch up from the sender's ledger are not waited for.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shared.messaging.model import Delivery, Exchange, OutMessage, Queue, Seen, Sent


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


@dataclass(eq=False, slots=True)
class _Pending:
    """One message that is not confirmed yet, and the queues whose readers are waited for."""

    message: OutMessage
    awaited: set[_Waiting]
    confirms: _Confirms

    def done(self, queue: _Waiting) -> None:
        """The reader of this queue has acknowledged it."""
        with self.confirms.lock:
            if queue in self.awaited:
                self.awaited.remove(queue)
                if not self.awaited:
                    self.confirms.add(self.message.key)


@dataclass(eq=False, slots=True)
class _Waiting:
    """What waits in one queue, how many read it, and what wakes them; `changed` guards it all."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    messages: deque[_Pending] = field(default_factory=deque)
    readers: int = 0
    catch_up: bool = False


@dataclass(slots=True)
class _Exchange:
    """An exchange and what is bound to it, each by its pattern."""

    kind: str
    bindings: list[tuple[str, _Waiting]] = field(default_factory=list)

    def bound(self, routing_key: str) -> Collection[_Waiting]:
        """The queues that a message with this key goes to, each once."""
        found = (queue for pattern, queue in self.bindings if self._fits(pattern, routing_key))
        return dict.fromkeys(found)

    def _fits(self, pattern: str, key: str) -> bool:
        if self.kind == "direct":
            return pattern == key
        return re.fullmatch(re.escape(pattern).replace(r"\*", r"[^.]+"), key) is not None


@dataclass(slots=True)
class _Memory:
    """What one bus holds, or all of one name."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    exchanges: dict[str, _Exchange] = field(default_factory=dict)
    queues: dict[str, _Waiting] = field(default_factory=dict)


_NAMED: Final[dict[str, _Memory]] = {}


def reset_memory() -> None:
    """Forget every named bus of this process, as its death would; for tests."""
    for memory in _NAMED.values():
        with memory.lock:
            memory.exchanges.clear()
            memory.queues.clear()


class MemoryTransport:
    """`memory://` is a memory of its own; transports of one name (memory://name) share theirs.

    Patterns of topics may hold `*` for one word; a `#` is not known here, and not needed.
    """

    volatile = True
    user: str | None = None

    def __init__(self, url: str, prefix: str) -> None:
        name = url.partition("://")[2].strip("/")
        self._memory = _NAMED.setdefault(name, _Memory()) if name else _Memory()
        self._before = prefix

    def declare(self, exchanges: Sequence[Exchange], queues: Sequence[Queue]) -> None:
        known = self._memory.exchanges
        with self._memory.lock:
            for exchange in exchanges:
                known.setdefault(self._before + exchange.name, _Exchange(exchange.kind))
            for queue in queues:
                waiting = self._queue(queue.name)
                waiting.catch_up = queue.catch_up
                for name, pattern in queue.bindings:
                    bindings = known[self._before + name].bindings
                    if (pattern, waiting) not in bindings:
                        bindings.append((pattern, waiting))

    def not_again(self, ask: Callable[[], Collection[str]]) -> None:
        """Nothing is ever declared again: it is this process."""

    def _queue(self, name: str) -> _Waiting:
        with self._memory.lock:
            return self._memory.queues.setdefault(self._before + name, _Waiting())

    def bound(self, message: OutMessage) -> Collection[_Waiting]:
        """The queues that a message goes to."""
        exchange = self._memory.exchanges.get(self._before + message.exchange)
        return () if exchange is None else exchange.bound(message.routing_key)

    def publisher(self) -> MemoryPublisher:
        return MemoryPublisher(self)

    def subscriber(self, queue: str, prefetch: int) -> MemorySubscriber:
        return MemorySubscriber(self._queue(queue), prefetch)

    def seen(self, queue: str) -> Seen | None:
        waiting = self._memory.queues.get(self._before + queue)
        return None if waiting is None else Seen(len(waiting.messages), waiting.readers)

    def ping(self) -> None:
        """Always there: it is this process."""

    def close(self) -> None:
        """Nothing was opened."""


class MemoryPublisher:
    """Puts messages into the queues that are bound for them, and tells of those without any."""

    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport
        self._confirms = _Confirms()

    def publish(self, batch: Sequence[OutMessage]) -> Sent:
        sent = Sent()
        for message in batch:
            bound = self._transport.bound(message)
            if not bound:
                sent.unroutable.add(message.key)
                sent.failed[message.key] = (
                    f"unroutable: no queue is bound to {message.exchange} for {message.routing_key}"
                )
                continue
            awaited = {queue for queue in bound if not queue.catch_up}
            if not awaited:
                sent.confirmed.add(message.key)
            pending = _Pending(message, awaited, self._confirms)
            for queue in bound:
                _put(queue, pending)
        sent.confirmed.update(self.confirmed())
        return sent

    def confirmed(self) -> set[Any]:
        return self._confirms.take()

    def tend(self) -> None:
        """Nothing to keep alive."""

    def close(self) -> None:
        """Nothing was opened."""


def _put(queue: _Waiting, pending: _Pending) -> None:
    with queue.changed:
        # For readers who catch up and are not there it would only fill memory.
        if queue.readers or not queue.catch_up:
            queue.messages.append(pending)
            queue.changed.notify_all()


class MemorySubscriber:
    """Takes from one memory queue; holds what it gave out until it is acknowledged."""

    def __init__(self, queue: _Waiting, prefetch: int) -> None:
        self._queue = queue
        self._prefetch = prefetch
        self._unacked: deque[tuple[int, _Pending]] = deque()
        self._count = 0
        self._woken = False
        self._open = True
        with queue.changed:
            queue.readers += 1

    def receive(self, max: int, timeout: float) -> list[Delivery]:  # noqa: A002
        end = time.monotonic() + timeout
        with self._queue.changed:
            # A full window (everything taken, nothing acknowledged) is nothing to take: it waits.
            while not (room := self._room(max)) and not self._woken:
                left = end - time.monotonic()
                if left <= 0:
                    break
                self._queue.changed.wait(left)
            if timeout > 0:
                self._woken = False
            return [self._hand_out(self._queue.messages.popleft()) for _ in range(room)]

    def _room(self, most: int) -> int:
        return min(most, self._prefetch - len(self._unacked), len(self._queue.messages))

    def _hand_out(self, pending: _Pending) -> Delivery:
        self._count += 1
        self._unacked.append((self._count, pending))
        message = pending.message
        return Delivery(message.body, self._count, message.headers, message.routing_key)

    def ack_through(self, delivery: Delivery) -> None:
        while self._unacked and self._unacked[0][0] <= delivery.tag:
            self._unacked.popleft()[1].done(self._queue)

    def tend(self) -> None:
        """Nothing to keep alive."""

    def wake(self) -> None:
        with self._queue.changed:
            self._woken = True
            self._queue.changed.notify_all()

    def close(self) -> None:
        with self._queue.changed:
            if self._open:
                self._queue.readers -= 1
                self._queue.messages.extendleft(pending for _, pending in reversed(self._unacked))
                self._queue.changed.notify_all()
            self._open = False
            self._unacked.clear()
