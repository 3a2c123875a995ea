"""Builds routing: settings, database, bus, clock -> web and loops. Small enough to read aloud."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from urllib.parse import unquote, urlsplit

from services.routing.on import FACTS_QUEUE, answer_handlers, fact_handlers, verify_sender
from services.routing.storage import views
from services.routing.storage.tables import MIGRATIONS
from services.routing.usecases.answer import ANSWERS_QUEUE
from services.routing.usecases.pass_time import pass_time
from services.routing.usecases.rules import Rules
from services.routing.web import create_web
from shared.catalogue import Catalogue
from shared.database import Store, UnitOfWork, make_engine
from shared.database.migrate import upgrade
from shared.events.names import DEAD_LETTERS, INTAKE
from shared.kernel.clock import Clock
from shared.kernel.ids import Ids
from shared.messaging import Bus, Queue
from shared.messaging.consumer import Consumer
from shared.messaging.loops.loop import Loop
from shared.messaging.loops.ticker import Ticker
from shared.messaging.metrics import Metrics
from shared.messaging.outbox import Outbox, stated_by
from shared.messaging.relay import Relay
from shared.messaging.service import Service
from shared.messaging.topology import agency_queues, exchanges_of, queues_of
from shared.settings import Settings

NAME = "routing"


def open_store(settings: Settings, *, clock: Clock, ids: Ids) -> Store:
    """Routing's door to its database; nothing connects until it is used."""
    return Store(
        make_engine(settings.database_url),
        Outbox(stated_by(NAME), reads=(INTAKE,)),
        clock=clock,
        ids=ids,
    )


def build(settings: Settings, *, catalogue: Catalogue, clock: Clock, ids: Ids, bus: Bus) -> Service:
    """The whole service; nothing runs yet."""
    store = open_store(settings, clock=clock, ids=ids)
    # Of any day: an old dossier may still owe an answer to an old agency.
    agencies = agency_queues(catalogue.agency_codes())
    bus.declare(exchanges_of(NAME), (*queues_of(NAME), Queue(DEAD_LETTERS), *agencies))
    rules, metrics = Rules(catalogue), Metrics()
    return Service(
        name=NAME,
        settings=settings,
        store=store,
        bus=bus,
        web=create_web(settings, store, rules),
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
        with store.query() as connection:
            return views.next_due(connection)

    return [
        Relay(store, bus, batch=settings.relay_batch, name="routing.relay", metrics=metrics),
        consumer(
            FACTS_QUEUE,
            FACTS_QUEUE,
            handlers=fact_handlers(rules),
            sources=(INTAKE,),
        ),
        consumer(
            ANSWERS_QUEUE,
            ANSWERS_QUEUE,
            handlers=answer_handlers(rules),
            verify=verify_sender(_user(settings.amqp_url)),
        ),
        Ticker("routing.deadlines", store, tick, next_due),
    ]


def _user(amqp_url: str) -> str | None:
    """The city's own broker user; of several brokers of one cluster the first names it."""
    name = urlsplit(amqp_url.split(";", maxsplit=1)[0]).username
    return None if name is None else unquote(name)
