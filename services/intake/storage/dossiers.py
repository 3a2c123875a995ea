"""Dossiers of one unit of work: loaded once, changed in memory, written in bulk when it ends."""

from __future__ import annotations

from collections.abc import Iterable

from services.intake.domain.dossier import Dossier
from services.intake.storage import search, unreached
from services.intake.storage.rows import content, from_row, moving, same_content, to_row
from services.intake.storage.tables import dossiers
from shared.database import UnitOfWork, batch
from shared.kernel.errors import NotFound


class Dossiers:
    """The repository; get it with `uow.get(Dossiers)`.

    What is loaded here is locked until the unit ends (rows on PostgreSQL, the file on SQLite).
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._known: dict[str, Dossier] = {}
        self._stored: dict[str, Dossier] = {}  # as loaded
        self._missing: set[str] = set()
        self._new: set[str] = set()
        self._changed: set[str] = set()
        uow.on_flush(self._write)

    def load(self, codes: Iterable[str]) -> None:
        """Load many in one query; those that do not exist are remembered as missing.

        They are locked in one order: two units that need the same ones wait and never deadlock.
        """
        wanted = sorted({c for c in codes if c not in self._known and c not in self._missing})
        if not wanted:
            return
        rows = batch.fetch(self._uow.connection, dossiers.c.code, wanted, lock=True)
        found = {row.code: from_row(row._mapping) for row in rows}  # noqa: SLF001 - SQLAlchemy's name
        self._known |= found
        self._stored |= found
        self._missing |= set(wanted) - set(found)

    def get(self, code: str) -> Dossier | None:
        """The dossier of that code, None if there is none."""
        self.load([code])
        return self._known.get(code)

    def of_office(self, code: str, office: str) -> Dossier:
        """The office's own dossier; NotFound for any other, which it may not know of."""
        dossier = self.get(code)
        if dossier is None or dossier.office != office:
            raise no_such_dossier()
        return dossier

    def put(self, dossier: Dossier) -> None:
        """Keep a new or changed dossier; one that is the very same object costs nothing."""
        before = self._known.get(dossier.code)
        if before is dossier:
            return
        self._known[dossier.code] = dossier
        if before is None:
            self._new.add(dossier.code)
        elif dossier.code not in self._new:
            self._changed.add(dossier.code)

    def _write(self) -> None:
        connection, known = self._uow.connection, self._known
        new, changed = sorted(self._new), sorted(self._changed)
        batch.insert(connection, dossiers, [to_row(known[code]) for code in new])
        rows = [{"code": code, **moving(known[code])} for code in changed]
        batch.update(connection, dossiers, rows)
        refilled = [c for c in changed if not self._is_stored(known[c])]
        batch.update(connection, dossiers, [{"code": c, **content(known[c])} for c in refilled])
        if new or refilled:
            index = self._uow.given(search.Index)
            search.write(connection, index, [known[code] for code in new])
            search.rewrite(connection, index, [known[code] for code in refilled])
        lost = [to for c in changed for to in unreached.lost_since(self._stored.get(c), known[c])]
        if lost:
            unreached.write(connection, lost, self._uow.now)
        self._stored |= {code: known[code] for code in (*self._new, *changed)}
        self._new.clear()
        self._changed.clear()

    def _is_stored(self, dossier: Dossier) -> bool:
        before = self._stored.get(dossier.code)
        return before is not None and same_content(before, dossier)


def no_such_dossier() -> NotFound:
    """The same words for a dossier that is not there and for one of another office."""
    return NotFound("there is no such dossier", vi="Không tìm thấy hồ sơ này.")
