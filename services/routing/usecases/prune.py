"""What routing lets go of after its term: settled facts of closed dossiers, and their forms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from services.routing.storage import clearing
from shared.database import Store
from shared.messaging.prune import ROWS, Cleared, clear_ledgers, cutoff, in_batches
from shared.settings import Settings


def prune(store: Store, settings: Settings, *, dry: bool = False) -> Iterator[Cleared]:
    """Clear batch by batch, each committed when it is told; with `dry` only count."""
    now = store.clock.now()
    if before := cutoff(now, settings.keep_ledgers_days):
        yield from clear_ledgers(store, clearing.ended, before, dry=dry)
    if until := cutoff(now, settings.keep_forms_days):
        yield from in_batches(
            store,
            "forms",
            lambda connection, limit: clearing.old_forms(connection, until, limit),
            clearing.empty_forms,
            dry=dry,
        )
        yield from _messages(store, until, dry=dry)


def _messages(store: Store, before: datetime, *, dry: bool) -> Iterator[Cleared]:
    with store.read() as connection:
        after = clearing.cleared_up_to(connection)
    unbroken = True
    while True:
        with store.read() if dry else store.transaction() as connection:
            looked = clearing.clear_messages(connection, after, before, ROWS, dry=dry)
            unbroken = unbroken and looked is not None and looked.all_cleared
            if unbroken and looked is not None and not dry:
                clearing.note_cleared(connection, looked.end)
        if looked is None:
            return
        after = looked.end
        yield Cleared("forms of messages", looked.count)
