"""What falls due by the clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from shared.database import Store, UnitOfWork
from shared.kernel.clock import FixedClock
from shared.messaging.loops.pump import pump
from shared.messaging.loops.ticker import Ticker
from tests.backends import Backend
from tests.messaging.loops import REMINDERS, START, make_store


class Desk:
    """Reminders in a table, and a ticker that works them off one at a time."""

    def __init__(self, url: str) -> None:
        self.clock = FixedClock(START)
        self.store: Store = make_store(url, self.clock)
        self.questions = 0
        self.done: list[datetime] = []
        self.ticker = Ticker("desk.ticker", self.store, self.run, self.ask)

    def ask(self) -> datetime | None:
        self.questions += 1
        open_ones = sa.select(sa.func.min(REMINDERS.c.due_at)).where(~REMINDERS.c.done)
        with self.store.read() as connection:
            found: datetime | None = connection.scalar(open_ones)
            return found

    def run(self, uow: UnitOfWork) -> int:
        due = sa.select(REMINDERS.c.id).where(~REMINDERS.c.done, REMINDERS.c.due_at <= uow.now)
        row = uow.connection.scalar(due.order_by(REMINDERS.c.due_at).limit(1))
        if row is None:
            return 0
        uow.connection.execute(sa.update(REMINDERS).where(REMINDERS.c.id == row).values(done=True))
        self.done.append(uow.now)
        return 1

    def remind(self, after: timedelta) -> None:
        with self.store.begin() as uow:
            uow.connection.execute(sa.insert(REMINDERS).values(due_at=START + after, done=False))


@pytest.fixture
def desk(backend: Backend) -> Iterator[Desk]:
    made = Desk(backend.settings("routing").database_url)
    yield made
    made.store.close()


def test_nothing_due_does_nothing_and_says_when_it_will(desk: Desk) -> None:
    assert pump([desk.ticker]) == 0
    assert desk.ticker.next_due() is None
    desk.remind(timedelta(hours=2))
    assert pump([desk.ticker]) == 0
    assert desk.ticker.next_due() == START + timedelta(hours=2)


def test_what_is_due_is_done_when_its_time_has_come_all_of_it(desk: Desk) -> None:
    for hours in (1, 2, 3):
        desk.remind(timedelta(hours=hours))
    desk.clock.advance(timedelta(hours=2))
    assert pump([desk.ticker]) == 2
    assert desk.ticker.next_due() == START + timedelta(hours=3)
    assert desk.done == [START + timedelta(hours=2)] * 2


def test_an_idle_step_asks_the_ledgers_nothing(desk: Desk) -> None:
    desk.remind(timedelta(hours=1))
    pump([desk.ticker])
    asked = desk.questions
    for _ in range(100):
        assert desk.ticker.step(0) == 0
    assert desk.questions == asked


def test_a_commit_that_brings_the_next_due_instant_forward_is_noticed(desk: Desk) -> None:
    desk.remind(timedelta(hours=5))
    pump([desk.ticker])
    desk.remind(timedelta(hours=1))
    assert desk.ticker.next_due() == START + timedelta(hours=1)


def test_a_run_that_finds_nothing_rests_until_something_changes(desk: Desk) -> None:
    desk.remind(timedelta(0))
    idle = Ticker("desk.idle", desk.store, lambda _: 0, desk.ask)
    assert pump([idle]) == 0
    asked = desk.questions
    assert pump([idle]) == 0
    assert idle.next_due() is None
    assert desk.questions == asked
    desk.remind(timedelta(0))
    assert idle.next_due() == START


def test_a_wake_ends_the_rest_and_looks_again(desk: Desk) -> None:
    pump([desk.ticker])
    asked = desk.questions
    ringer = threading.Timer(0.05, desk.ticker.wake)
    ringer.start()
    began = time.monotonic()
    assert desk.ticker.step(30) == 0
    assert time.monotonic() - began < 10
    assert desk.questions > asked
    ringer.join()


def test_a_commit_in_another_thread_ends_the_rest_and_its_work_is_done(desk: Desk) -> None:
    pump([desk.ticker])
    other = threading.Timer(0.05, desk.remind, (timedelta(0),))
    other.start()
    assert desk.ticker.step(30) == 1
    other.join()
