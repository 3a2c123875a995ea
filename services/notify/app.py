"""Builds notify: settings, database, bus, clock -> web and loops. Small enough to read aloud."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from services.notify.channels import open_channels
from services.notify.delivery.sender import Sender
from services.notify.domain.composing import Composer
from services.notify.on import event_handlers
from services.notify.usecases.sending import give_up_waiting, next_give_up
from services.notify.web import create_web
from shared.catalogue import Catalogue
from shared.database import Store, make_engine
from shared.database.migrate import upgrade
from shared.events.names import INTAKE, INTAKE_CONTACTS, ROUTING
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

NAME = "notify"
# Each queue and the sources that come on it whole; its consumer has the same name.
READS = {"notify.facts": (INTAKE, ROUTING), "notify.contacts": (INTAKE_CONTACTS,)}
MIGRATIONS = Path(__file__).parent / "storage" / "migrations"


def open_store(settings: Settings, *, clock: Clock, ids: Ids) -> Store:
    """Notify's door to its database; nothing connects until it is used."""
    return Store(
        make_engine(settings.database_url),
        Outbox(stated_by(NAME), reads=(INTAKE, ROUTING)),
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
        web=create_web(settings, store),
        loops=_loops(settings, store, bus, Composer(catalogue), metrics),
        migrate=lambda: upgrade(store.engine, MIGRATIONS),
        close=store.close,
        metrics=metrics,
    )


def _loops(
    settings: Settings, store: Store, bus: Bus, composer: Composer, metrics: Metrics
) -> list[Loop]:
    channels = open_channels(settings)
    senders = [Sender(kind, channel, store) for kind, channel in channels.items()]
    consumers = [
        Consumer(
            queue,
            queue,
            store,
            bus,
            event_handlers(composer),
            batch=settings.consumer_batch,
            prefetch=settings.prefetch,
            sources=sources,
            metrics=metrics,
        )
        for queue, sources in READS.items()
    ]
    return [
        Relay(store, bus, batch=settings.relay_batch, name="notify.relay", metrics=metrics),
        *consumers,
        *senders,
        # Contacts are waited for a day: whether one is given up now need not be asked often.
        Ticker("notify.ticker", store, give_up_waiting, lambda: _next_give_up(store), gap=1.0),
    ]


def _next_give_up(store: Store) -> datetime | None:
    with store.read() as connection:
        return next_give_up(connection)
