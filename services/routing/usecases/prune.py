"""What routing lets go of after its term: settled facts of closed dossiers, and their forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from services.routing.storage import clearing, evidence
from services.routing.storage.tables import metadata
from shared.database import Store
from shared.messaging.prune import ROWS, Cleared, clear_ledgers, cutoff, in_batches
from shared.messaging.resealing import seal_all
from shared.settings import Settings


def prune(store: Store, settings: Settings, *, dry: bool = False) -> Iterator[Cleared]:
    """Clear batch by batch, each committed when it is told; with `dry` only count."""
    now = store.clock.now()
    if before := cutoff(now, settings.keep_ledgers_days):
        yield from clear_ledgers(store, clearing.ended, before, dry=dry)
    if until := cutoff(now, settings.keep_forms_days):
        for what, find, clear in _OLD:
            old = partial(_before, find, until)
            yield from in_batches(store, what, old, clear, dry=dry)
        yield from _messages(store, until, dry=dry)
    if not dry:
        yield from seal_all(store, metadata)


_OLD: Final = (
    ("forms", clearing.old_forms, clearing.empty_forms),
    ("looks", clearing.old_looks, clearing.forget_looks),
    ("fetches", clearing.old_fetches, clearing.forget_fetches),
    ("sums", clearing.old_sums, clearing.forget_sums),
    ("salts of evidence", evidence.old_salts, evidence.forget_salts),
)


def _before(
    find: Callable[[sa.Connection, datetime, int | None], Sequence[Any]],
    until: datetime,
    connection: sa.Connection,
    limit: int | None,
) -> Sequence[Any]:
    return find(connection, until, limit)


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
