"""Builds routing: settings, database, bus, clock -> web and loops. Small enough to read aloud."""

from __future__ import annotations

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
from shared.database import Store
from shared.events.names import DEAD_LETTERS, INTAKE
from shared.identity import audit, keys
from shared.kernel.clock import Clock
from shared.kernel.ids import Ids
from shared.messaging import Bus, Queue
from shared.messaging.assembly import Assembly, store_of
from shared.messaging.service import Service
from shared.messaging.topology import agency_queues
from shared.settings import Settings

NAME = "routing"


def open_store(settings: Settings, *, clock: Clock, ids: Ids) -> Store:
    """Routing's door to its database; nothing connects until it is used."""
    return store_of(NAME, settings, reads=(INTAKE,), clock=clock, ids=ids)


def build(settings: Settings, *, catalogue: Catalogue, clock: Clock, ids: Ids, bus: Bus) -> Service:
    """The whole service; nothing runs yet."""
    store = open_store(settings, clock=clock, ids=ids)
    # Of any day: an old dossier may still owe an answer to an old agency.
    agencies = agency_queues(catalogue.agency_codes())
    parts = Assembly(NAME, settings, store, bus, (Queue(DEAD_LETTERS), *agencies))
    rules = Rules(catalogue)
    verify = verify_sender(_user(settings.amqp_url))
    access = audit.AccessLog(NAME, store)
    parts.metrics.measure(partial(keys.measured, store))
    return parts.service(
        web=access.watch(create_web(settings, store, rules, parts.metrics)),
        loops=[
            parts.relay(),
            parts.consumer(FACTS_QUEUE, fact_handlers(rules), sources=(INTAKE,)),
            parts.consumer(ANSWERS_QUEUE, answer_handlers(rules), verify=verify),
            audit.Keeper(NAME, store, settings.access_days),
            parts.ticker("deadlines", partial(pass_time, rules=rules), views.next_due),
        ],
        beside=[access],
        migrations=MIGRATIONS,
    )


def _user(amqp_url: str) -> str | None:
    """The city's own broker user; of several brokers of one cluster the first names it."""
    name = urlsplit(amqp_url.split(";", maxsplit=1)[0]).username
    return None if name is None else unquote(name)
