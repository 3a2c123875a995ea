"""The rows of files, and the codes by which citizens read results. The bytes: folder.py."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from services.intake.domain.files import File
from services.intake.domain.statuses import Status
from services.intake.storage.tables import dossiers, file_codes, files
from shared.database import UnitOfWork, batch

_COLUMNS: Final = tuple(each.name for each in fields(File))
_ENDED: Final = (Status.REFUSED, Status.WITHDRAWN, Status.STOPPED, Status.RETURNED)


def of_dossier(connection: sa.Connection, dossier: str) -> list[File]:
    """Every file that the dossier has had, the oldest first."""
    asked = sa.select(files).where(files.c.dossier == dossier)
    return [_file(row) for row in connection.execute(asked.order_by(files.c.added_at, files.c.id))]


def find(
    connection: sa.Connection, dossier: str, file_id: str, *, lock: bool = False
) -> File | None:
    """One file of this very dossier."""
    asked = sa.select(files).where(files.c.id == file_id, files.c.dossier == dossier)
    row = connection.execute(asked.with_for_update() if lock else asked).one_or_none()
    return None if row is None else _file(row)


def put(uow: UnitOfWork, file: File) -> None:
    """Keep a new file's row, or how one stands now."""
    batch.upsert(uow.connection, files, [{name: getattr(file, name) for name in _COLUMNS}])


def held(connection: sa.Connection, most: int) -> list[File]:
    """Those that nobody may see yet, the oldest first."""
    asked = sa.select(files).where(sa.text("state = 'held'"), files.c.withdrawn_at.is_(None))
    return [_file(row) for row in connection.execute(asked.order_by(files.c.added_at).limit(most))]


def known(connection: sa.Connection, ids: Collection[str]) -> set[str]:
    """The ids among these that have a row whose bytes are kept."""
    kept = sa.and_(files.c.withdrawn_at.is_(None), files.c.state != "refused")
    asked = sa.select(files.c.id).where(files.c.id.in_(ids), kept)
    return set(connection.scalars(asked))


def of_ended(connection: sa.Connection, before: datetime, limit: int | None) -> Sequence[Any]:
    """Files of dossiers that ended before then (UTC)."""
    ended = sa.and_(dossiers.c.status.in_(_ENDED), dossiers.c.finished_at < before)
    asked = sa.select(files).join(dossiers, dossiers.c.code == files.c.dossier).where(ended)
    return [_file(row) for row in connection.execute(asked.limit(limit))]


def forget(connection: sa.Connection, found: Sequence[File]) -> int:
    """Delete these rows; how many."""
    ids = [each.id for each in found]
    return connection.execute(sa.delete(files).where(files.c.id.in_(ids))).rowcount


def put_code(uow: UnitOfWork, dossier: str, digest: str, until: datetime) -> None:
    """Keep the digest of a new code, in the place of the one before."""
    row = {"dossier": dossier, "digest": digest, "tries": 0, "until": until}
    batch.upsert(uow.connection, file_codes, [row])


def try_code(uow: UnitOfWork, dossier: str, most: int) -> str | None:
    """Count a try; the digest to compare with, None where no code counts any more."""
    mine = sa.select(file_codes).where(file_codes.c.dossier == dossier).with_for_update()
    row = uow.connection.execute(mine).one_or_none()
    if row is None or row.until <= uow.now or row.tries >= most:
        return None
    counted = {"dossier": dossier, "tries": row.tries + 1}
    batch.update(uow.connection, file_codes, [counted])
    return str(row.digest)


def end_code(uow: UnitOfWork, dossier: str) -> None:
    """A code that was used counts once."""
    uow.connection.execute(sa.delete(file_codes).where(file_codes.c.dossier == dossier))


def old_codes(connection: sa.Connection, now: datetime, limit: int | None) -> Sequence[Any]:
    """Whose codes are over."""
    asked = sa.select(file_codes.c.dossier).where(file_codes.c.until <= now)
    return connection.scalars(asked.limit(limit)).all()


def forget_codes(connection: sa.Connection, found: Sequence[Any]) -> int:
    """Delete these; how many."""
    mine = file_codes.c.dossier.in_(found)
    return connection.execute(sa.delete(file_codes).where(mine)).rowcount


def _file(row: Any) -> File:
    return File(**{name: getattr(row, name) for name in _COLUMNS})
