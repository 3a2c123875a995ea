"""Noting that an agency has seen tasks at the web door: they need not be handed over again."""

from __future__ import annotations

from collections.abc import Collection

from services.routing.domain.untaken import fetched
from services.routing.storage.cases import Cases
from shared.database import UnitOfWork


def note_fetched(uow: UnitOfWork, tasks: Collection[str]) -> None:
    """Note that these tasks were seen now."""
    cases = uow.get(Cases)
    cases.load_tasks(tasks)
    for task in tasks:
        case = cases.of_task(task)
        seen = None if case is None else fetched(case, tasks, uow.now)
        if seen is not None and seen is not case:
            cases.put(seen)
