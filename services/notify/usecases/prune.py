"""What notify lets go of after its term: settled facts of ended dossiers, and whom it told what.

That a message went, and by which way, stays. What lies in clear is sealed on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Final

from services.notify.storage import bounces, erasing, heard
from services.notify.storage.beside import forget_days
from services.notify.storage.ended import ended
from services.notify.storage.tables import metadata
from services.notify.usecases.bouncing import KEEP
from shared.database import Store
from shared.kernel.clock import to_vn
from shared.messaging.erasing import TERM
from shared.messaging.prune import Cleared, clear_ledgers, cutoff, in_batches
from shared.messaging.resealing import seal_all
from shared.settings import Settings

#: That a number wrote, and what was answered; its words are gone at once.
_KEEP_HEARD: Final = timedelta(days=30)


def prune(store: Store, settings: Settings, *, dry: bool = False) -> Iterator[Cleared]:
    """Clear batch by batch, each committed when it is told; with `dry` only count."""
    if not dry:
        with store.transaction() as connection:
            forget_days(connection, to_vn(store.clock.now()).date() - timedelta(days=1))
            heard.forget(connection, store.clock.now() - _KEEP_HEARD)
            bounces.forget(connection, store.clock.now() - KEEP)
    now = store.clock.now()
    if before := cutoff(now, settings.keep_ledgers_days):
        yield from clear_ledgers(store, ended, before, dry=dry)
    if until := cutoff(now, settings.keep_contacts_days):
        yield from in_batches(
            store,
            "contacts",
            lambda connection, limit: erasing.due(connection, until, limit),
            partial(erasing.erase, now=now, rule=TERM, who="lienthong"),
            dry=dry,
        )
        yield from in_batches(
            store,
            "answers",
            lambda connection, limit: erasing.old_answers(connection, until, limit),
            erasing.empty_answers,
            dry=dry,
        )
    if not dry:
        yield from seal_all(store, metadata)
