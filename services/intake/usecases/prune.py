"""What intake lets go of after its term: settled facts, answers, searches, files, contacts.

The dossier itself stays, and what was said of it is kept for its timeline. What lies in clear is
sealed on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from services.intake.storage import drafts, erasing, searches, timelines, unreached
from services.intake.storage.answers import forget, old_answers
from services.intake.storage.imports import KEPT, forget_imports, old_imports
from services.intake.storage.tables import metadata
from services.intake.usecases import files
from shared.database import Store
from shared.messaging.erasing import TERM
from shared.messaging.prune import Cleared, clear_ledgers, cutoff, in_batches
from shared.messaging.resealing import seal_all
from shared.settings import Settings


def prune(store: Store, settings: Settings, *, dry: bool = False) -> Iterator[Cleared]:
    """Clear batch by batch, each committed when it is told; with `dry` only count."""
    now = store.clock.now()
    yield from in_batches(store, "searches", partial(searches.old, now), searches.forget, dry=dry)
    if before := cutoff(now, settings.keep_ledgers_days):
        yield from clear_ledgers(store, timelines.ended, before, move=timelines.take_over, dry=dry)
    if until := cutoff(now, settings.keep_answers_days):
        yield from in_batches(
            store,
            "answers",
            lambda connection, limit: old_answers(connection, until, limit),
            forget,
            dry=dry,
        )
    yield from in_batches(
        store,
        "imports",
        lambda connection, limit: old_imports(connection, now - KEPT, limit),
        forget_imports,
        dry=dry,
    )
    yield from in_batches(
        store,
        "drafts",
        lambda connection, limit: drafts.old(connection, now - drafts.KEPT, limit),
        drafts.forget_old,
        dry=dry,
    )
    if not dry:
        with store.transaction() as connection:
            unreached.forget_old(connection, now - unreached.KEPT)
    yield from files.clear(store, settings, dry=dry)
    yield from _contacts(store, settings, dry=dry)
    if not dry:
        yield from seal_all(store, metadata)


def _contacts(store: Store, settings: Settings, *, dry: bool) -> Iterator[Cleared]:
    now = store.clock.now()
    if over := cutoff(now, settings.keep_contacts_days):
        yield from in_batches(
            store,
            "contacts",
            lambda connection, limit: erasing.due(connection, over, limit),
            partial(erasing.erase, now=now, rule=TERM, who="lienthong"),
            dry=dry,
        )
