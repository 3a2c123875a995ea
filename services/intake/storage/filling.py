"""Making dossiers findable that were filed before the search was there, or under another secret."""

from __future__ import annotations

from typing import Final

import msgspec
import sqlalchemy as sa

from services.intake.domain.dossier import Dossier
from services.intake.storage import search
from services.intake.storage.rows import from_row
from services.intake.storage.search import Index
from services.intake.storage.tables import dossiers, search_state
from shared.database import batch
from shared.log import get

#: Dossiers of one step: a few tenths of a second, in which their rows are locked.
STEP: Final = 200
_UNREADABLE: Final = (ValueError, TypeError, KeyError, msgspec.MsgspecError)
_log = get("search")

_STATE = sa.select(search_state)
_LOCKED = _STATE.with_for_update()
_NEW = sa.text(
    "INSERT INTO search_state (key_mark, reached, done) VALUES (:key_mark, '', false)"
    " ON CONFLICT (key_mark) DO NOTHING"
)
_NEXT = (
    sa.select(dossiers.c.code)
    .where(dossiers.c.code > sa.bindparam("reached"))
    .order_by(dossiers.c.code)
    .limit(STEP)
)


def is_whole(connection: sa.Connection, index: Index) -> bool:
    """Whether every dossier is findable under this key."""
    row = connection.execute(_STATE).one_or_none()
    return row is not None and row.key_mark == index.mark and bool(row.done)


def fill_some(connection: sa.Connection, index: Index) -> int:
    """Make the next dossiers findable; how many they were, 0 when all are.

    The row of the state is locked meanwhile: of several processes one goes on and the others wait.
    """
    reached = _reached(connection, index)
    if reached is None:
        return 0
    codes = list(connection.scalars(_NEXT, {"reached": reached}))
    search.rewrite(connection, index, _readable(connection, codes))
    done = len(codes) < STEP
    connection.execute(
        sa.update(search_state).values(reached=codes[-1] if codes else reached, done=done)
    )
    return len(codes)


def _readable(connection: sa.Connection, codes: list[str]) -> list[Dossier]:
    """These dossiers, locked; one that cannot be read holds up no other."""
    try:
        return _read(connection, codes)
    except _UNREADABLE:
        if len(codes) > 1:
            return [found for code in codes for found in _readable(connection, [code])]
        _log.warning("search.unreadable", dossier=codes[0])
        return []


def _read(connection: sa.Connection, codes: list[str]) -> list[Dossier]:
    rows = batch.fetch(connection, dossiers.c.code, codes, lock=True)
    return [from_row(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's name


def _reached(connection: sa.Connection, index: Index) -> str | None:
    """The last dossier that is done, "" before the first; None when all are."""
    row = connection.execute(_LOCKED).one_or_none()
    if row is not None and row.key_mark == index.mark:
        return None if row.done else str(row.reached)
    # The first time, or another secret: from the beginning.
    connection.execute(sa.delete(search_state).where(search_state.c.key_mark != index.mark))
    connection.execute(_NEW, {"key_mark": index.mark})
    row = connection.execute(_LOCKED).one()
    return None if row.done else str(row.reached)
