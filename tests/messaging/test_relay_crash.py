"""Promise 3: dying between any two stops of the way and starting again gives the same end.

The stops: before and after the maker's commit, before and after publishing, before and after the
mark, while handling, before and after the reader's commit, before and after acknowledging.
"""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from shared.events.envelope import decode
from tests.messaging.rig import Crash, World, applied, make, outbox, states

STOPS = (
    "nowhere",
    "before the fact is committed",
    "after the fact is committed",
    "before publishing",
    "after publishing, before the confirm is seen",
    "before the mark is committed",
    "after the mark is committed",
    "while the fact is handled",
    "before the handling is committed",
    "after the handling is committed",
    "before acknowledging",
    "after acknowledging",
)


@pytest.fixture
def world(backend):
    made = World(backend)
    yield made
    made.close()


def die(*_: object, **__: object) -> None:
    raise Crash


@contextmanager
def at_commit(store):
    """Dies at the next COMMIT, which is not made."""
    sa.event.listen(store.engine, "commit", die)
    try:
        yield
    finally:
        sa.event.remove(store.engine, "commit", die)


@contextmanager
def after(owner, name):
    """Dies when the method has done its work."""
    original = getattr(owner, name)

    def work_and_die(*args, **kwargs):
        original(*args, **kwargs)
        raise Crash

    setattr(owner, name, work_and_die)
    try:
        yield
    finally:
        setattr(owner, name, original)


@contextmanager
def before(owner, name):
    """Dies when the method is called."""
    original = getattr(owner, name)
    setattr(owner, name, die)
    try:
        yield
    finally:
        setattr(owner, name, original)


@contextmanager
def handling(world):
    world.reading.trouble = die
    try:
        yield
    finally:
        world.reading.trouble = lambda _: None


@contextmanager
def untouched():
    yield


def injected(world: World, stop: str):
    """The crash that belongs to a stop; connections are made beforehand."""
    world.relay.step(0)
    world.consumer.step(0)
    world.relay._publisher = world.relay._publisher or world.bus.publisher()
    publisher, subscriber = world.relay._publisher, world.consumer._window._subscriber
    return {
        "nowhere": untouched,
        "before the fact is committed": lambda: at_commit(world.maker),
        "after the fact is committed": lambda: after(world.maker.recorded, "set"),
        "before publishing": lambda: before(publisher, "publish"),
        "after publishing, before the confirm is seen": lambda: after(publisher, "publish"),
        "before the mark is committed": lambda: at_second_commit(world),
        "after the mark is committed": lambda: after(world.relay, "_marked"),
        "while the fact is handled": lambda: handling(world),
        "before the handling is committed": lambda: at_commit(world.reader),
        "after the handling is committed": lambda: after(world.reader.commits, "set"),
        "before acknowledging": lambda: before(subscriber, "ack_through"),
        "after acknowledging": lambda: after(subscriber, "ack_through"),
    }[stop]()


@contextmanager
def at_second_commit(world):
    """The first commit is the fact's own, the second the relay's mark."""
    commits = [0]

    def count(_connection):
        commits[0] += 1
        if commits[0] == 2:
            raise Crash

    sa.event.listen(world.maker.engine, "commit", count)
    try:
        yield
    finally:
        sa.event.remove(world.maker.engine, "commit", count)


def carry_one(world):
    """The whole way of one unit of two facts."""
    make(world.maker, "D1", 2)
    world.relay.step(0)
    for _ in range(40):
        if world.consumer.step(0.05 if not world.bus.volatile else 0):
            break
    world.relay.step(0)  # in one process this is where it hears of it


@pytest.mark.parametrize("stop", STOPS)
def test_a_crash_at_any_stop_changes_nothing_in_the_end(world, stop):
    died = False
    with injected(world, stop):
        try:
            carry_one(world)
        except Crash:
            died = True
    assert died == (stop != "nowhere"), "the test must die where it says"
    world.restart()
    committed = len(outbox(world.maker))
    assert committed == (0 if stop == "before the fact is committed" else 2)
    if not committed:
        make(world.maker, "D1", 2)  # the desk was told of no success and asks again

    world.carry(2)
    make(world.maker, "D1")
    world.carry(3)

    assert [row[2] for row in applied(world.reader)] == [1, 2, 3]
    assert states(world.reader) == {"done": 3}
    echoes = [decode(row.body) for row in outbox(world.reader)]
    assert [echo.sequence for echo in echoes] == [1, 2, 3]
    assert [echo.data["of"] for echo in echoes] == [row[3] for row in applied(world.reader)]


def test_dying_again_and_again_ends_the_same(world):
    for turn in range(12):
        stop = STOPS[1 + turn * 5 % 11]
        with injected(world, stop):
            try:
                carry_one(world)
            except Crash:
                world.restart()
    total = len(outbox(world.maker))
    world.carry(total)
    assert [row[2] for row in applied(world.reader)] == list(range(1, total + 1))
    assert states(world.reader) == {"done": total}
    assert len(outbox(world.reader)) == total
