"""Builds routing: settings, database, bus, clock -> web and loops. Small enough to read aloud."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from urllib.parse import unquote, urlsplit

from services.routing.messaging import incoming
from services.routing.messaging.outgoing import translate
from services.routing.messaging.topology import (
    ANSWERS_QUEUE,
    EXCHANGES,
    FACTS_QUEUE,
    QUEUES,
    agency_queues,
)
from services.routing.storage import views
from services.routing.storage.tables import LEDGERS, MIGRATIONS
from services.routing.usecases.pass_time import pass_time
from services.routing.usecases.rules import Rules
from services.routing.web import create_web
from shared.bus import Bus
from shared.catalogue import Catalogue
from shared.contract.names import INTAKE
from shared.kernel.clock import Clock
from shared.kernel.ids import Ids
from shared.runtime.consumer import Consumer
from shared.runtime.loop import Loop
from shared.runtime.metrics import Metrics
from shared.runtime.relay import Relay
from shared.runtime.service import Service
from shared.runtime.ticker import Ticker
from shared.settings import Settings
from shared.store import Store, UnitOfWork, make_engine
from shared.store.migrate import upgrade

NAME = "routing"


def open_store(settings: Settings, *, clock: Clock, ids: Ids) -> Store:
    """Routing's door to its database; nothing connects until it is used."""
    return Store(
        make_engine(settings.database_url),
        LEDGERS,
        translate=translate,
        clock=clock,
        ids=ids,
        reads=(INTAKE,),
    )


def build(settings: Settings, *, catalogue: Catalogue, clock: Clock, ids: Ids, bus: Bus) -> Service:
    """The whole service; nothing runs yet."""
    store = open_store(settings, clock=clock, ids=ids)
    bus.declare(EXCHANGES, (*QUEUES, *agency_queues(catalogue)))
    rules, metrics = Rules(catalogue), Metrics()
    return Service(
        name=NAME,
        settings=settings,
        store=store,
        bus=bus,
        web=create_web(settings, store, rules, incoming.admit),
        loops=_loops(settings, store, bus, rules, metrics),
        migrate=lambda: upgrade(store.engine, MIGRATIONS),
        close=store.close,
        metrics=metrics,
    )


def _loops(
    settings: Settings, store: Store, bus: Bus, rules: Rules, metrics: Metrics
) -> list[Loop]:
    consumer = partial(
        Consumer,
        store=store,
        bus=bus,
        batch=settings.consumer_batch,
        prefetch=settings.prefetch,
        metrics=metrics,
    )

    def tick(uow: UnitOfWork) -> int:
        return pass_time(uow, rules)

    def next_due() -> datetime | None:
        with store.glance() as connection:
            return views.next_due(connection)

    return [
        Relay(store, bus, batch=settings.relay_batch, name="routing.relay", metrics=metrics),
        consumer(
            FACTS_QUEUE,
            FACTS_QUEUE,
            handlers=incoming.fact_handlers(rules),
            sources=(INTAKE,),
        ),
        consumer(
            ANSWERS_QUEUE,
            ANSWERS_QUEUE,
            handlers=incoming.answer_handlers(rules),
            screen=incoming.screen_answers(_user(settings.amqp_url)),
        ),
        Ticker("routing.deadlines", store, tick, next_due),
    ]


def _user(amqp_url: str) -> str | None:
    """The city's own broker user; of several brokers of one cluster the first names it."""
    name = urlsplit(amqp_url.split(";", maxsplit=1)[0]).username
    return None if name is None else unquote(name)
