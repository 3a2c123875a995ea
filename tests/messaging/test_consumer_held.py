"""What was parked or is held: replayed, discarded, read at last; and kept to the letter meanwhile."""

from __future__ import annotations

import pytest

from shared.events.envelope import MAX_BYTES, encode
from shared.kernel.clock import FixedClock
from shared.kernel.errors import NotAllowed, ParkNow, Unreadable
from shared.messaging import parked
from shared.messaging.salvage import Place, place_in
from tests.messaging.rig import (
    NOON,
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


def test_a_parked_fact_is_replayed_with_a_new_budget_and_its_stream_flows(store, bus):
    put_two_dossiers(bus)
    consumer = scripted(store, bus, Reading(failing(2, error=ParkNow)))
    drain(consumer)
    (row,) = read(store, parked.list_held)
    with store.begin() as uow:
        parked.replay(uow, row.fact_id)
    drain(consumer)
    assert states(store) == {"done": 6}
    assert [fact[2] for fact in applied(store) if fact[1] == "D1"] == [1, 2, 3]


def test_a_discarded_fact_says_who_and_why_and_lets_the_later_ones_flow(store, bus):
    put_two_dossiers(bus)
    consumer = scripted(store, bus, Reading(failing(99, error=ParkNow)))
    drain(consumer)
    (row,) = read(store, parked.list_held)
    with store.begin() as uow:
        parked.discard(uow, row.fact_id, who="lan", why="sent by mistake")
    drain(consumer)
    assert states(store) == {"done": 5, "discarded": 1}
    assert [fact[2] for fact in applied(store) if fact[1] == "D1"] == [1, 3]
    (gone,) = read(store, parked.list_held, states=("discarded",))
    assert (gone.owner, gone.note) == ("lan", "sent by mistake")
    with store.begin() as uow, pytest.raises(NotAllowed):
        parked.replay(uow, row.fact_id)


def test_what_waits_for_a_discarded_fact_of_another_source_flows_too(store, bus):
    def trouble(fact):
        if fact.source == "/maker":
            raise ParkNow("no")

    bus.put(envelope("/other", "D1", 1, after="/maker:1"), envelope("/maker", "D1", 1))
    consumer = scripted(store, bus, Reading(trouble))
    drain(consumer)
    assert states(store) == {"parked": 1, "waiting": 1}
    with store.begin() as uow:
        parked.discard(uow, "/maker-D1-1", who="lan", why="known fault")
    drain(consumer)
    assert states(store) == {"discarded": 1, "done": 1}


def test_a_gap_that_is_not_discarded_still_holds_what_comes_after_it(store, bus):
    bus.put(*[envelope("/maker", "D1", n) for n in (1, 2, 4)])
    consumer = scripted(store, bus, Reading(failing(99, error=ParkNow)))
    drain(consumer)
    with store.begin() as uow:
        parked.discard(uow, "/maker-D1-2", who="lan", why="known fault")
    drain(consumer)
    assert states(store) == {"done": 1, "discarded": 1, "waiting": 1}


def _another_version(fact: bytes) -> bytes:
    return fact.replace(b'"specversion":"1.0"', b'"specversion":"9.0"')


UNDECODABLE = {
    "a version that nobody knows": _another_version,
    "an attribute that broke": lambda fact: fact.replace(b'"time":"', b'"time":"x'),
    "bytes that are no text": lambda fact: fact[:-1] + b'\xff"}',
    "half of it": lambda fact: fact[: fact.index(b'"data"')],
    "one that has no end": lambda fact: fact.ljust(2 * MAX_BYTES),
}


@pytest.mark.parametrize("how", UNDECODABLE)
def test_a_fact_that_no_reader_can_decode_can_be_stepped_over(store, bus, how):
    for number in (1, 2, 3):
        fact = encode(envelope("/maker", "D1", number))
        bus.put(UNDECODABLE[how](fact) if number == 2 else fact)
    consumer = scripted(store, bus)
    drain(consumer)
    assert states(store) == {"done": 1, "parked": 1, "waiting": 1}
    (row,) = read(store, parked.list_held)
    assert row.sequence is None
    assert row.place == Place("/maker", "D1", 2)
    with store.begin() as uow:
        parked.discard(uow, row.fact_id, who="lan", why="lost", step_over=row.place)
    drain(consumer)
    assert states(store) == {"done": 2, "discarded": 2}  # the bytes, and the number they had
    assert [fact[2] for fact in applied(store)] == [1, 3]


def test_what_cannot_be_read_steps_over_nothing_unasked_or_out_of_turn(store, bus):
    """Anybody may write anything into rubbish: the true fact of that number may be on its way."""
    fact = encode(envelope("/maker", "D1", 2))
    bus.put(encode(envelope("/maker", "D1", 1)), _another_version(fact))
    consumer = scripted(store, bus)
    drain(consumer)
    (row,) = read(store, parked.list_held)
    for wrong in (1, 3):
        elsewhere = Place("/maker", "D1", wrong)
        with pytest.raises(NotAllowed), store.begin() as uow:
            parked.discard(uow, row.fact_id, who="lan", why="x", step_over=elsewhere)
        assert states(store) == {"done": 1, "parked": 1}, "nothing is half done"
    with store.begin() as uow:
        parked.discard(uow, row.fact_id, who="lan", why="rubbish")
    bus.put(fact)
    drain(consumer)
    assert states(store) == {"done": 2, "discarded": 1}


@pytest.mark.parametrize(
    "body", [b"", b"rubbish", b'{"source":"/a","subject":"b"}', b'{"sequence":"0","source":"/a"}']
)
def test_bytes_that_name_no_place_have_none(body):
    assert place_in(body) is None


def test_redelivery_of_what_is_held_changes_nothing(store, bus):
    put_two_dossiers(bus)
    everything = list(bus.waiting)
    consumer = scripted(store, bus, Reading(failing(99)))
    drain(consumer)
    before = inbox(store)
    bus.put(*everything)
    drain(consumer)
    assert inbox(store) == before
    assert len(outbox(store)) == 4


def read(store, question, **options):
    with store.read() as connection:
        return question(connection, **options)


def test_a_body_is_kept_to_the_letter(store, bus):
    fact = encode(envelope("/maker", "D1", 1, data={"tên": "Đỗ Thị Ánh"}))
    bus.put(fact)
    drain(scripted(store, bus))
    assert bytes(inbox(store)[0].body) == fact


def test_bytes_that_a_newer_version_can_read_are_replayed_as_the_fact_they_are(
    store, bus, monkeypatch
):
    from shared.messaging.consumer import model

    fact = envelope("/maker", "D1", 1)
    bus.put(fact)
    with monkeypatch.context() as old:
        old.setattr(model, "decode", cannot_read)
        drain(scripted(store, bus))
    assert states(store) == {"parked": 1}
    (row,) = read(store, parked.list_held)
    bus.put(envelope("/maker", "D1", 2))
    consumer = scripted(store, bus)
    drain(consumer)
    with store.begin() as uow:
        parked.replay(uow, row.fact_id)
    drain(consumer)
    assert states(store) == {"discarded": 1, "done": 2}
    assert [each[2] for each in applied(store)] == [1, 2]


def test_replaying_unreadable_bytes_that_came_properly_meanwhile_changes_nothing(
    store, bus, monkeypatch
):
    from shared.messaging.consumer import model

    fact = envelope("/maker", "D1", 1)
    bus.put(fact)
    with monkeypatch.context() as old:
        old.setattr(model, "decode", cannot_read)
        drain(scripted(store, bus))
    (row,) = read(store, parked.list_held)
    bus.put(fact)
    consumer = scripted(store, bus)
    drain(consumer)
    with store.begin() as uow:
        parked.replay(uow, row.fact_id)
    drain(consumer)
    assert states(store) == {"discarded": 1, "done": 1}
    assert len(applied(store)) == 1


def test_replaying_does_not_let_a_forged_sender_in(store, bus):
    def verify(fact, delivery):
        raise ParkNow("the sender is not who the fact says")

    bus.put(envelope("/maker", "D1", 1))
    consumer = scripted(store, bus, verify=verify)
    drain(consumer)
    (row,) = read(store, parked.list_held)
    with store.begin() as uow:
        parked.replay(uow, row.fact_id)
    drain(consumer)
    assert states(store) == {"parked": 1}
    assert applied(store) == []


def test_what_was_refused_is_judged_again_by_the_sender_that_was_noted_with_it(
    store, bus, monkeypatch
):
    from shared.messaging.consumer import model

    own_key = ["reader.test.made"]

    def verify(fact, delivery):
        if delivery.routing_key not in own_key:
            raise ParkNow("the sender is not who the fact says")

    bus.put(envelope("/maker", "D1", 1))
    consumer = scripted(store, bus, verify=verify)
    with monkeypatch.context() as old:  # one that could not even be read is no better
        old.setattr(model, "decode", cannot_read)
        drain(consumer)
    (row,) = read(store, parked.list_held)
    assert (row.routing_key, row.user_id) == ("maker.test.made", None)

    def replayed():
        with store.begin() as uow:
            parked.replay(uow, row.fact_id)
        drain(consumer)
        return states(store)

    assert replayed() == {"parked": 1}
    own_key.append("maker.test.made")  # the rule was wrong
    assert replayed() == {"discarded": 1, "done": 1}
    kept = {row.state: row.routing_key for row in inbox(store)}
    assert kept == {"discarded": "maker.test.made", "done": None}, "who sent it matters no more"


def cannot_read(body):
    raise Unreadable("envelope: from the future")
