"""A small store and loops that do as they are told; shared by the tests of the runtime."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from shared.database import Store, make_engine
from shared.database.types import Instant
from shared.kernel.clock import Clock, FixedClock
from shared.kernel.ids import SeededIds
from shared.messaging.outbox import Outbox, Outgoing
from shared.messaging.tables import Ledgers

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
METADATA = sa.MetaData()
LEDGERS = Ledgers.define(METADATA)
REMINDERS = sa.Table(
    "reminders",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("due_at", Instant(), nullable=False),
    sa.Column("done", sa.Boolean, nullable=False, default=False),
)


def translate(fact: str) -> Outgoing:
    """A word becomes a fact on the exchange `facts`."""
    return Outgoing("facts", "a.word.said", "/a", fact, "said", {"word": fact})


def make_store(url: str, clock: Clock | None = None) -> Store:
    """A store with the ledgers and one table of reminders, all empty."""
    engine = make_engine(url)
    METADATA.create_all(engine)
    return Store(engine, Outbox(translate), clock=clock or FixedClock(START), ids=SeededIds(1))


class Scripted:
    """A loop whose steps are handed in; each is taken once, the last for ever."""

    def __init__(self, name: str, *steps: Callable[[], int]) -> None:
        self.name = name
        self.steps = list(steps)
        self.stepped = 0
        self.closed = False
        self.due: datetime | None = None
        self._wake = threading.Event()

    def step(self, wait: float) -> int:
        self.stepped += 1
        script = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        done = script()
        if not done and wait:
            self._wake.wait(wait)
        return done

    def next_due(self) -> datetime | None:
        return self.due

    def wake(self) -> None:
        self._wake.set()

    def close(self) -> None:
        self.closed = True


def times(count: int) -> list[Callable[[], int]]:
    """One thing done `count` times, then nothing for ever."""
    return [lambda: 1] * count + [lambda: 0]


def failing(error: Exception) -> Callable[[], int]:
    """A step that raises."""

    def step() -> int:
        raise error

    return step
