"""Bodies over the limit: parked one by one with size and beginning, and never held in memory."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator

import pytest

from shared.events.envelope import MAX_BYTES, encode
from shared.messaging.consumer.model import UNFIT
from shared.messaging.model import BEGINNING
from shared.messaging.parked import replay
from tests.backends import ServersBackend
from tests.messaging.raw import RawPublisher, headers
from tests.messaging.rig import World, applied, envelope, inbox

HUGE = 8 * 1024 * 1024
MANY = 6


@pytest.fixture
def world(on_servers: ServersBackend) -> Iterator[World]:
    made = World(on_servers)
    yield made
    made.close()


def _blown_up(number: int, size: int) -> bytes:
    """A good fact, and blanks behind it, which JSON allows."""
    return encode(envelope("/maker", f"huge{number}", 1)).ljust(size)


def _put(backend: ServersBackend, *bodies: bytes) -> None:
    with RawPublisher(backend.amqp_url()) as stranger:
        for body in bodies:
            stranger.publish("dossier.facts", b"maker.test.made", headers(), body)


def _settle(world: World, count: int) -> None:
    for _ in range(300):
        world.consumer.step(0.1)
        if len(inbox(world.reader)) >= count:
            return
    raise AssertionError(f"only {len(inbox(world.reader))} of {count} arrived")


def test_huge_bodies_are_parked_one_by_one_and_never_held(
    world: World, on_servers: ServersBackend
) -> None:
    bodies = [_blown_up(number, HUGE) for number in range(MANY)]
    for number, body in enumerate(bodies):
        innocent = encode(envelope("/maker", "D1", number + 1))
        _put(on_servers, innocent, body)
    digests = {hashlib.sha256(body).hexdigest() for body in bodies}
    began = {body[:BEGINNING] for body in bodies}
    del bodies, body
    world.consumer.step(0)  # what is loaded once is not to be counted
    tracemalloc.start()
    try:
        _settle(world, 2 * MANY)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < HUGE / 2
    parked = [row for row in inbox(world.reader) if row.state == "parked"]
    assert {(row.source, row.fact_id) for row in parked} == {(UNFIT, each) for each in digests}
    assert {bytes(row.body) for row in parked} == began
    assert {row.reason for row in parked} == {
        f"unfit: too large: {HUGE} bytes, at most {MAX_BYTES} are taken"
    }
    assert [row[2] for row in applied(world.reader)] == list(range(1, MANY + 1))
    assert world.bus.depth("reader.facts") == 0


def test_the_limit_itself_is_taken_and_one_byte_more_is_not(
    world: World, on_servers: ServersBackend
) -> None:
    _put(on_servers, _blown_up(1, MAX_BYTES), _blown_up(2, MAX_BYTES + 1))
    _settle(world, 2)
    assert [row[1] for row in applied(world.reader)] == ["huge1"]


def test_the_beginning_of_a_large_body_is_never_taken_for_the_whole(
    world: World, on_servers: ServersBackend
) -> None:
    """The beginning kept here is a fact that could be read: what came was another."""
    _put(on_servers, _blown_up(1, MAX_BYTES + 1))
    _settle(world, 1)
    with world.reader.begin() as uow:
        replay(uow, inbox(world.reader)[0].fact_id)
    assert world.consumer.step(0) == 1
    [row] = inbox(world.reader)
    assert (row.state, row.reason) == ("parked", "unfit: it has to be sent again, and better")
    assert applied(world.reader) == []
