"""A clock that is put back by seven hours under loops on real time: none rests for seven hours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from shared.kernel.clock import RealClock
from shared.kernel.retry import RetryPolicy
from shared.messaging import Bus, Queue
from shared.messaging.loops.supervisor import Supervisor
from shared.messaging.relay import Relay
from tests.backends import Backend
from tests.messaging.rig import (
    EXCHANGES,
    QUEUES,
    Reading,
    ScriptedBus,
    applied,
    envelope,
    make,
    open_store,
    outbox,
    scripted,
    states,
)

BACK = timedelta(hours=7)


class Moved(RealClock):
    """The machine's clock, which somebody may put back or forward."""

    by = timedelta(0)

    def now(self):
        return super().now() + self.by


@pytest.fixture
def running() -> Iterator[Callable[..., Supervisor]]:
    """Loops in threads of their own, as in a process."""
    started: list[Supervisor] = []

    def run(*loops) -> Supervisor:
        started.append(Supervisor(loops))
        started[-1].start()
        return started[-1]

    yield run
    for each in started:
        each.stop()


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end, "it rests"
        time.sleep(0.02)


def test_a_relay_goes_on_after_its_pause_and_not_after_seven_hours(backend: Backend, running):
    clock = Moved()
    store = open_store(backend.settings("intake").database_url, clock)
    bus = Bus(backend.amqp_url())
    bus.declare(EXCHANGES, QUEUES)
    make(store, "D1", key="nobody.hears.this")
    relay = Relay(store, bus)
    running(relay)
    until(lambda: relay.next_due() is not None)  # refused: it backs off
    clock.by = -BACK
    bus.declare(EXCHANGES, [Queue("late.facts", (("dossier.facts", "nobody.*.*"),))])
    reader = bus.subscriber("late.facts")

    def arrived() -> bool:
        for each in reader.receive(10, 0.05):
            reader.ack_through(each)
        return all(row.sent_at is not None for row in outbox(store))

    until(arrived)
    reader.close()
    store.close()


def test_a_fact_that_failed_is_tried_again_within_the_longest_pause(backend: Backend):
    """Its time was written down by a clock that was put back since, also by another process."""
    clock = Moved()
    store = open_store(backend.settings("routing").database_url, clock, reads=["/maker"])
    failed: list[int] = []

    def trouble(_fact: object) -> None:
        if len(failed) < 2:  # in the batch, and alone
            failed.append(1)
            raise RuntimeError

    bus = ScriptedBus()
    policy = RetryPolicy(first=600, cap=600)
    reading = Reading(trouble=trouble)
    bus.put(envelope("/maker", "D1", 1))
    consumer = scripted(store, bus, reading, policy=policy)
    consumer.step(0)
    assert states(store) == {"retry": 1}
    consumer = scripted(store, bus, reading, policy=policy)
    consumer.step(0.01)
    assert states(store) == {"retry": 1}, "not before its time"
    clock.by = -BACK
    consumer = scripted(store, bus, reading, policy=policy)
    while consumer.step(0.01):
        pass
    assert len(applied(store)) == 1
    assert states(store) == {"done": 1}
    store.close()
