"""Builds intake: settings, database, bus, clock -> web and loops. Small enough to read aloud."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from services.intake.bulk import Imports
from services.intake.holding import Holding
from services.intake.on import FACTS_QUEUE, SOURCES, handlers
from services.intake.storage.alarms import next_due
from services.intake.storage.search import Index
from services.intake.storage.standing import MATTERS
from services.intake.usecases.files import FileRoom, file_room
from services.intake.usecases.fill import Filling
from services.intake.usecases.pass_time import due, pass_time
from services.intake.usecases.prune import prune
from services.intake.web import create_web
from shared.catalogue import Catalogue
from shared.database import Store
from shared.events.names import ROUTING, ROUTING_STEPS
from shared.identity import audit, keys
from shared.kernel.clock import Clock
from shared.kernel.ids import Ids
from shared.messaging import Bus
from shared.messaging.assembly import Assembly, store_of
from shared.messaging.loops.ticker import Timely
from shared.messaging.service import Service
from shared.settings import Settings
from shared.web.security import secret_key

NAME = "intake"
MIGRATIONS = Path(__file__).parent / "storage" / "migrations"


def open_store(settings: Settings, *, clock: Clock, ids: Ids) -> Store:
    """Intake's door to its database; nothing connects until it is used."""
    return store_of(NAME, settings, reads=(ROUTING, ROUTING_STEPS), clock=clock, ids=ids)


def indexed(store: Store, catalogue: Catalogue, settings: Settings) -> Index:
    """Let what is filed in this store be found again: whoever writes dossiers needs it."""
    index = store.given[Index] = Index(catalogue, secret_key(settings))
    return index


def build(settings: Settings, *, catalogue: Catalogue, clock: Clock, ids: Ids, bus: Bus) -> Service:
    """The whole service; nothing runs yet."""
    store = open_store(settings, clock=clock, ids=ids)
    index = indexed(store, catalogue, settings)
    room = store.given[FileRoom] = file_room(settings)
    parts = Assembly(NAME, settings, store, bus)
    access = audit.AccessLog(NAME, store)
    parts.metrics.measure(partial(keys.measured, store))
    return parts.service(
        web=access.watch(create_web(settings, store, catalogue, parts.metrics)),
        loops=[
            parts.relay(),
            parts.consumer(FACTS_QUEUE, handlers(catalogue), sources=SOURCES),
            audit.Keeper(NAME, store, settings.access_days),
            parts.ticker(
                "due",
                Timely(
                    next_due=next_due,
                    due=due,
                    pass_time=partial(pass_time, catalogue=catalogue),
                ),
            ),
            parts.nightly(prune),
            Filling(f"{NAME}.search", store, index),
            Imports(store, catalogue),
            Holding(store, room),
        ],
        beside=[access],
        migrations=MIGRATIONS,
        matters=MATTERS,
    )
