"""Builds intake: settings, database, bus, clock -> web and loops. Small enough to read aloud."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from services.intake.on import FACTS_QUEUE, SOURCES, handlers
from services.intake.storage.alarms import next_due
from services.intake.usecases.pass_time import pass_time
from services.intake.web import create_web
from shared.catalogue import Catalogue
from shared.database import Store, UnitOfWork, make_engine
from shared.database.migrate import upgrade
from shared.events.names import ROUTING, ROUTING_STEPS
from shared.kernel.clock import Clock
from shared.kernel.ids import Ids
from shared.messaging import Bus
from shared.messaging.consumer import Consumer
from shared.messaging.loops.loop import Loop
from shared.messaging.loops.ticker import Ticker
from shared.messaging.metrics import Metrics
from shared.messaging.outbox import Outbox, stated_by
from shared.messaging.relay import Relay
from shared.messaging.service import Service
from shared.messaging.topology import exchanges_of, queues_of
from shared.settings import Settings

NAME = "intake"
MIGRATIONS = Path(__file__).parent / "storage" / "migrations"


def open_store(settings: Settings, *, clock: Clock, ids: Ids) -> Store:
    """Intake's door to its database; nothing connects until it is used."""
    return Store(
        make_engine(settings.database_url),
        Outbox(stated_by(NAME), reads=(ROUTING, ROUTING_STEPS)),
        clock=clock,
        ids=ids,
    )


def build(settings: Settings, *, catalogue: Catalogue, clock: Clock, ids: Ids, bus: Bus) -> Service:
    """The whole service; nothing runs yet."""
    store = open_store(settings, clock=clock, ids=ids)
    bus.declare(exchanges_of(NAME), queues_of(NAME))
    metrics = Metrics()
    return Service(
        name=NAME,
        settings=settings,
        store=store,
        bus=bus,
        web=create_web(settings, store, catalogue),
        loops=_loops(settings, store, bus, catalogue, metrics),
        migrate=lambda: upgrade(store.engine, MIGRATIONS),
        close=store.close,
        metrics=metrics,
    )


def _loops(
    settings: Settings, store: Store, bus: Bus, catalogue: Catalogue, metrics: Metrics
) -> list[Loop]:
    def tick(uow: UnitOfWork) -> int:
        return pass_time(uow, catalogue)

    def due() -> datetime | None:
        with store.query() as connection:
            return next_due(connection)

    return [
        Relay(store, bus, batch=settings.relay_batch, name="intake.relay", metrics=metrics),
        Consumer(
            FACTS_QUEUE,
            FACTS_QUEUE,
            store,
            bus,
            handlers(catalogue),
            batch=settings.consumer_batch,
            sources=SOURCES,
            metrics=metrics,
        ),
        Ticker("intake.due", store, tick, due),
    ]
