"""Dossiers of one unit of work: loaded once, changed in memory, written in bulk when it ends."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from services.intake.domain.dossier import Dossier
from services.intake.storage.rows import CHANGING, changing, from_row, to_row
from services.intake.storage.tables import dossiers
from shared.kernel.errors import NotFound
from shared.store import UnitOfWork
from shared.store.saying import tell

# Built once: compiling a statement costs more than running it.
_INSERT = dossiers.insert()
_UPDATE = (
    dossiers.update()
    .where(dossiers.c.code == sa.bindparam("key"))
    .values({name: sa.bindparam(name) for name in CHANGING})
)
# Locked in one order, so that two units that need the same dossiers wait and never deadlock.
_LOAD = (
    sa.select(dossiers)
    .where(dossiers.c.code.in_(sa.bindparam("codes", expanding=True)))
    .order_by(dossiers.c.code)
    .with_for_update()
)


class Dossiers:
    """The repository; get it with `uow.get(Dossiers)`.

    What is loaded here is locked until the unit ends (rows on PostgreSQL, the file on SQLite).
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._known: dict[str, Dossier] = {}
        self._missing: set[str] = set()
        self._new: set[str] = set()
        self._changed: set[str] = set()
        uow.on_flush(self._write)

    def warm(self, codes: Iterable[str]) -> None:
        """Load many in one query; those that do not exist are remembered as missing."""
        wanted = sorted({c for c in codes if c not in self._known and c not in self._missing})
        if not wanted:
            return
        rows = self._uow.connection.execute(_LOAD, {"codes": wanted}).mappings()
        found = {row["code"]: from_row(row) for row in rows}
        self._known |= found
        self._missing |= set(wanted) - set(found)

    def find(self, code: str) -> Dossier | None:
        """The dossier of that code, None if there is none."""
        self.warm([code])
        return self._known.get(code)

    def get(self, code: str, *, office: str) -> Dossier:
        """The office's own dossier; NotFound for any other, which it may not know of."""
        dossier = self.find(code)
        if dossier is None or dossier.office != office:
            raise no_such_dossier()
        return dossier

    def add(self, dossier: Dossier) -> None:
        """Keep a new dossier."""
        self._known[dossier.code] = dossier
        self._missing.discard(dossier.code)
        self._new.add(dossier.code)

    def save(self, dossier: Dossier) -> None:
        """Keep a changed dossier; one that is the very same object costs nothing."""
        if self._known.get(dossier.code) is dossier:
            return
        self._known[dossier.code] = dossier
        if dossier.code not in self._new:
            self._changed.add(dossier.code)

    def _write(self) -> None:
        if self._new:
            tell(
                self._uow.connection, _INSERT, *(to_row(self._known[c]) for c in sorted(self._new))
            )
        if self._changed:
            rows = ({"key": c, **changing(self._known[c])} for c in sorted(self._changed))
            tell(self._uow.connection, _UPDATE, *rows)
        self._new.clear()
        self._changed.clear()


def no_such_dossier() -> NotFound:
    """The same words for a dossier that is not there and for one of another office."""
    return NotFound("there is no such dossier", vi="Không tìm thấy hồ sơ này.")
