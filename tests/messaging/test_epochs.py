"""A maker whose database was restored: its streams go on far above what it has forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shared.database import Store
from shared.events.envelope import Envelope, decode, encode
from shared.kernel.clock import FixedClock
from shared.kernel.errors import NotAllowed, ParkNow, Unreadable
from shared.messaging import epochs, gaps, parked
from shared.messaging.acts import Reason
from shared.messaging.outbox import resend
from tests.backends import Backend
from tests.messaging.rig import (
    LEDGERS,
    NOON,
    Reading,
    ScriptedBus,
    applied,
    drain,
    envelope,
    inbox,
    make,
    metadata,
    open_store,
    outbox,
    scripted,
    states,
)

WHY = Reason("lan", "đĩa hỏng")
EPOCH = 10**11


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def maker(backend: Backend, clock: FixedClock) -> Iterator[Store]:
    made = open_store(backend.settings("intake").database_url, clock)
    yield made
    made.close()


@dataclass
class Reader:
    """One consumer whose arrivals the test decides, and its trouble."""

    store: Store
    bus: ScriptedBus = field(default_factory=ScriptedBus)
    parks: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        def trouble(fact: Envelope) -> None:
            if fact.sequence in self.parks:
                raise ParkNow("a person must look")

        self.consumer = scripted(self.store, self.bus, Reading(trouble, echo=False))

    def take(self, *facts: Envelope | bytes) -> list[int | None]:
        """Let these arrive; the numbers of /maker that took effect by now, in their order."""
        self.bus.put(*facts)
        drain(self.consumer)
        return [row[2] for row in applied(self.store) if row[0] == "/maker"]

    def state_of(self, number: int) -> str:
        return next(row.state for row in inbox(self.store) if row.sequence == number)


@pytest.fixture
def reader(backend: Backend, clock: FixedClock) -> Iterator[Reader]:
    store = open_store(backend.settings("routing").database_url, clock, seed=2, reads=["/maker"])
    yield Reader(store)
    store.close()


def fact(number: int, **more: Any) -> Envelope:
    return envelope("/maker", "D1", number, **more)


def anew(number: int = 1, **more: Any) -> Envelope:
    """A fact of the new epoch, by its place in it."""
    return fact(EPOCH + number, epoch=EPOCH, **more)


# --- the maker ---------------------------------------------------------------------------------


def rows(store: Store) -> dict[str, list[dict[str, Any]]]:
    """All that a database holds, as a backup would."""
    with store.read() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
            for table in metadata.sorted_tables
        }


def put_back(store: Store, backup: dict[str, list[dict[str, Any]]]) -> None:
    with store.engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(sa.delete(table))
        for table in metadata.sorted_tables:
            if backup[table.name]:
                connection.execute(sa.insert(table), backup[table.name])


def made_by(store: Store, subject: str) -> list[Envelope]:
    return [decode(bytes(row.body)) for row in outbox(store) if row.subject == subject]


def begin(store: Store) -> epochs.Begun:
    with store.begin() as uow:
        return epochs.begin(uow, WHY)


def test_numbers_go_on_above_all_that_were_forgotten_and_say_what_they_follow(maker, clock):
    make(maker, "D1", 2)
    backup = rows(maker)
    make(maker, "D1", 3)
    lost = {each.sequence for each in made_by(maker, "D1")}
    put_back(maker, backup)
    clock.advance(timedelta(hours=1))
    begun = begin(maker)
    assert begun.streams == 1
    assert begun.newest == NOON
    make(maker, "D1", 2)
    new = made_by(maker, "D1")[2:]
    assert [each.sequence for each in new] == [begun.number + 1, begun.number + 2]
    assert not lost & {each.sequence for each in new}
    assert [(each.epoch, each.follows) for each in new] == [(begun.number, 2), (begun.number, None)]


def test_a_stream_that_the_backup_does_not_know_begins_in_the_epoch_as_well(maker):
    begun = begin(maker)
    make(maker, "D9")
    make(maker, "D9")
    first, second = made_by(maker, "D9")
    assert (first.sequence, first.epoch, first.follows) == (begun.number + 1, begun.number, 0)
    assert (second.sequence, second.epoch, second.follows) == (begun.number + 2, begun.number, None)


def test_what_is_brought_into_the_world_begins_at_one_in_every_epoch(maker, clock):
    begin(maker)
    with maker.begin() as uow:
        uow.opens("NEW")
        uow.record(("/maker", "maker.test.made", "NEW", {}))
    make(maker, "NEW")
    assert [(e.sequence, e.epoch, e.follows) for e in made_by(maker, "NEW")] == [
        (1, None, None),
        (2, None, None),
    ]


def test_told_twice_or_restored_twice_nothing_is_followed_that_never_was(maker, clock):
    make(maker, "D1", 2)
    make(maker, "D2", 1)
    first = begin(maker)
    make(maker, "D2")
    second = begin(maker)
    clock.advance(timedelta(days=1))
    third = begin(maker)
    assert first.number < second.number < third.number
    make(maker, "D1")
    make(maker, "D2")
    assert made_by(maker, "D1")[-1].follows == 2
    assert made_by(maker, "D2")[-1].follows == first.number + 1


def test_more_streams_than_one_statement_takes_all_begin_anew(maker, monkeypatch):
    monkeypatch.setattr(epochs, "_PAGE", 2)
    for number in range(5):
        make(maker, f"D{number}")
    assert begin(maker).streams == 5
    for number in range(5):
        make(maker, f"D{number}")
        assert made_by(maker, f"D{number}")[-1].follows == 1


def test_a_clock_that_stands_before_the_newest_fact_is_set_right_first(maker, clock):
    make(maker, "D1")
    clock.set(NOON - timedelta(days=1))
    with pytest.raises(NotAllowed, match="clock"):
        begin(maker)
    with maker.read() as connection:
        assert connection.execute(sa.select(LEDGERS.epochs)).all() == []


# --- the wire ----------------------------------------------------------------------------------


def test_an_epoch_travels_and_is_absent_from_the_first():
    assert decode(encode(anew(follows=0))) == anew(follows=0)
    assert b"epoch" not in encode(fact(3))
    assert b"follows" not in encode(fact(3))
    assert decode(encode(fact(3))).previous == 2


@pytest.mark.parametrize("name", ["epoch", "follows"])
@pytest.mark.parametrize("value", ['"0000000003"', '"x"', "2", '"' + "9" * 30 + '"'])
def test_an_epoch_that_cannot_be_is_refused(name, value):
    odd = encode(fact(3)).replace(b'"time"', f'"{name}":{value},"time"'.encode())
    with pytest.raises(Unreadable, match=name):
        decode(odd)


# --- the reader --------------------------------------------------------------------------------


def test_what_was_lost_stays_applied_and_the_new_epoch_goes_on(reader):
    reader.take(fact(1), fact(2), fact(3))
    first = anew(follows=1)
    assert reader.take(anew(2), first) == [1, 2, 3, EPOCH + 1, EPOCH + 2]
    assert states(reader.store) == {"done": 5}
    note = next(row.note for row in inbox(reader.store) if row.sequence == EPOCH + 1)
    assert "số 1 của mình, tới số 3" in note
    assert reader.take(first, fact(2)) == [1, 2, 3, EPOCH + 1, EPOCH + 2], "repeats are harmless"
    assert states(reader.store) == {"done": 5}


def test_the_new_epoch_waits_for_what_the_backup_still_has(reader):
    reader.take(fact(1))
    assert reader.take(anew(follows=3)) == [1]
    assert reader.state_of(EPOCH + 1) == "waiting"
    assert reader.take(fact(3), fact(2)) == [1, 2, 3, EPOCH + 1]
    assert states(reader.store) == {"done": 4}


def test_what_comes_late_of_the_lost_epoch_is_kept_and_changes_nothing(reader):
    reader.take(fact(1), fact(3))  # 2 was lost on its way, and then at the maker
    reader.take(anew(follows=1))
    assert reader.state_of(3) == "late", "nobody waits for what cannot come"
    reader.take(fact(4), fact(2))
    assert [row[2] for row in applied(reader.store)] == [1, EPOCH + 1]
    assert states(reader.store) == {"done": 2, "late": 3}


def test_a_parked_fact_of_the_lost_epoch_is_passed_over_and_late_when_replayed(reader):
    reader.parks.add(2)
    reader.take(fact(1), fact(2), fact(3))
    assert reader.take(anew(follows=1)) == [1, EPOCH + 1]
    reader.parks.clear()
    with reader.store.begin() as uow:
        parked.replay(uow, "/maker-D1-2")
    assert reader.take() == [1, EPOCH + 1]
    assert reader.state_of(2) == "late"
    assert reader.state_of(3) == "late"


def test_a_number_used_by_another_fact_of_the_same_epoch_is_still_for_a_person(reader):
    reader.take(fact(1), anew(follows=1))
    reader.take(fact(1, id="forged"), anew(follows=1, id="another"))
    assert states(reader.store) == {"done": 2, "parked": 2}


def test_a_second_restore_before_the_first_was_heard_of_loses_no_order(reader):
    reader.take(fact(1), fact(2))
    later = EPOCH + 1000
    last = fact(later + 1, epoch=later, follows=EPOCH + 2)
    assert reader.take(last, anew(2)) == [1, 2]
    assert reader.take(anew(follows=1)) == [1, 2, EPOCH + 1, EPOCH + 2, later + 1]


def test_a_cause_that_was_lost_is_overtaken_by_the_next_epoch_of_its_source(reader):
    effect = envelope("/other", "D1", 1, after="/maker:7")
    reader.take(fact(1), effect)
    assert reader.state_of(1) == "done"
    assert states(reader.store)["waiting"] == 1
    reader.take(anew(follows=1))
    assert states(reader.store) == {"done": 3}


def test_what_waits_for_a_lost_cause_is_let_go_by_a_person(reader, monkeypatch):
    monkeypatch.setattr(gaps, "sources_of", lambda _: {"/maker", "/other"})
    reader.take(fact(1), envelope("/other", "D1", 1, after="/maker:7"))
    with reader.store.begin() as uow:
        row = parked.show(uow.connection, "/other-D1-1")
        gaps.pass_over(uow, row.consumer, bytes(row.body), WHY)
    reader.take()
    assert states(reader.store) == {"done": 2, "discarded": 6}


@pytest.mark.parametrize("give_up", ["discard", "pass_over"])
def test_giving_up_across_epochs_does_not_count_through_all_that_lies_between(reader, give_up):
    reader.parks.add(EPOCH + 1)
    reader.take(fact(1), *([anew(follows=1)] if give_up == "discard" else []), anew(2))
    with reader.store.begin() as uow:
        if give_up == "discard":
            parked.discard(uow, f"/maker-D1-{EPOCH + 1}", who="lan", why="x")
        else:
            row = parked.show(uow.connection, f"/maker-D1-{EPOCH + 2}")
            gaps.pass_over(uow, row.consumer, bytes(row.body), WHY)
    assert reader.take() == [1, EPOCH + 2]
    assert len(inbox(reader.store)) < 6


def test_maker_and_reader_end_alike_after_the_maker_was_restored(maker, reader, clock):
    """The whole of it: the lost numbers come in any order with the new, and nothing is held."""
    make(maker, "D1", 2)
    backup = rows(maker)
    make(maker, "D1", 3)
    with maker.begin() as uow:
        resend(uow, NOON)
    lost = [bytes(row.body) for row in outbox(maker)]
    reader.take(*lost[:4])
    put_back(maker, backup)
    clock.advance(timedelta(minutes=1))
    begin(maker)
    make(maker, "D1", 2)
    new = [bytes(row.body) for row in outbox(maker)]
    reader.take(*reversed(new), lost[4])
    assert states(reader.store) == {"done": 7}, "what came together stands in its order"
