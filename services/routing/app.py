"""Builds routing: settings, database, bus, clock -> web and loops. Small enough to read aloud."""

from __future__ import annotations

from functools import partial
from typing import Final

from services.routing.delivery.carrying import QueueKeeper, management_of
from services.routing.delivery.posting import Poster
from services.routing.delivery.queues import ToAgencies, at_start, queued, without_queue
from services.routing.delivery.webhooks import Webhooks
from services.routing.on import FACTS_QUEUE, answer_handlers, fact_handlers, verify_sender
from services.routing.storage import agency_mail, evidence, placing, views, webhooks
from services.routing.storage.standing import MATTERS
from services.routing.storage.tables import MIGRATIONS
from services.routing.usecases import remind
from services.routing.usecases.answer import ANSWERS_QUEUE
from services.routing.usecases.evidence import seal, signer_of
from services.routing.usecases.pass_time import due, pass_time
from services.routing.usecases.prune import prune
from services.routing.usecases.reconcile import nightly
from services.routing.usecases.rules import Rules
from services.routing.web import create_web
from shared.catalogue import Catalogue
from shared.database import Store
from shared.events.names import INTAKE
from shared.identity import audit, keys
from shared.identity.links import Links
from shared.kernel.clock import Clock
from shared.kernel.ids import Ids
from shared.messaging import Bus
from shared.messaging.assembly import Assembly, store_of
from shared.messaging.loops.rounds import Round, Rounds
from shared.messaging.loops.ticker import Timely
from shared.messaging.senders import anybody
from shared.messaging.service import Service
from shared.messaging.topology import agency_queues
from shared.settings import Settings
from shared.web.security import secret_key

NAME = "routing"
SEAL_SECONDS: Final = 60.0


def open_store(settings: Settings, *, clock: Clock, ids: Ids) -> Store:
    """Routing's door to its database; nothing connects until it is used."""
    return store_of(NAME, settings, reads=(INTAKE,), clock=clock, ids=ids)


def build(settings: Settings, *, catalogue: Catalogue, clock: Clock, ids: Ids, bus: Bus) -> Service:
    """The whole service; nothing runs yet."""
    store = open_store(settings, clock=clock, ids=ids)
    # Of any day: an old dossier may still owe an answer to an old agency.
    parts = Assembly(NAME, settings, store, bus, agency_queues(at_start(store, catalogue, bus)))
    bus.not_again(partial(without_queue, store))
    rules = Rules(catalogue, Links(secret_key(settings)).receipted)
    verify = verify_sender(anybody(bus))
    access = audit.AccessLog(NAME, store)
    for measured in (keys.measured, placing.measured, webhooks.measured, evidence.measured):
        parts.metrics.measure(partial(measured, store))
    return parts.service(
        web=access.watch(create_web(settings, store, rules, parts.metrics)),
        loops=[
            parts.relay(lambda: ToAgencies(bus, partial(queued, store, catalogue))),
            parts.consumer(FACTS_QUEUE, fact_handlers(rules), sources=(INTAKE,)),
            parts.consumer(ANSWERS_QUEUE, answer_handlers(rules), verify=verify),
            audit.Keeper(NAME, store, settings.access_days),
            _sealer(settings, store, catalogue),
            parts.ticker("deadlines", Timely(views.next_due, due, partial(pass_time, rules=rules))),
            parts.ticker(
                "reminders",
                Timely(
                    next_due=agency_mail.next_due,
                    due=agency_mail.due,
                    pass_time=partial(remind.remind, rules=rules, home=settings.home),
                ),
            ),
            parts.nightly(prune),
            parts.nightly(nightly(rules), "reconciliation"),
        ],
        beside=[access],
        outside=[_sender(settings, store)],
        managing=[QueueKeeper(store, made) for made in management_of(settings)],
        migrations=MIGRATIONS,
        matters=MATTERS,
    )


def _sealer(settings: Settings, store: Store, catalogue: Catalogue) -> Rounds:
    """The loop that signs what was handed over and answered, each minute, after the fact."""
    codes = catalogue.agency_codes()

    def sealed() -> int:
        return seal(store, signer_of(settings), codes)

    return Rounds(f"{NAME}.evidence", [Round(sealed, SEAL_SECONDS, SEAL_SECONDS)])


def _sender(settings: Settings, store: Store) -> Webhooks:
    """The loop that calls agencies."""
    poster = Poster(loopback=settings.webhook_loopback)
    return Webhooks(store, poster, secret_key(settings))
