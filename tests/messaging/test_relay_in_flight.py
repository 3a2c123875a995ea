"""A bus that forgets: a row is marked once its readers are done, and a start sends what is unsent."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.kernel.errors import DatabaseAway
from shared.messaging import Queue, relay
from shared.messaging.outbox import resend
from tests.messaging.rig import EXCHANGES, NOON, World, applied, drain, make, outbox


@pytest.fixture
def world(embedded):
    made = World(embedded)
    yield made
    made.close()


def unsent(world) -> list[int]:
    return [row.position for row in outbox(world.maker) if row.sent_at is None]


def settle(world) -> None:
    world.relay.step(0)
    drain(world.consumer)
    world.relay.step(0)


def test_what_was_acknowledged_is_marked_and_not_sent_again_after_a_crash(world):
    make(world.maker, "D1", 3)
    assert world.relay.step(0) == 3
    assert len(unsent(world)) == 3
    drain(world.consumer)
    assert world.relay.step(0) == 0, "marking is no work that somebody waits for"
    assert unsent(world) == []
    world.restart()
    assert world.relay.step(0) == 0


def test_what_was_not_acknowledged_is_sent_again_after_a_crash(world):
    make(world.maker, "D1", 2)
    settle(world)
    make(world.maker, "D2", 2)
    world.relay.step(0)
    world.restart()
    assert world.relay.step(0) == 2
    settle(world)
    assert len(applied(world.reader)) == 4


def test_what_was_taken_and_not_acknowledged_is_sent_again_after_a_crash(world):
    make(world.maker, "D1")
    world.relay.step(0)
    assert world.bus.subscriber("reader.facts").receive(10, 0)
    world.relay.step(0)
    assert len(unsent(world)) == 1
    world.restart()
    assert world.relay.step(0) == 1


def test_what_is_on_its_way_is_not_sent_twice_and_asks_nothing(world, statements):
    make(world.maker, "D1", 3)
    world.relay.step(0)
    with statements(world.maker) as asked:
        assert [world.relay.step(0) for _ in range(5)] == [0] * 5
    assert asked == []
    make(world.maker, "D1", 2)
    assert world.relay.step(0) == 2
    assert world.bus.depth("reader.facts") == 5


def test_marks_of_many_batches_go_in_one_statement(world, statements):
    world.relay = relay.Relay(world.maker, world.bus, batch=10)
    make(world.maker, "D1", 30)
    while world.relay.step(0):
        pass
    drain(world.consumer)
    with statements(world.maker) as asked:
        world.relay.step(0)
    assert len([text for text in asked if text.startswith("UPDATE")]) == 1
    assert unsent(world) == []


def test_a_fact_with_two_readers_is_marked_when_both_are_done(world):
    world.bus.declare(EXCHANGES, [Queue("other", (("dossier.facts", "maker.*.*"),))])
    make(world.maker, "D1")
    settle(world)
    assert len(unsent(world)) == 1
    other = world.bus.subscriber("other")
    other.ack_through(other.receive(10, 0)[-1])
    world.relay.step(0)
    assert unsent(world) == []


def test_a_third_start_after_a_settled_run_sends_nothing(world):
    make(world.maker, "D1", 2)
    world.relay.step(0)
    world.restart()
    assert world.relay.step(0) == 2
    settle(world)
    world.stop()
    world.start()
    assert world.relay.step(0) == 0


def test_a_stop_in_order_marks_what_was_confirmed_last(world):
    make(world.maker, "D1", 2)
    world.relay.step(0)
    drain(world.consumer)
    world.stop()
    assert unsent(world) == []


def test_what_nobody_reads_stays_unsent_and_does_not_fill_the_memory(world, monkeypatch):
    monkeypatch.setattr(relay, "MOST_IN_FLIGHT", 5)
    make(world.maker, "D1", 12)
    assert [world.relay.step(0) for _ in range(4)] == [5, 0, 0, 0]
    assert world.bus.depth("reader.facts") == 5
    world.consumer.step(0)
    assert [world.relay.step(0) for _ in range(2)] == [5, 0]
    drain(world.consumer)
    assert world.relay.step(0) == 2
    settle(world)
    assert unsent(world) == []
    assert [row[2] for row in applied(world.reader)] == list(range(1, 13))


def test_a_database_that_is_away_when_it_would_mark_makes_nothing_go_twice(world, monkeypatch):
    make(world.maker, "D1", 2)
    world.relay.step(0)
    drain(world.consumer)

    def away():
        raise DatabaseAway("gone")

    with monkeypatch.context() as cut:
        cut.setattr(world.maker, "transaction", away)
        for _ in range(2):
            with pytest.raises(DatabaseAway):
                world.relay.step(0)
        world.relay.wake()
        with pytest.raises(DatabaseAway):
            world.relay.step(0)
    assert world.relay.step(0) == 0
    assert unsent(world) == []
    assert world.bus.depth("reader.facts") == 0


def test_a_relay_that_is_closed_and_goes_on_sends_again_what_it_does_not_know(world):
    make(world.maker, "D1", 2)
    world.relay.step(0)
    world.relay.close()
    assert world.relay.step(0) == 2
    settle(world)
    assert unsent(world) == []
    assert len(applied(world.reader)) == 2


def test_what_an_operator_has_sent_again_is_sent_until_it_is_confirmed(world):
    make(world.maker, "D1", 3)
    settle(world)
    with world.maker.begin() as uow:
        assert resend(uow, NOON) == 3
    assert world.relay.step(0) == 3  # sent, and not yet read
    assert len(unsent(world)) == 3
    world.restart()
    assert world.relay.step(0) == 3
    settle(world)
    assert unsent(world) == []


ACTS = ("make", "make", "send", "send", "read", "read one", "resend", "crash", "stop")


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=st.lists(st.sampled_from(ACTS), max_size=40))
def test_whatever_is_marked_was_applied_and_nothing_is_ever_lost(world, acts):
    before = len(outbox(world.maker))
    for number, act in enumerate(acts):
        do(world, act, f"D{number % 3}")
        done = {row[3] for row in applied(world.reader)}
        assert all(row.id in done for row in outbox(world.maker) if row.sent_at is not None)
    total = before + acts.count("make") * 2
    world.restart()
    world.carry(total)
    assert len(applied(world.reader)) == total
    assert unsent(world) == []
    world.stop()
    world.start()
    assert world.relay.step(0) == 0


def do(world, act: str, subject: str) -> None:
    if act == "make":
        make(world.maker, subject, 2)
    elif act == "send":
        world.relay.step(0)
    elif act == "read":
        world.consumer.step(0)
    elif act == "read one":
        few = world.another_consumer(batch=1)
        few.step(0)
        few.close()
    elif act == "resend":
        with world.maker.begin() as uow:
            resend(uow, NOON)
    elif act == "crash":
        world.restart()
    else:
        world.stop()
        world.start()
