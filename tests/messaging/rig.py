"""A small world for the tests of relay and consumer: a maker, a reader, and what was applied.

The reader writes each applied fact into a table of its own inside the same unit of work, and says
so in a fact of its own, so that a test can see exactly what took effect. No test lives here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from shared.database import Store, UnitOfWork, make_engine
from shared.events.envelope import Envelope, encode
from shared.identity import keys
from shared.kernel.clock import Clock, FixedClock
from shared.kernel.ids import SeededIds
from shared.messaging import Bus, Delivery, Exchange, Queue
from shared.messaging.consumer import Consumer, Handler, Late
from shared.messaging.outbox import Outbox, Outgoing
from shared.messaging.relay import Relay
from shared.messaging.tables import Ledgers

NOON = datetime(2022, 3, 1, 5, 0, tzinfo=UTC)
TYPE = "vn.lienthong.test.v1"
ECHO = "vn.lienthong.echo.v1"
EXCHANGES = (Exchange("dossier.facts"),)
QUEUES = (Queue("reader.facts", (("dossier.facts", "maker.*.*"),)),)

metadata = sa.MetaData()
LEDGERS = Ledgers.define(metadata)
API_KEYS = keys.define(metadata)
APPLIED = sa.Table(
    "applied",
    metadata,
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger),
    sa.Column("id", sa.Text, nullable=False),
)


class Crash(BaseException):
    """The process dies here: nothing may catch it."""


def translate(fact: Any) -> Outgoing:
    """A recorded fact of these tests is (source, key, subject, data)."""
    source, key, subject, data = fact
    kind = ECHO if source == "/reader" else TYPE
    return Outgoing("dossier.facts", key, source, subject, kind, data)


def open_store(url: str, clock: Clock, *, seed: int = 1, reads: Sequence[str] = ()) -> Store:
    """A store with the tables made, not by migrations but at once."""
    engine = make_engine(url)
    metadata.create_all(engine)
    ids = SeededIds(seed)
    return Store(engine, Outbox(translate, reads), clock=clock, ids=ids)


def empty(store: Store) -> None:
    """Take every row away."""
    with store.engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(sa.delete(table))


def make(store: Store, subject: str, count: int = 1, *, key: str = "maker.test.made") -> None:
    """Record `count` facts of a subject in one unit."""
    with store.begin() as uow:
        for number in range(count):
            uow.record(("/maker", key, subject, {"n": number}))


@dataclass
class Reading:
    """The reader's handler: notes what it applies; `trouble` is asked first and may raise."""

    trouble: Callable[[Envelope], Late | None] = lambda _: None
    echo: bool = True
    calls: int = 0

    def apply(self, uow: UnitOfWork, fact: Envelope) -> Late | None:
        self.calls += 1
        row = {"source": fact.source, "subject": fact.subject, "id": fact.id}
        uow.connection.execute(sa.insert(APPLIED), {**row, "sequence": fact.sequence})
        if self.echo:
            uow.record(("/reader", "reader.test.echo", fact.subject, {"of": fact.id}))
        return self.trouble(fact)

    def handlers(self) -> dict[str, Handler]:
        return {TYPE: Handler(self.apply)}


def applied(store: Store) -> list[tuple[str, str, int | None, str]]:
    """What took effect, in the order in which it did: (source, subject, sequence, id)."""
    columns = (APPLIED.c.source, APPLIED.c.subject, APPLIED.c.sequence, APPLIED.c.id)
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(APPLIED.c.n))]


def states(store: Store) -> dict[str, int]:
    """How many inbox rows are in each state."""
    state = LEDGERS.inbox.c.state
    with store.read() as connection:
        rows = connection.execute(sa.select(state, sa.func.count()).group_by(state))
        return {row[0]: row[1] for row in rows}


def inbox(store: Store) -> list[Any]:
    """All inbox rows, by stream and number."""
    c = LEDGERS.inbox.c
    with store.read() as connection:
        return list(connection.execute(sa.select(LEDGERS.inbox).order_by(c.stream, c.sequence)))


def outbox(store: Store) -> list[Any]:
    """All outbox rows in their order."""
    with store.read() as connection:
        rows = connection.execute(sa.select(LEDGERS.outbox).order_by(LEDGERS.outbox.c.position))
        return list(rows)


def envelope(source: str, subject: str, sequence: int | None, **more: Any) -> Envelope:
    """A fact as somebody else made it; its id tells what it is."""
    return Envelope(
        id=more.pop("id", f"{source}-{subject}-{sequence}"),
        source=source,
        type=more.pop("type", TYPE),
        subject=subject,
        time=NOON,
        data=more.pop("data", {}),
        sequence=sequence,
        **more,
    )


@dataclass
class ScriptedBus:
    """A transport whose arrivals a test decides; keeps what was not acknowledged, as a broker does."""

    volatile: bool = False
    waiting: list[bytes] = field(default_factory=list)
    unacked: list[Delivery] = field(default_factory=list)
    tag: int = 0
    cut: int = 1000
    tended: int = 0

    def subscriber(self, _queue: str, _prefetch: int = 200) -> ScriptedBus:
        return self

    def put(self, *bodies: bytes | Envelope) -> None:
        self.waiting += [b if isinstance(b, bytes) else encode(b) for b in bodies]

    def receive(self, max: int, timeout: float) -> list[Delivery]:  # noqa: A002 - the bus's name
        del timeout
        count = min(max, self.cut, len(self.waiting))
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        deliveries = []
        for body in taken:
            self.tag += 1
            deliveries.append(Delivery(body, self.tag, {}, "maker.test.made"))
        self.unacked += deliveries
        return deliveries

    def ack_through(self, delivery: Delivery) -> None:
        self.unacked = [each for each in self.unacked if each.tag > delivery.tag]

    def lose_connection(self) -> None:
        """Whoever took something and did not acknowledge it is gone: it comes again, first."""
        self.waiting = [each.body for each in self.unacked] + self.waiting
        self.unacked = []

    def tend(self) -> None:
        self.tended += 1

    def wake(self) -> None: ...

    def close(self) -> None:
        self.lose_connection()


def scripted(
    store: Store, bus: ScriptedBus, reading: Reading | None = None, **options: Any
) -> Consumer:
    """A consumer of `store` that reads from a script."""
    handlers = (reading or Reading()).handlers()
    options.setdefault("sources", ("/maker", "/other"))
    return Consumer("reader.facts", "reader.facts", store, bus, handlers, **options)  # type: ignore[arg-type]


def drain(consumer: Consumer) -> int:
    """Step until nothing moves."""
    total = 0
    while done := consumer.step(0):
        total += done
    return total


@dataclass
class World:
    """Maker and reader with a real bus between them."""

    backend: Any
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        self.maker = open_store(self.backend.settings("intake").database_url, self.clock)
        self.reader = open_store(
            self.backend.settings("routing").database_url, self.clock, seed=2, reads=["/maker"]
        )
        self.start()

    def start(self) -> None:
        """Build bus and loops, as a process does when it starts."""
        self.bus = Bus(self.backend.amqp_url())
        self.bus.declare(EXCHANGES, QUEUES)
        self.relay = Relay(self.maker, self.bus)
        self.consumer = self.another_consumer()

    def another_consumer(self, **options: Any) -> Consumer:
        handlers = self.reading.handlers()
        return Consumer(
            "reader.facts", "reader.facts", self.reader, self.bus, handlers,
            sources=("/maker",), **options,
        )  # fmt: skip

    def die(self) -> None:
        """The process is gone: a memory bus with all it had, an AMQP connection likewise."""
        from shared.messaging import reset_memory

        if self.bus.volatile:  # nobody closes anything in order
            reset_memory()
            return
        for part in (self.relay, self.consumer, self.bus):
            part.close()

    def restart(self) -> None:
        self.die()
        self.start()

    def stop(self) -> None:
        """The process ends in order."""
        for part in (self.relay, self.consumer):
            part.close()
        self.die()

    def carry(self, expected: int, steps: int = 200) -> None:
        """Step both until so many facts took effect and nothing is left to send."""
        for _ in range(steps):
            self.relay.step(0)
            self.consumer.step(0.05 if not self.bus.volatile else 0)
            unsent = [row for row in outbox(self.maker) if row.sent_at is None]
            if len(applied(self.reader)) >= expected and not unsent:
                return
            self.clock.advance(timedelta(seconds=2))
        raise AssertionError(f"only {len(applied(self.reader))} of {expected} took effect")

    def close(self) -> None:
        self.die()
        self.maker.close()
        self.reader.close()


def failing(
    times: int, *, sequence: int = 2, error: type[Exception] = RuntimeError
) -> Callable[[Envelope], None]:
    """A handler's trouble with one fact of dossier D1, for so many tries."""
    left = [times]

    def trouble(fact: Envelope) -> None:
        if fact.subject == "D1" and fact.sequence == sequence and left[0]:
            left[0] -= 1
            raise error("nguyễn văn a, 0912345678")

    return trouble


def put_two_dossiers(bus: ScriptedBus) -> None:
    """Three facts of each of two dossiers, mingled."""
    for number in (1, 2, 3):
        bus.put(envelope("/maker", "D1", number), envelope("/maker", "D2", number))
