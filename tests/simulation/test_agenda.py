"""The clockwork of a simulation: what is due next happens, after everything came to rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.kernel.clock import FixedClock
from simulation.agenda import Agenda, Clockwork

START = datetime(2022, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Bell:
    """A timed loop that is due at fixed instants."""

    def __init__(self, clock: FixedClock, *instants: datetime) -> None:
        self._clock = clock
        self._instants = sorted(instants)
        self.rang: list[datetime] = []

    def next_due(self) -> datetime | None:
        return self._instants[0] if self._instants else None

    def rest(self) -> int:
        due = [at for at in self._instants if at <= self._clock.now()]
        self._instants = self._instants[len(due) :]
        self.rang += [self._clock.now()] * len(due)
        return len(due)


def test_acts_of_one_instant_happen_in_the_order_in_which_they_were_entered() -> None:
    agenda, done = Agenda(), []
    for name in "abc":
        agenda.at(START, lambda name=name: done.append(name))
    for act in agenda.take_due(START):
        act()
    assert done == ["a", "b", "c"]


def test_an_act_may_enter_another_and_the_clock_shows_each_its_own_time() -> None:
    clock, agenda = FixedClock(START), Agenda()
    seen: list[datetime] = []

    def first() -> None:
        seen.append(clock.now())
        agenda.at(START + 3 * HOUR, lambda: seen.append(clock.now()))

    agenda.at(START + HOUR, first)
    Clockwork(clock, agenda, [], rest=lambda: 0, look=lambda: 0).run(START + 5 * HOUR)
    assert seen == [START + HOUR, START + 3 * HOUR]
    assert clock.now() == START + 5 * HOUR


def test_a_timed_loop_and_the_agenda_are_served_in_the_order_of_time() -> None:
    clock, agenda = FixedClock(START), Agenda()
    bell = Bell(clock, START + 2 * HOUR, START + 4 * HOUR)
    acted: list[datetime] = []
    agenda.at(START + 3 * HOUR, lambda: acted.append(clock.now()))
    Clockwork(clock, agenda, [bell], rest=bell.rest, look=lambda: 0).run(START + 9 * HOUR)
    assert bell.rang == [START + 2 * HOUR, START + 4 * HOUR]
    assert acted == [START + 3 * HOUR]


def test_what_lies_after_the_end_does_not_happen() -> None:
    clock, agenda, done = FixedClock(START), Agenda(), []
    agenda.at(START + 2 * HOUR, lambda: done.append(1))
    Clockwork(clock, agenda, [], rest=lambda: 0, look=lambda: 0).run(START + HOUR)
    assert done == []


def test_a_loop_that_is_due_and_can_do_nothing_does_not_stop_the_clock() -> None:
    clock, agenda, done = FixedClock(START), Agenda(), []
    stuck = Bell(clock, START)
    agenda.at(START + timedelta(seconds=5), lambda: done.append(clock.now()))
    Clockwork(clock, agenda, [stuck], rest=lambda: 0, look=lambda: 0).run(
        START + timedelta(seconds=9)
    )
    assert done == [START + timedelta(seconds=5)]
