"""The work of a night after a new key, or a new version: whatever it did not seal is sealed by it.

That it is done is written down among the operators' acts; until another key comes nothing is looked
at again. `lienthong privacy` does the same by day.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from shared.database import Store
from shared.database.resealing import is_outdated, seal_some, tables_of
from shared.database.sealing import LOOK_SECONDS, Sealer, sealer_of
from shared.messaging.prune import Cleared
from shared.messaging.tables import LEDGERS

ACT: Final = "privacy sealed"
#: Every process has looked into the file since: none seals by an older key any more.
SETTLED: Final = 5 * LOOK_SECONDS
_acts = LEDGERS.acts.c


def seal_all(store: Store, metadata: sa.MetaData, *, again: bool = False) -> Iterator[Cleared]:
    """Seal whatever is not sealed by the newest key, batch by batch; nothing where that was done.

    Nor while the key is so new that somebody may not know it. `again`: look although it was done.
    """
    sealer = sealer_of(store.engine.dialect)
    if sealer is None or not is_settled(sealer):
        return
    sealer.reread()
    if not again and is_sealed(store, sealer):
        return
    count = 0
    for table in tables_of(metadata):
        place = None
        while True:
            with store.transaction() as connection:
                found, place = seal_some(connection, sealer, table, place)
            if place is None:
                break
            count += found
            yield Cleared("sealed", found)
    _note(store, sealer, count)


def is_settled(sealer: Sealer) -> bool:
    """Whether every process knows the newest key by now."""
    return time.time() - sealer.file.changed_at() >= SETTLED


def is_sealed(store: Store, sealer: Sealer) -> bool:
    """Whether everything was sealed by the newest key once it was there."""
    asked = sa.select(_acts.position).where(_acts.act == ACT, _acts.what == _name(sealer)).limit(1)
    with store.read() as connection:
        return connection.scalar(asked) is not None


def is_whole(store: Store, metadata: sa.MetaData, sealer: Sealer) -> bool:
    """Whether nothing lies in clear or under an older key; reads every table that is sealed."""
    with store.read() as connection:
        return not any(is_outdated(connection, sealer, table) for table in tables_of(metadata))


def _name(sealer: Sealer) -> str:
    return sealer.head[3:].hex()


def _note(store: Store, sealer: Sealer, count: int) -> None:
    row = {"at": store.clock.now(), "act": ACT, "what": _name(sealer), "count": count}
    with store.transaction() as connection:
        connection.execute(sa.insert(LEDGERS.acts), row | {"who": "lienthong", "why": "-"})
