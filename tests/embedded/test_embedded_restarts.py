"""A city on the bus that forgets, stopped and killed between a task and its answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.embedded.city import City
from shared.catalogue import load
from shared.events.envelope import decode
from shared.events.names import short
from shared.kernel.clock import FixedClock, to_vn
from shared.kernel.ids import SeededIds
from shared.messaging import reset_memory
from shared.settings import PROJECT, SERVICES
from simulation.autopilot import autopilots
from simulation.kit import City as KitCity
from tests.backends import Backend
from tests.embedded.townsfolk import INTERLINKED, all_sent, desk_of, held, unsent

START = datetime(2022, 3, 14, 1, 30, tzinfo=UTC)
DELAY = timedelta(minutes=5)


class Town:
    """A city that is stopped, killed and opened again, with or without simulated agencies."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lives = 0
        self.clock = FixedClock(START)

    def open(self, *, autopilot: bool) -> City:
        self._lives += 1
        self.city = city = City(
            {name: self._backend.settings(name) for name in SERVICES},
            catalogue=load(PROJECT / "catalogue"),
            clock=self.clock,
            ids=SeededIds(self._lives),
        )
        city.migrate()
        if autopilot:
            codes = [agency.code for agency in city.catalogue.agencies(to_vn(START).date())]
            city.add(
                autopilots(codes, city.bus, self.clock, delay=DELAY, catch_up=city.unanswered_by)
            )
        return city

    def die(self) -> None:
        """Nobody closes anything in order."""
        reset_memory()
        for service in self.city.services.values():
            service.close()

    def finish(self, code: str, told: int = 2) -> None:
        desk = desk_of(self.city)
        while desk.status(code) != 9:
            self.city.pump()
            self.clock.advance(DELAY)
            assert self.clock.now() < START + 20 * DELAY
        KitCity(self.city).until(lambda: all_sent(self.city, told))
        self.city.pump()
        assert (held(self.city), unsent(self.city)) == ([], 0)

    def sent_at_start(self) -> int:
        relays = [loop for loop in self.city.loops if loop.name.endswith(".relay")]
        return sum(relay.step(0) for relay in relays)


@pytest.fixture
def town(embedded: Backend) -> Iterator[Town]:
    made = Town(embedded)
    yield made
    made.city.close()


def test_tasks_that_an_agency_has_not_answered_come_again_after_a_crash(town: Town):
    code = desk_of(town.open(autopilot=True)).submit(INTERLINKED).code
    town.city.pump()
    town.die()
    town.open(autopilot=True)
    town.finish(code)


def test_an_answer_that_was_lost_with_the_bus_is_given_again(town: Town):
    city = town.open(autopilot=True)
    code = desk_of(city).submit(INTERLINKED).code
    city.pump()
    town.clock.advance(DELAY)
    # It says that it is done and dies before routing has heard it.
    assert sum(loop.step(0) for loop in city.loops if loop.name.startswith("autopilot.")) > 0
    for loop in city.loops:
        if not loop.name.startswith("routing."):
            loop.step(0)
    town.die()
    town.open(autopilot=True)
    town.finish(code)


def test_agencies_that_begin_to_read_get_what_was_open_before(town: Town):
    code = desk_of(town.open(autopilot=False)).submit(INTERLINKED).code
    town.city.pump()
    town.city.close()
    assert town.open(autopilot=False).pump() == 0
    town.city.close()
    town.open(autopilot=True)
    town.finish(code)


def test_a_start_after_a_settled_run_sends_nothing_again_however_it_ended(town: Town):
    code = desk_of(town.open(autopilot=True)).submit(INTERLINKED).code
    town.finish(code)
    town.city.pump()
    town.die()
    town.open(autopilot=True)
    assert town.sent_at_start() == 0
    desk_of(town.city).submit(INTERLINKED, number=2)
    town.city.pump()
    town.city.close()
    town.open(autopilot=False)
    assert town.sent_at_start() == 0, "its tasks are open, and that is for the ledger to say"
    town.city.pump()
    town.die()
    town.open(autopilot=False)
    assert town.sent_at_start() == 0


def test_an_agency_that_begins_to_read_gets_what_is_open_and_nothing_that_is_done(town: Town):
    code = desk_of(town.open(autopilot=True)).submit(INTERLINKED).code
    town.finish(code)
    town.city.close()
    other = desk_of(town.open(autopilot=False)).submit(INTERLINKED, number=2).code
    town.city.pump()
    agencies = town.city.catalogue.agency_codes()
    waiting = [decode(body) for agency in agencies for body in town.city.unanswered_by(agency)]
    assert {message.data["dossier"] for message in waiting} == {other}
    assert {short(message.type) for message in waiting} == {"task.assigned"}
    town.city.close()
    town.open(autopilot=True)
    town.finish(other, told=4)
    assert not any(town.city.unanswered_by(agency) for agency in agencies)
