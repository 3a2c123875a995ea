"""What falls due by the clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from shared.database import Store, UnitOfWork
from shared.kernel.clock import FixedClock
from shared.messaging.loops.pump import pump
from shared.messaging.loops.ticker import Ticker, Timely
from shared.messaging.parked import Held, discard, list_held, replay
from tests.backends import Backend
from tests.messaging.loops import REMINDERS, START, make_store


def number(key: str) -> int:
    """The row of a reminder by its key."""
    return int(key.rpartition("-")[2])


class Desk:
    """Reminders in a table, and a ticker that works them off one at a time."""

    def __init__(self, url: str) -> None:
        self.clock = FixedClock(START)
        self.store: Store = make_store(url, self.clock)
        self.questions = 0
        self.done: list[datetime] = []
        self.trouble: set[str] = set()
        self.ticker = Ticker("desk.ticker", self.store, self.work())

    def work(self, pass_time: Callable[..., int] | None = None) -> Timely:
        return Timely(self.ask, self.due, pass_time or self.pass_time)

    def ask(self, connection: sa.Connection, put_off: Collection[str]) -> datetime | None:
        self.questions += 1
        open_ones = sa.select(sa.func.min(REMINDERS.c.due_at)).where(
            ~REMINDERS.c.done, REMINDERS.c.id.not_in(map(number, put_off))
        )
        found: datetime | None = connection.scalar(open_ones)
        return found

    def due(self, uow: UnitOfWork, put_off: Collection[str]) -> list[str]:
        due = sa.select(REMINDERS.c.id).where(
            ~REMINDERS.c.done,
            REMINDERS.c.due_at <= uow.now,
            REMINDERS.c.id.not_in(map(number, put_off)),
        )
        return [f"reminder-{n}" for n in uow.connection.scalars(due.order_by(REMINDERS.c.due_at))]

    def pass_time(self, uow: UnitOfWork, keys: Sequence[str]) -> int:
        for key in keys:
            passed = sa.update(REMINDERS).where(REMINDERS.c.id == number(key)).values(done=True)
            uow.connection.execute(passed)
            if key in self.trouble:
                raise KeyError("nguyễn văn a")
            self.done.append(uow.now)
        return len(keys)

    def remind(self, after: timedelta) -> None:
        with self.store.begin() as uow:
            uow.connection.execute(sa.insert(REMINDERS).values(due_at=START + after, done=False))

    def open(self) -> list[str]:
        """What is not done."""
        with self.store.read() as connection:
            found = connection.scalars(sa.select(REMINDERS.c.id).where(~REMINDERS.c.done))
            return [f"reminder-{n}" for n in found]

    def held(self) -> list[Held]:
        """What an operator sees."""
        with self.store.read() as connection:
            return list_held(connection, states=("retry", "parked", "discarded"))


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
    idle = Ticker("desk.idle", desk.store, desk.work(lambda _uow, _keys: 0))
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


# --- one that fails -----------------------------------------------------------------------------------


def with_one_in_trouble(desk: Desk) -> str:
    for _ in range(5):
        desk.remind(timedelta(0))
    bad = desk.open()[2]
    desk.trouble = {bad}
    pump([desk.ticker])
    return bad


def test_one_that_fails_takes_no_other_along_and_is_seen_by_the_operator(desk: Desk) -> None:
    bad = with_one_in_trouble(desk)
    assert desk.open() == [bad]
    (held,) = desk.held()
    assert (held.consumer, held.fact_id, held.state) == ("desk.ticker", bad, "retry")
    assert held.reason is not None
    assert held.reason.startswith("KeyError at")
    assert "nguyễn" not in held.reason
    assert desk.ticker.next_due() == held.next_at
    desk.remind(timedelta(0))
    pump([desk.ticker])
    assert desk.open() == [bad], "what comes later goes its way"


def test_what_failed_is_tried_again_in_its_time_parked_in_the_end_and_still_looked_at(
    desk: Desk,
) -> None:
    with_one_in_trouble(desk)
    for attempt in range(2, 10):
        due = desk.ticker.next_due()
        assert due is not None
        desk.clock.set(due)
        pump([desk.ticker])
        (held,) = desk.held()
        assert held.attempts == attempt
    assert held.state == "parked"
    assert held.next_at is not None
    assert held.next_at - desk.clock.now() <= timedelta(hours=1)
    desk.trouble = set()
    desk.clock.set(held.next_at)
    pump([desk.ticker])
    assert desk.open() == []
    assert desk.held() == []


def test_an_operator_lets_it_be_tried_now_or_gives_it_up(desk: Desk) -> None:
    bad = with_one_in_trouble(desk)
    for _ in range(8):
        desk.clock.set(desk.ticker.next_due() or START)
        pump([desk.ticker])
    with desk.store.begin() as uow:
        replay(uow, bad, consumer="desk.ticker")
    pump([desk.ticker])
    assert desk.held()[0].attempts == 1, "a new budget"
    with desk.store.begin() as uow:
        discard(uow, bad, who="Lê Thị Hạnh", why="hồ sơ thử")
    desk.clock.advance(timedelta(days=2))
    pump([desk.ticker])
    assert desk.open() == [bad]
    assert desk.ticker.next_due() is None


def test_a_clock_that_was_put_back_leaves_nothing_put_off_for_hours(desk: Desk) -> None:
    with_one_in_trouble(desk)
    desk.trouble = set()
    desk.clock.advance(timedelta(hours=-7))
    desk.ticker.wake()  # it looks by itself twice a minute
    pump([desk.ticker])
    assert desk.open() == []
