"""Promise 2: whatever arrives in whatever order and however often, each fact takes effect once.

Arrivals are scripted; the databases are real, both kinds.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.events.envelope import Envelope, decode, parse_after
from shared.kernel.clock import FixedClock
from tests.messaging.rig import (
    NOON,
    Crash,
    Reading,
    ScriptedBus,
    applied,
    drain,
    empty,
    envelope,
    inbox,
    open_store,
    outbox,
    scripted,
    states,
)


@pytest.fixture
def clock():
    return FixedClock(NOON)


@pytest.fixture
def store(backend, clock):
    made = open_store(backend.settings("routing").database_url, clock, reads=["/maker", "/other"])
    yield made
    made.close()


@pytest.fixture
def bus():
    return ScriptedBus()


def made(count, *, subject="D1", source="/maker", first=1):
    return [envelope(source, subject, n) for n in range(first, first + count)]


def numbers(store, subject="D1", source="/maker"):
    return [row[2] for row in applied(store) if row[:2] == (source, subject)]


def test_facts_that_arrive_backwards_are_applied_forwards(store, bus):
    bus.put(*reversed(made(7)))
    drain(scripted(store, bus))
    assert numbers(store) == [1, 2, 3, 4, 5, 6, 7]
    assert states(store) == {"done": 7}
    assert not bus.unacked


def test_facts_that_come_one_by_one_backwards_wait_as_rows_for_the_first(store, bus):
    bus.cut = 1
    bus.put(*reversed(made(4)))
    consumer = scripted(store, bus)
    for _ in range(3):
        consumer.step(0)
    assert states(store) == {"waiting": 3}
    assert not bus.unacked, "the broker must not hold what waits"
    drain(consumer)
    assert numbers(store) == [1, 2, 3, 4]
    assert states(store) == {"done": 4}


def test_a_waiting_fact_says_what_it_waits_for(store, bus):
    bus.put(envelope("/maker", "D1", 3), envelope("/other", "D2", 1, after="/maker:2"))
    drain(scripted(store, bus))
    assert [row.reason for row in inbox(store)] == [
        "waits for number 1 of /maker",
        "waits for number 2 of /maker",
    ]


def test_a_fact_that_comes_many_times_takes_effect_once(store, bus):
    fact = envelope("/maker", "D1", 1)
    bus.put(fact, fact, fact)
    consumer = scripted(store, bus)
    drain(consumer)
    bus.put(fact)
    drain(consumer)
    assert numbers(store) == [1]
    assert len(outbox(store)) == 1


def test_a_waiting_fact_that_comes_again_changes_nothing(store, bus):
    late = envelope("/maker", "D1", 2)
    consumer = scripted(store, bus)
    for _ in range(2):
        bus.put(late)
        drain(consumer)
    assert states(store) == {"waiting": 1}


def test_a_fact_waits_for_what_its_maker_had_applied_from_another_source(store, bus):
    bus.put(envelope("/other", "D1", 1, after="/maker:2"))
    consumer = scripted(store, bus)
    drain(consumer)
    assert states(store) == {"waiting": 1}
    bus.put(*made(1))
    drain(consumer)
    assert states(store) == {"waiting": 1, "done": 1}
    bus.put(*made(1, first=2))
    drain(consumer)
    assert [row[0] for row in applied(store)] == ["/maker", "/maker", "/other"]


def test_inside_one_batch_causes_come_before_what_they_caused(store, bus):
    bus.put(envelope("/other", "D1", 1, after="/maker:2"), *reversed(made(3)))
    drain(scripted(store, bus))
    order = [(row[0], row[2]) for row in applied(store)]
    assert order.index(("/maker", 2)) < order.index(("/other", 1))
    assert states(store) == {"done": 4}


def test_sources_that_this_consumer_does_not_read_hold_nothing_back(store, bus):
    bus.put(envelope("/maker", "D1", 1, after="/elsewhere:9"))
    drain(scripted(store, bus))
    assert states(store) == {"done": 1}


def test_facts_without_a_number_are_applied_at_once_and_once(store, bus):
    answer = envelope("/agencies/a", "T1", None, id="answer-1")
    bus.put(answer, answer)
    consumer = scripted(store, bus)
    drain(consumer)
    bus.put(answer)
    drain(consumer)
    assert [row[3] for row in applied(store)] == ["answer-1"]


def test_a_number_that_was_used_under_another_id_is_parked(store, bus):
    consumer = scripted(store, bus)
    bus.put(*made(2))
    drain(consumer)
    bus.put(envelope("/maker", "D1", 2, id="an-impostor"))
    drain(consumer)
    assert numbers(store) == [1, 2]
    parked = [row for row in inbox(store) if row.state == "parked"]
    assert [row.fact_id for row in parked] == ["an-impostor"]
    assert parked[0].reason == "number already used: the stream is at 2"


def test_two_ids_for_one_number_in_one_batch_leave_one_applied_and_one_parked(store, bus):
    bus.put(envelope("/maker", "D1", 1), envelope("/maker", "D1", 1, id="twin"))
    drain(scripted(store, bus))
    assert numbers(store) == [1]
    assert states(store) == {"done": 1, "parked": 1}


def test_facts_of_a_type_nobody_handles_move_the_stream_on(store, bus):
    bus.put(envelope("/maker", "D1", 1, type="vn.lienthong.unheard.v1"), *made(1, first=2))
    drain(scripted(store, bus))
    assert numbers(store) == [2]
    assert states(store) == {"done": 2}


def test_what_a_handler_says_names_its_cause_and_how_far_it_had_come(store, bus):
    cause = envelope(
        "/maker", "D1", 1, correlationid="journey", traceparent=f"00-{'a' * 32}-{'b' * 16}-01"
    )
    bus.put(cause, *made(1, first=2), envelope("/other", "D1", 1))
    drain(scripted(store, bus))
    first, second, third = (decode(row.body) for row in outbox(store))
    assert (first.causationid, first.correlationid, first.after) == (
        cause.id,
        "journey",
        "/maker:1",
    )
    assert first.traceparent is not None
    assert first.traceparent.split("-")[1] == "a" * 32
    assert first.traceparent.split("-")[2] != "b" * 16
    assert second.after == "/maker:2"
    assert third.after == "/maker:2 /other:1"
    assert [each.sequence for each in (first, second, third)] == [1, 2, 3]


@st.composite
def journeys(draw: st.DrawFn) -> tuple[list[Envelope], list[int], list[int], dict[str, int]]:
    """Facts of some dossiers as they arrive, where the batches are cut, where it dies, who fails."""
    facts: list[Envelope] = []
    for subject in [f"D{n}" for n in range(draw(st.integers(1, 3)))]:
        length = draw(st.integers(1, 5))
        facts += [envelope("/maker", subject, n) for n in range(1, length + 1)]
        seen = 0
        for n in range(1, draw(st.integers(0, 4)) + 1):
            seen = draw(st.integers(seen, length))
            after = f"/maker:{seen}" if seen else None
            facts.append(envelope("/other", subject, n, after=after))
    again = draw(st.lists(st.sampled_from(facts), max_size=6))
    arrivals = draw(st.permutations(facts + again))
    cuts = draw(st.lists(st.integers(1, 7), min_size=1, max_size=5))
    crashes = draw(st.lists(st.integers(1, 30), max_size=3))
    failing = draw(
        st.dictionaries(st.sampled_from([f.id for f in facts]), st.integers(1, 3), max_size=4)
    )
    return list(arrivals), cuts, crashes, failing


class Troublesome:
    """Fails the given facts the given number of times and dies at the given calls."""

    def __init__(self, crashes, failing):
        self.crashes, self.failing = set(crashes), dict(failing)
        self.calls = 0

    def __call__(self, fact):
        self.calls += 1
        if self.calls in self.crashes:
            raise Crash
        if self.failing.get(fact.id, 0) > 0:
            self.failing[fact.id] -= 1
            raise RuntimeError("not yet")


def carry_to_the_end(store, clock, arrivals, cuts, trouble):
    bus = ScriptedBus()
    bus.put(*arrivals)
    consumer = scripted(store, bus, Reading(trouble))
    for turn in range(500):
        bus.cut = cuts[turn % len(cuts)]
        try:
            done = consumer.step(0)
        except Crash:
            bus.lose_connection()
            consumer = scripted(store, bus, Reading(trouble))
            continue
        if not done and not bus.waiting:
            if consumer.next_due() is None:
                return
            clock.set(max(clock.now(), consumer.next_due()))
    raise AssertionError("never at rest")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(journey=journeys())
def test_shuffled_repeated_delayed_and_failing_facts_take_effect_once_and_in_order(
    store, clock, journey
):
    empty(store)
    clock.set(NOON)
    arrivals, cuts, crashes, failing = journey
    carry_to_the_end(store, clock, arrivals, cuts, Troublesome(crashes, failing))

    facts = {fact.id: fact for fact in arrivals}
    order = applied(store)
    assert Counter(row[3] for row in order) == Counter(facts.keys()), "each exactly once"
    assert states(store) == {"done": len(facts)}
    come: dict[str, int] = {}
    for source, subject, sequence, fact_id in order:
        assert sequence == come.get(f"{source} {subject}", 0) + 1, "in the order of its stream"
        for cause, needed in parse_after(facts[fact_id].after):
            assert come.get(f"{cause} {subject}", 0) >= needed, "after what it came from"
        come[f"{source} {subject}"] = sequence
    check_echoes(store, order)


def check_echoes(store, order):
    """What the reader said itself: one echo per fact, numbered without gaps, true about `after`."""
    echoes = [decode(row.body) for row in outbox(store)]
    assert Counter(echo.data["of"] for echo in echoes) == Counter(row[3] for row in order)
    come: dict[str, dict[str, int]] = {}
    spoken: Counter[str] = Counter()
    for echo, (source, subject, sequence, fact_id) in zip(echoes, order, strict=True):
        spoken[subject] += 1
        come.setdefault(subject, {})[source] = sequence
        assert (echo.causationid, echo.sequence) == (fact_id, spoken[subject])
        assert dict(parse_after(echo.after)) == come[subject]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(1, 9)), st.integers(1, 8), st.integers(1, 8))
def test_a_parked_fact_holds_its_own_stream_and_no_other(store, clock, arrival_order, bad, cut):
    from shared.kernel.errors import ParkNow

    empty(store)
    clock.set(NOON)

    def trouble(fact):
        if (fact.subject, fact.sequence) == ("D1", bad):
            raise ParkNow("a person must look")

    bus = ScriptedBus(cut=cut)
    for number in arrival_order:
        bus.put(envelope("/maker", "D1", number), envelope("/maker", "D2", number))
    drain(scripted(store, bus, Reading(trouble)))
    assert numbers(store, "D1") == list(range(1, bad))
    assert numbers(store, "D2") == list(range(1, 9))
    assert states(store).get("parked") == 1
    assert states(store).get("waiting", 0) == 8 - bad
    assert clock.now() - NOON == timedelta(0)
