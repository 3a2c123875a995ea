"""What fails, what cannot be read, what comes too late: held back alone, seen, and moved on."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from shared.kernel.clock import FixedClock
from shared.kernel.errors import DatabaseAway, ParkNow
from shared.kernel.retry import RetryPolicy
from shared.messaging import Delivery, parked
from shared.messaging.consumer import Consumer, Handler, Late
from shared.messaging.consumer.told import id_of
from shared.messaging.metrics import Metrics
from tests.messaging.rig import (
    NOON,
    TYPE,
    Reading,
    ScriptedBus,
    applied,
    drain,
    envelope,
    failing,
    inbox,
    open_store,
    outbox,
    put_two_dossiers,
    scripted,
    states,
)


@pytest.fixture
def clock():
    return FixedClock(NOON)


@pytest.fixture
def store(backend, clock):
    made = open_store(backend.settings("routing").database_url, clock, reads=["/maker"])
    yield made
    made.close()


@pytest.fixture
def bus():
    return ScriptedBus()


def test_one_bad_fact_in_a_batch_leaves_the_others_done(store, bus):
    put_two_dossiers(bus)
    drain(scripted(store, bus, Reading(failing(99))))
    assert [row[1:3] for row in applied(store)].count(("D2", 3)) == 1
    assert states(store) == {"done": 4, "retry": 1, "waiting": 1}
    assert not bus.unacked


def test_a_failed_fact_is_tried_again_when_its_time_comes_and_then_its_stream_flows(
    store, bus, clock
):
    put_two_dossiers(bus)
    consumer = scripted(store, bus, Reading(failing(2)))
    drain(consumer)  # once in the batch, once alone
    assert states(store)["retry"] == 1
    due = consumer.next_due()
    assert timedelta(seconds=0.75) <= due - NOON <= timedelta(seconds=1.25)
    assert consumer.step(0) == 0, "not before its time"
    clock.set(due)
    drain(consumer)
    assert states(store) == {"done": 6}
    assert [row[2] for row in applied(store) if row[1] == "D1"] == [1, 2, 3]
    assert consumer.next_due() is None


def test_pauses_grow_up_to_a_cap_and_the_budget_ends_in_parking(store, bus, clock):
    bus.put(envelope("/maker", "D1", 2), envelope("/maker", "D1", 1))
    consumer = scripted(store, bus, Reading(failing(99)))
    pauses = []
    while drain(consumer) or consumer.next_due():
        if (due := consumer.next_due()) is None:
            break
        pauses.append((due - clock.now()).total_seconds())
        clock.set(due)
    rows = [row for row in inbox(store) if row.sequence == 2]
    assert [(row.state, row.attempts) for row in rows] == [("parked", 8)]
    assert len(pauses) == 7
    assert pauses == sorted(pauses)
    assert pauses[-1] <= 3600


def test_the_policy_never_pauses_longer_than_its_cap():
    policy = RetryPolicy()
    assert all(policy.pause(n, "id") <= timedelta(hours=1) for n in range(1, 60))
    assert policy.pause(3, "a") != policy.pause(3, "b"), "facts that failed together spread out"
    assert policy.pause(3, "a") == policy.pause(3, "a")


def test_a_fact_for_which_trying_again_cannot_help_is_parked_at_once(store, bus):
    put_two_dossiers(bus)
    drain(scripted(store, bus, Reading(failing(99, error=ParkNow))))
    assert states(store) == {"done": 4, "waiting": 1, "parked": 1}
    with store.read() as connection:
        (row,) = parked.list_held(connection)
    assert (row.subject, row.sequence, row.attempts) == ("D1", 2, 1)
    assert row.reason.startswith("park_now: ")


def test_the_reason_of_a_failure_holds_nothing_of_what_the_error_said(store, bus):
    put_two_dossiers(bus)
    with capture_logs() as logs:
        drain(scripted(store, bus, Reading(failing(99))))
    reason = next(row.reason for row in inbox(store) if row.state == "retry")
    assert reason.startswith("RuntimeError at ")
    assert "0912345678" not in reason
    assert "0912345678" not in str(logs)


def test_bytes_that_cannot_be_read_are_parked_with_all_that_came(store, bus):
    rubbish = b"\xff\x00 not a fact"
    bus.put(rubbish, *[envelope("/maker", "D1", 1)], rubbish)
    drain(scripted(store, bus))
    assert states(store) == {"done": 1, "parked": 1}
    row = next(row for row in inbox(store) if row.state == "parked")
    assert bytes(row.body) == rubbish
    assert row.fact_id == hashlib.sha256(rubbish).hexdigest()
    assert row.reason.startswith("unreadable")
    assert not bus.unacked


def test_an_unknown_version_of_a_fact_that_is_handled_is_parked_and_other_types_go_by(store, bus):
    newer = TYPE.replace(".v1", ".v2")
    bus.put(envelope("/maker", "D1", 1, type=newer), envelope("/maker", "D1", 2))
    bus.put(envelope("/maker", "D2", 1, type="vn.lienthong.other.v2"), envelope("/maker", "D2", 2))
    consumer = scripted(store, bus)
    drain(consumer)
    assert states(store) == {"parked": 1, "waiting": 1, "done": 2}
    (row,) = [row for row in inbox(store) if row.state == "parked"]
    assert row.type == newer
    assert "a version that is not known here" in row.reason

    learnt = Consumer(
        "reader.facts", "reader.facts", store, bus,
        {kind: Handler(Reading().apply) for kind in (TYPE, newer)}, sources=("/maker",),
    )  # fmt: skip
    with store.begin() as uow:
        parked.replay(uow, row.fact_id)
    drain(learnt)
    assert states(store) == {"done": 4}


def test_a_delivery_that_is_screened_out_cannot_take_the_place_of_the_true_one(store, bus):
    def verify(fact, delivery: Delivery):
        if fact.data.get("forged"):
            raise ParkNow("the sender is not who the fact says")

    true = envelope("/maker", "D1", 1)
    bus.put(envelope("/maker", "D1", 1, data={"forged": True}), true)
    drain(scripted(store, bus, verify=verify))
    assert states(store) == {"done": 1, "parked": 1}
    assert [row[3] for row in applied(store)] == [true.id]


def test_a_fact_that_came_too_late_is_kept_with_a_note(store, bus):
    bus.put(envelope("/maker", "D1", 1), envelope("/maker", "D1", 2))
    drain(scripted(store, bus, Reading(lambda _: Late("the dossier was withdrawn"))))
    assert states(store) == {"late": 2}
    assert {row.note for row in inbox(store)} == {"the dossier was withdrawn"}


def test_while_the_database_is_away_nothing_is_acknowledged_and_nothing_lost(store, bus, clock):
    reading = Reading()
    consumer = scripted(store, bus, reading)
    put_two_dossiers(bus)
    away = True

    def gone(connection):
        if away:
            raise DatabaseAway("the database is away")

    sa.event.listen(store.engine, "begin", gone)
    for _ in range(3):
        with pytest.raises(DatabaseAway):
            consumer.step(0)
    assert reading.calls == 0
    assert len(bus.unacked) + len(bus.waiting) == 6
    away = False
    drain(consumer)
    assert states(store) == {"done": 6}
    assert not bus.unacked


def test_while_the_database_is_away_the_broker_still_hears_from_us(store, bus):
    consumer = scripted(store, bus)
    drain(consumer)
    put_two_dossiers(bus)

    def gone(connection):
        raise DatabaseAway("the database is away")

    sa.event.listen(store.engine, "begin", gone)
    consumer.wake()  # it must look at the ledgers, which it cannot
    with pytest.raises(DatabaseAway):
        consumer.step(0)
    assert bus.tended == 1, "the connection was read"
    assert len(bus.waiting) == 6, "and nothing was taken that could not be settled"
    sa.event.remove(store.engine, "begin", gone)
    drain(consumer)
    assert states(store) == {"done": 6}
    assert not bus.unacked


def test_the_batch_that_could_not_be_committed_is_taken_up_again(store, bus):
    consumer = scripted(store, bus)
    assert consumer.step(0) == 0
    put_two_dossiers(bus)
    away = [True]

    def gone(connection):
        if away[0]:
            away[0] = False
            raise DatabaseAway("broke off at the commit")

    sa.event.listen(store.engine, "commit", gone)
    with pytest.raises(DatabaseAway):
        consumer.step(0)
    assert len(bus.unacked) == 6
    assert states(store) == {}
    drain(consumer)
    assert states(store) == {"done": 6}
    assert not bus.unacked


def test_warm_is_told_the_whole_batch_before_the_first_is_applied(store, bus):
    told = []
    handler = Handler(
        lambda uow, fact: told.append(fact.sequence) and None,
        load=lambda uow, facts: told.append([fact.sequence for fact in facts]),
    )
    bus.put(*[envelope("/maker", "D1", n) for n in (3, 2, 1)])
    consumer = scripted(store, bus)
    consumer._setup.handlers.clear()
    consumer._setup.handlers[TYPE] = handler
    drain(consumer)
    assert told == [[1, 2, 3], 1, 2, 3]


def test_handlers_that_warm_alike_are_told_once_of_all_their_types(store, bus):
    told = []

    def load(_uow, facts):
        told.append(sorted(fact.sequence for fact in facts))

    apart = TYPE.replace("test", "other")
    bus.put(*[envelope("/maker", "D1", n, type=(TYPE, apart)[n % 2]) for n in (1, 2, 3, 4)])
    consumer = scripted(store, bus)
    consumer._setup.handlers.clear()
    for kind in (TYPE, apart):
        consumer._setup.handlers[kind] = Handler(lambda _uow, _fact: None, load=load)
    drain(consumer)
    assert told == [[1, 2, 3, 4]]
    assert states(store) == {"done": 4}


def test_every_fact_handled_has_one_line_and_one_count(store, bus):
    metrics = Metrics()
    put_two_dossiers(bus)
    with capture_logs() as logs:
        drain(scripted(store, bus, Reading(failing(99)), metrics=metrics))
    lines = [line for line in logs if line["event"] == "fact.handled"]
    d1, d2 = id_of("D1"), id_of("D2")
    assert sorted((line["outcome"], line["subject"]) for line in lines) == sorted(
        [("done", d1), ("done", d2), ("done", d2), ("done", d2), ("retry", d1)]
    )
    assert b'outcome="done",type="vn.lienthong.test.v1"} 4.0' in metrics.page()


def test_a_senders_words_reach_no_line_of_the_log_and_no_label(store, bus):
    words = "Nguyễn Thị Sáu 0907123456"
    strange = {"source": f"/agencies/{words}", "subject": words, "sequence": None, "id": words}
    ours = "000.21.87.H20-220314-0002", "017f4146-4a9e-77ff-a1ea-24c4f9341c68"
    bus.put(
        envelope(**strange),
        envelope(**strange | {"id": f"{words}!", "type": f"{TYPE[:-2]}v{words}"}),
        envelope(**strange | {"id": f"{words}?", "type": words}),
        envelope("/agencies/ubnd-phuong-1", ours[0], None, id=ours[1]),
    )
    bus.put(b'{"specversion": "1.0", "%s": 1}' % words.encode())
    metrics = Metrics()
    with capture_logs() as logs:
        drain(scripted(store, bus, metrics=metrics))
    lines = [line for line in logs if line["event"] == "fact.handled"]
    assert len(lines) >= 4
    for said in (repr(logs), metrics.page().decode()):
        assert "Nguyễn" not in said
        assert "0907123456" not in said
    told = [(line["source"], line["subject"], line["id"]) for line in lines]
    assert ("/agencies/ubnd-phuong-1", *ours) in told, "an operator finds what is ours"
    assert ("other", id_of(words), id_of(words)) in told


def test_two_workers_that_get_the_same_facts_apply_each_once(on_servers):
    """Both are handed all deliveries, in opposite order, at the same time, on PostgreSQL."""
    store = open_store(on_servers.settings("routing").database_url, FixedClock(NOON))
    facts = [envelope("/maker", f"D{d}", n) for n in range(1, 6) for d in range(1, 9)]
    facts += [envelope("/other", f"D{d}", 1, after="/maker:3") for d in range(1, 9)]
    facts += [envelope("/agencies/a", f"T{d}", None, id=f"answer-{d}") for d in range(1, 9)]
    buses = [ScriptedBus(cut=7), ScriptedBus(cut=5)]
    buses[0].put(*facts)
    buses[1].put(*reversed(facts))
    start = threading.Barrier(2)
    troubles = []

    def work(bus):
        consumer = scripted(store, bus)
        start.wait()
        try:
            while bus.waiting:
                consumer.step(0)
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            troubles.append(error)

    threads = [threading.Thread(target=work, args=(bus,)) for bus in buses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert troubles == []
    drain(scripted(store, ScriptedBus()))
    assert states(store) == {"done": len(facts)}
    order = applied(store)
    assert len({row[3] for row in order}) == len(order) == len(facts)
    for d in range(1, 9):
        assert [r[2] for r in order if r[:2] == ("/maker", f"D{d}")] == [1, 2, 3, 4, 5]
        own = [(r[0], r[2]) for r in order if r[1] == f"D{d}"]
        assert own.index(("/other", 1)) > own.index(("/maker", 3))
    numbers = [row.sequence for row in outbox(store) if row.stream == "/reader D1"]
    assert numbers == [1, 2, 3, 4, 5, 6]
    store.close()


def test_a_row_that_another_worker_settled_meanwhile_is_left_alone(store, bus, clock):
    put_two_dossiers(bus)
    first = scripted(store, bus, Reading(failing(2)))
    drain(first)
    second = scripted(store, bus)
    clock.advance(timedelta(minutes=1))
    arrivals = [row for row in inbox(store) if row.state == "retry"]
    drain(second)
    from shared.messaging.consumer.model import from_row

    first._settle([from_row(row, None) for row in arrivals])
    assert [fact[2] for fact in applied(store) if fact[1] == "D1"] == [1, 2, 3]
