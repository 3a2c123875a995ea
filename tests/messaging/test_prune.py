"""Nothing unsettled is ever cleared, and every stream goes on with its next number afterwards."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.database import Store
from shared.kernel.clock import FixedClock, to_vn
from shared.kernel.errors import DatabaseAway, ParkNow
from shared.messaging import parked
from shared.messaging.loops.nightly import Nightly, coming_night
from shared.messaging.prune import clear_ledgers, cutoff
from tests.backends import Backend
from tests.messaging.rig import (
    LEDGERS,
    NOON,
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

TERM = 10  # days


class Matter(NamedTuple):
    """What happened to one subject, so many days ago."""

    ended: bool
    facts: int
    parked_at: int | None
    days: int
    sent: bool
    given_up: bool

    @property
    def may_go(self) -> bool:
        settled = self.parked_at is None or (self.given_up and self.parked_at == self.facts)
        nothing_said = self.parked_at == 1  # only what is applied makes a fact to be sent
        sent = self.sent or nothing_said
        return self.ended and settled and sent and self.days > TERM


matters = st.builds(
    Matter,
    ended=st.booleans(),
    facts=st.integers(1, 4),
    parked_at=st.none() | st.integers(1, 4),
    days=st.sampled_from([0, 9, 11, 40]),
    sent=st.booleans(),
    given_up=st.booleans(),
).map(lambda m: m if m.parked_at is None or m.parked_at <= m.facts else m._replace(parked_at=None))


@pytest.fixture
def store(backend: Backend):
    made = open_store(backend.settings("routing").database_url, FixedClock(NOON), reads=["/maker"])
    yield made
    made.close()


def live(store: Store, clock: FixedClock, name: str, matter: Matter) -> None:
    """Let it happen, at its own time."""

    def trouble(fact):
        if fact.sequence == matter.parked_at:
            raise ParkNow("a person must look")

    clock.set(NOON - timedelta(days=matter.days))
    bus = ScriptedBus()
    bus.put(*(envelope("/maker", name, n) for n in range(1, matter.facts + 1)))
    drain(scripted(store, bus, Reading(trouble)))
    if matter.parked_at is not None and matter.given_up and matter.parked_at == matter.facts:
        with store.begin() as uow:
            parked.discard(uow, f"/maker-{name}-{matter.parked_at}", who="lan", why="x")
    if matter.sent:
        made = LEDGERS.outbox
        with store.transaction() as connection:
            connection.execute(
                sa.update(made).where(made.c.subject == name).values(sent_at=clock.now())
            )


def rows_of(store: Store) -> Counter:
    """Every row of both ledgers, with its subject."""
    return Counter(
        (row.subject, *map(str, row)) for rows in (inbox(store), outbox(store)) for row in rows
    )


def clear(store: Store, ended: set[str], *, dry: bool = False) -> Counter:
    before = cutoff(store.clock.now(), TERM)
    assert before is not None
    done: Counter = Counter()
    of_service = lambda _connection, subjects, _before: ended & set(subjects)  # noqa: E731
    for each in clear_ledgers(store, of_service, before, dry=dry):
        done[each.what] += each.count
    return done


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(lived=[Matter(True, 2, 2, 40, True, True), Matter(True, 1, None, 40, True, False)])
@given(lived=st.lists(matters, min_size=1, max_size=5))
def test_only_what_is_settled_and_old_goes_and_every_stream_goes_on(store: Store, lived):
    empty(store)
    clock = store.clock
    assert isinstance(clock, FixedClock)
    known = {f"D{n}": matter for n, matter in enumerate(lived)}
    for name, matter in known.items():
        live(store, clock, name, matter)
    clock.set(NOON)
    ended = {name for name, matter in known.items() if matter.ended}
    before, told = rows_of(store), clear(store, ended, dry=True)
    assert rows_of(store) == before, "a dry run changes nothing"
    assert clear(store, ended) == told, "a dry run counts what will go"

    goes = {name for name, matter in known.items() if matter.may_go}
    left = rows_of(store)
    for name, matter in known.items():
        mine = Counter({row: count for row, count in before.items() if row[0] == name})
        kept = Counter({row: count for row, count in left.items() if row[0] == name})
        if name not in goes:
            assert kept == mine, matter
        else:
            assert [row[9] for row in kept] == ["discarded"] * (matter.parked_at is not None)

    # What came before comes again, and then the next number.
    held, effects = states(store), applied(store)
    bus = ScriptedBus()
    for name, matter in known.items():
        bus.put(*(envelope("/maker", name, n) for n in range(1, matter.facts + 1)))
    drain(scripted(store, bus))
    assert (states(store), applied(store)) == (held, effects), "a repeat is a repeat"
    for name, matter in known.items():
        bus.put(envelope("/maker", name, matter.facts + 1))
    drain(scripted(store, bus))
    flowing = {name for name, matter in known.items() if matter.parked_at is None or matter.may_go}
    new = applied(store)[len(effects) :]
    assert flowing <= {subject for _, subject, _, _ in new}
    made = {(row.subject, row.sequence) for row in outbox(store)}
    for name in flowing & goes:
        passed = known[name].facts - (known[name].parked_at is not None)
        assert (name, passed + 1) in made, "the numbers of what is stated here go on too"


def test_what_changes_while_it_is_cleared_stays(store: Store):
    clock = store.clock
    assert isinstance(clock, FixedClock)
    live(store, clock, "D0", Matter(True, 3, None, 40, True, False))
    clock.set(NOON)
    before = cutoff(NOON, TERM)
    assert before is not None
    heard, made = LEDGERS.inbox, LEDGERS.outbox

    def ended(connection, subjects, _before):  # the last that is asked before it is cleared
        some = sa.update(heard).where(heard.c.sequence == 3).values(state="parked")
        connection.execute(some)
        connection.execute(sa.update(made).where(made.c.sequence == 2).values(sent_at=None))
        return set(subjects)

    assert sum(each.count for each in clear_ledgers(store, ended, before)) == 4
    assert [(row.sequence, row.state) for row in inbox(store)] == [(3, "parked")]
    assert [(row.sequence, row.sent_at) for row in outbox(store)] == [(2, None)]


def test_another_fact_under_a_used_number_is_parked_whether_its_row_is_there_or_not(store: Store):
    clock = store.clock
    assert isinstance(clock, FixedClock)
    live(store, clock, "D0", Matter(True, 1, 1, 40, True, True))
    clock.set(NOON)
    clear(store, {"D0"})
    bus = ScriptedBus()
    bus.put(envelope("/maker", "D0", 1, id="another"), envelope("/maker", "D0", 2))
    bus.put(envelope("/maker", "D0", 2, id="and another"))
    drain(scripted(store, bus))
    assert states(store) == {"discarded": 1, "parked": 2, "done": 1}


def test_a_night_clears_batch_by_batch_once_and_begins_anew_after_a_failure():
    clock = FixedClock(NOON)
    nights: list[int] = []

    def work():
        nights.append(len(nights))
        yield 1
        if len(nights) == 1:
            raise DatabaseAway("gone")
        yield 2

    loop = Nightly("routing.prune", clock, work)
    assert (loop.step(0), nights, loop.next_due()) == (0, [], None)
    clock.set(coming_night(NOON))
    assert to_vn(clock.now()).hour == 2
    assert loop.step(0) == 1
    with pytest.raises(DatabaseAway):
        loop.step(0)
    assert [loop.step(0) for _ in range(4)] == [1, 1, 0, 0]
    assert len(nights) == 2
    clock.advance(timedelta(hours=23))
    assert loop.step(0) == 0
    clock.advance(timedelta(hours=1))
    assert loop.step(0) == 1
