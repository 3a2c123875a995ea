"""A bus that forgets: a start sends again what may be lost, and not much more than that."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.messaging import watermark
from shared.messaging.resending import resend, resend_stream
from tests.messaging.rig import LEDGERS, NOON, World, applied, drain, make, outbox


@pytest.fixture
def world(embedded, monkeypatch):
    monkeypatch.setattr(watermark, "EVERY_SECONDS", 0.0)
    made = World(embedded)
    yield made
    made.close()


def resend_from(world) -> int | None:
    starts = LEDGERS.starts.c
    with world.maker.read() as connection:
        return connection.scalar(sa.select(starts.resend_from).order_by(starts.position.desc()))


def settle(world) -> None:
    world.relay.step(0)
    drain(world.consumer)
    world.relay.step(0)


def test_what_was_acknowledged_is_not_sent_again_after_a_crash(world):
    make(world.maker, "D1", 3)
    settle(world)
    assert resend_from(world) == 4
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
    assert resend_from(world) == 1


def test_a_third_start_after_a_settled_run_sends_nothing(world):
    make(world.maker, "D1", 2)
    world.relay.step(0)
    world.restart()
    assert world.relay.step(0) == 2
    settle(world)
    world.stop()
    world.start()
    assert world.relay.step(0) == 0


def test_a_stop_in_order_remembers_what_is_settled_without_waiting(world, monkeypatch):
    monkeypatch.setattr(watermark, "EVERY_SECONDS", 3600.0)
    world.relay.step(0)
    make(world.maker, "D1", 2)
    settle(world)
    world.stop()
    assert resend_from(world) == 3


def test_the_ledger_is_not_asked_about_it_more_than_once_a_second(world, monkeypatch):
    monkeypatch.setattr(watermark, "EVERY_SECONDS", 3600.0)
    make(world.maker, "D1")
    settle(world)
    make(world.maker, "D1")
    settle(world)
    commits: list[object] = []
    sa.event.listen(world.maker.engine, "begin", commits.append)
    for _ in range(5):
        world.relay.step(0)
    assert commits == []


def test_what_nobody_reads_holds_the_mark_where_it_is(world):
    make(world.maker, "D1")
    for _ in range(4):
        world.relay.step(0)
    assert resend_from(world) == 1


def test_what_an_operator_has_sent_again_is_not_skipped(world):
    make(world.maker, "D1", 3)
    settle(world)
    with world.maker.begin() as uow:
        assert resend(uow, NOON) == 3
    assert resend_from(world) == 1
    world.relay.step(0)  # sent, and not yet read
    world.relay.step(0)
    assert resend_from(world) == 1
    world.restart()
    assert world.relay.step(0) == 3
    settle(world)
    assert resend_from(world) == 4


def test_one_stream_can_be_sent_again_alone(world):
    make(world.maker, "D1", 2)
    make(world.maker, "D2", 1)
    settle(world)
    with world.maker.begin() as uow:
        assert resend_stream(uow, "/maker D2", NOON) == 1
    assert [row.subject for row in outbox(world.maker) if row.sent_at is None] == ["D2"]
    assert resend_from(world) == 3


ACTS = ("make", "make", "send", "send", "read", "read one", "resend", "crash", "stop")


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=st.lists(st.sampled_from(ACTS), max_size=40))
def test_whatever_is_before_the_mark_was_applied_and_nothing_is_ever_lost(world, acts):
    before = len(outbox(world.maker))
    for number, act in enumerate(acts):
        do(world, act, f"D{number % 3}")
        mark = resend_from(world) or 1
        done = {row[3] for row in applied(world.reader)}
        safe = [row for row in outbox(world.maker) if row.position < mark]
        assert all(row.id in done or row.sent_at is None for row in safe)
    total = before + acts.count("make") * 2
    world.restart()
    world.carry(total)
    assert len(applied(world.reader)) == total
    settle(world)
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
