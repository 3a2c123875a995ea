"""What notify lets go of after its term: settled facts of ended dossiers. Messages stay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from services.notify.storage import heard
from services.notify.storage.beside import forget_days
from services.notify.storage.ended import ended
from shared.database import Store
from shared.kernel.clock import to_vn
from shared.messaging.prune import Cleared, clear_ledgers, cutoff
from shared.settings import Settings

#: That a number wrote, and what was answered; its words are gone at once.
_KEEP_HEARD: Final = timedelta(days=30)


def prune(store: Store, settings: Settings, *, dry: bool = False) -> Iterator[Cleared]:
    """Clear batch by batch, each committed when it is told; with `dry` only count."""
    if not dry:
        with store.transaction() as connection:
            forget_days(connection, to_vn(store.clock.now()).date() - timedelta(days=1))
            heard.forget(connection, store.clock.now() - _KEEP_HEARD)
    if before := cutoff(store.clock.now(), settings.keep_ledgers_days):
        yield from clear_ledgers(store, ended, before, dry=dry)
