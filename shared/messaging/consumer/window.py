"""What a loop has taken from its queue and not yet acknowledged, and when it may take more.

A broker takes back what is not acknowledged in its time, and counts each time against the message.
So nothing is asked for while something is in hand: it is settled first, also where the broker has
taken it back meanwhile (what it brings again is known by then). A loop that asks its database
before it takes is thus thrown out once at most, and stays out until the database answers.
"""

from __future__ import annotations

from shared.messaging import Bus, Delivery, Subscriber


class Window:
    """The deliveries of one queue; belongs to one thread, only `wake` may come from others."""

    def __init__(self, bus: Bus, queue: str, prefetch: int) -> None:
        self._bus = bus
        self._queue = queue
        self._prefetch = prefetch
        self._subscriber: Subscriber | None = None
        self._held: list[Delivery] = []

    def take(self, most: int, timeout: float) -> list[Delivery]:
        """What is in hand, else what has arrived, waited for up to `timeout` s; BrokerAway."""
        if not self._held:
            if self._subscriber is None:
                self._subscriber = self._bus.subscriber(self._queue, self._prefetch)
            self._held = self._subscriber.receive(most, timeout)
        return self._held

    def acknowledge(self) -> None:
        """All in hand is safe in the ledgers."""
        held, self._held = self._held, []  # also where the broker is away: it is known by then
        if self._subscriber is not None:
            self._subscriber.ack_through(held[-1])

    def tend(self) -> None:
        """Answer the broker's heartbeats while nothing can be settled; never connects."""
        if self._subscriber is not None:
            self._subscriber.tend()

    def wake(self) -> None:
        """End a waiting `take`."""
        subscriber = self._subscriber
        if subscriber is not None:
            subscriber.wake()

    def close(self) -> None:
        """Leave the queue; what was not acknowledged comes again."""
        self._held = []
        subscriber, self._subscriber = self._subscriber, None
        if subscriber is not None:
            subscriber.close()
