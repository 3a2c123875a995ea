"""The repository of cases with their tasks: an identity map for one unit of work.

Reads come in bulk (`load`), writes are held back and made in two statements at the end of the
unit. On PostgreSQL loaded cases are locked, in one order, so two workers never mix one dossier.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.routing.domain.case import Case, Task
from services.routing.storage import rows
from services.routing.storage.tables import cases, tasks
from shared.database import UnitOfWork, batch


class Cases:
    """Cases by dossier and by task; get it with `uow.get(Cases)`."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._connection = uow.connection
        self._known: dict[str, Case | None] = {}
        self._by_task: dict[str, str] = {}
        self._stored: dict[str, dict[str, Task]] = {}
        self._changed: dict[str, Case] = {}
        self._flushing = False
        self._uow = uow

    def load(self, dossiers: Iterable[str]) -> None:
        """Load these cases in two queries and lock them."""
        wanted = sorted({code for code in dossiers if code not in self._known})
        if not wanted:
            return
        self._known.update(dict.fromkeys(wanted))
        found = batch.fetch(self._connection, cases.c.dossier, wanted, lock=True)
        if found:
            self._read(found)

    def load_tasks(self, ids: Iterable[str]) -> None:
        """Load and lock the cases that these tasks belong to."""
        wanted = sorted({one for one in ids if one not in self._by_task})
        if not wanted:
            return
        found = batch.fetch(self._connection, tasks.c.id, wanted)
        self.load(row.dossier for row in found)

    def _read(self, found: Iterable[Any]) -> None:
        loaded = {row.dossier: row for row in found}
        of: dict[str, list[Any]] = {code: [] for code in loaded}
        for row in batch.fetch(self._connection, tasks.c.dossier, loaded):
            of[row.dossier].append(row)
        for code, row in loaded.items():
            case = rows.case_of(row, of[code])
            self._stored[code] = _by_id(case)
            self._keep(case)

    def _keep(self, case: Case) -> None:
        self._known[case.dossier] = case
        self._by_task.update(dict.fromkeys(_by_id(case), case.dossier))

    def get(self, dossier: str) -> Case | None:
        """The case of a dossier, None if routing has none."""
        if dossier not in self._known:
            self.load([dossier])
        return self._known[dossier]

    def of_task(self, task_id: str) -> Case | None:
        """The case that a task belongs to, None if there is no such task."""
        if task_id not in self._by_task:
            self.load_tasks([task_id])
        dossier = self._by_task.get(task_id)
        return None if dossier is None else self._known[dossier]

    def put(self, case: Case) -> None:
        """Keep the new state of a case; it is written at the end of the unit."""
        self._keep(case)
        self._changed[case.dossier] = case
        if not self._flushing:
            self._flushing = True
            self._uow.on_flush(self._write)

    def _write(self) -> None:
        self._flushing = False
        changed, self._changed = self._changed, {}
        moved = [
            rows.task_row(task, case.dossier)
            for case in changed.values()
            for task in _by_id(case).values()
            if self._stored.get(case.dossier, {}).get(task.id) is not task
        ]
        batch.upsert(self._connection, cases, [rows.case_row(case) for case in changed.values()])
        batch.upsert(self._connection, tasks, moved)
        self._stored.update((case.dossier, _by_id(case)) for case in changed.values())


def _by_id(case: Case) -> dict[str, Task]:
    return {**case.handed_on, **{task.id: task for task in case.tasks.values()}}
