"""What desks looked for lately: an address names a search by an opaque id, never by its words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from services.intake.storage.tables import searches
from shared.database import Store, UnitOfWork

#: So long an address of a search leads somewhere: for paging, other lists and the way back.
KEPT: Final = timedelta(hours=1)
_OLD: Final = sa.delete(searches).where(searches.c.made_at < sa.bindparam("before"))
_ONE: Final = sa.select(searches.c.words).where(
    searches.c.id == sa.bindparam("id"),
    searches.c.office == sa.bindparam("office"),
    searches.c.made_at >= sa.bindparam("before"),
)


def remember(uow: UnitOfWork, office: str, words: str) -> str:
    """Keep the words of a search for a while; the id that stands for them."""
    uow.connection.execute(_OLD, {"before": uow.now - KEPT})
    made = uow.ids.new()
    row = {"id": made, "office": office, "words": words, "made_at": uow.now}
    uow.connection.execute(sa.insert(searches), row)
    return made


def recall(store: Store, office: str, id_: str) -> str | None:
    """The words of an office's search; None where it is over, or was another office's."""
    asked = {"id": id_, "office": office, "before": store.clock.now() - KEPT}
    with store.query() as connection:
        words: str | None = connection.scalar(_ONE, asked)
    return words


def old(now: datetime, connection: sa.Connection, limit: int | None) -> Sequence[str]:
    """Ids of searches that are over."""
    asked = sa.select(searches.c.id).where(searches.c.made_at < now - KEPT).limit(limit)
    return connection.scalars(asked).all()


def forget(connection: sa.Connection, ids: Sequence[str]) -> int:
    """Delete these searches."""
    return connection.execute(sa.delete(searches).where(searches.c.id.in_(ids))).rowcount
