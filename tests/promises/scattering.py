"""A courier that shuffles, repeats and delays: between the loops and the real bus.

What is published is taken at once and lies in a bag; the postman draws from it in whatever order
it is told to and publishes on the real bus. No test lives here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.messaging import Bus, Exchange, OutMessage, Publisher, Queue, Sent, Subscriber


class ScatteringBus:
    """A bus whose publishers put everything into one bag; reading is the real bus's own."""

    def __init__(self, url: str, *, prefix: str = "") -> None:
        self.real = Bus(url, prefix=prefix)
        self.prefix = prefix
        self.bag: list[OutMessage] = []

    @property
    def volatile(self) -> bool:
        return self.real.volatile

    @property
    def user(self) -> str | None:
        return self.real.user

    def declare(self, exchanges: Sequence[Exchange], queues: Sequence[Queue]) -> None:
        self.real.declare(exchanges, queues)

    def not_again(self, ask: Callable[[], Collection[str]]) -> None:
        self.real.not_again(ask)

    def publisher(self) -> _IntoTheBag:
        return _IntoTheBag(self.bag)

    def subscriber(self, queue: str, prefetch: int = 200) -> Subscriber:
        return self.real.subscriber(queue, prefetch)

    def depth(self, queue: str) -> int:
        return self.real.depth(queue) + len(self.bag)

    def ping(self) -> None:
        self.real.ping()

    def close(self) -> None:
        self.real.close()


class _IntoTheBag:
    def __init__(self, bag: list[OutMessage]) -> None:
        self._bag = bag

    def publish(self, batch: Sequence[OutMessage]) -> Sent:
        """All counts as safe: nobody dies while the courier shuffles."""
        self._bag.extend(batch)
        return Sent(confirmed={message.key for message in batch})

    def confirmed(self) -> set[Any]:
        return set()

    def tend(self) -> None:
        """Nothing to keep alive."""

    def close(self) -> None:
        """Nothing to let go of."""


class Postman:
    """Carries a handful at a time from the bag to the real bus; `whims` decides which, how often.

    What goes by the exchanges or sources named `slow` comes last, when nothing else is left.
    """

    name = "postman"

    def __init__(self, bus: ScatteringBus) -> None:
        self.whims = random.Random(1)
        self.slow: Collection[str] = ()
        self.repeats = 0.0  # how likely a message stays in the bag after it was carried
        self.carried = self.repeated = 0
        self._bus = bus
        self._publisher: Publisher | None = None
        self._number = 0

    def step(self, wait: float) -> int:
        """Carry one to four messages, drawn from the bag."""
        bag = self._bus.bag
        if not bag:
            return 0
        handful = [self._draw(bag) for _ in range(min(len(bag), self.whims.randint(1, 4)))]
        if self._publisher is None:
            self._publisher = self._bus.real.publisher()
        # Two services may use the same key, and a message may be in the handful twice.
        letters = [replace(message, key=self._key()) for message in handful]
        sent = self._publisher.publish(letters)
        assert not sent.failed, sent.failed
        self.carried += len(letters)
        return len(letters)

    def _draw(self, bag: list[OutMessage]) -> OutMessage:
        quick = [n for n, message in enumerate(bag) if not self._is_slow(message)]
        number = self.whims.choice(quick or range(len(bag)))
        if self.whims.random() < self.repeats:
            self.repeated += 1
            return bag[number]
        return bag.pop(number)

    def _is_slow(self, message: OutMessage) -> bool:
        return bool({message.exchange, message.routing_key.partition(".")[0]} & set(self.slow))

    def _key(self) -> int:
        self._number += 1
        return self._number

    def next_due(self) -> datetime | None:
        """Never by the clock."""
        return None

    def wake(self) -> None:
        """It never waits."""

    def close(self) -> None:
        if self._publisher is not None:
            self._publisher.close()


def scattered(bus: Any) -> list[Postman]:
    """The loops that a town on such a bus needs beside its own."""
    return [Postman(bus)]
