"""Many open steps and several workers: each date is judged once, also what fell due while none ran."""

from __future__ import annotations

from bench.deadlines import measure
from tests.backends import Backend
from tests.routing.town import migrate

OPEN, DUE = 2_000, 250


def test_two_processes_judge_what_fell_due_while_nothing_ran_once_each(backend: Backend) -> None:
    backend.migrated("routing", migrate)
    settings = backend.settings("routing")
    found = measure(settings, OPEN, DUE, workers=2, after=-60.0, seconds=150.0).found
    tasks = [task for task, _ in found]
    assert len(tasks) == DUE
    assert set(tasks) == {f"task-{number:06d}" for number in range(DUE)}
    assert all(late >= 60.0 for _, late in found), "none before its time"
