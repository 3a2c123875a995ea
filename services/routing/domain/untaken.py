"""A task that nobody has taken: it is handed over again, until the lifetime of its hand-over ends.

An agency may have lost what lay on its queue: the same message comes under its old number. One that
works at the door, on pages or by webhook is sent nothing again; the lifetime is the same. Not here: how it is found and sent (storage/handover.py).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.routing.domain.case import Case, Task
from services.routing.domain.move import Move
from shared.events.routing import StepRepeated
from shared.kernel.calendar import due
from shared.kernel.errors import MissingCalendar

MOST: Final = 20  # times; about a month of working days, which is the lifetime of a hand-over


def repeat(move: Move, task: Task) -> None:
    """Hand a task over again if its time has come; the next time is a working day later.

    After the last time its lifetime ends: that is for its owner to be told, nothing more is sent.
    """
    if task.repeat_at is None or not task.is_open or task.repeat_at > move.now:
        return
    if not move.around.queued(task.agency.code):
        _wait_for_end(move, task)
        return
    count = task.repeats + 1
    if count > MOST:
        _expire(move, task)
        return
    again = _next(move, task)
    ended = None if again else move.now
    move.put(replace(task, repeats=count, repeat_at=again, expired_at=ended))
    move.events.append(
        StepRepeated(
            dossier=move.case.dossier,
            step=move.step(task).part,
            agency=task.agency,
            task=task.id,
            number=count,
            repeated_at=move.now,
        )
    )


def _wait_for_end(move: Move, task: Task) -> None:
    """Nothing can be sent again; the hand-over ends when it would if something could."""
    calendar, patience = move.calendar(task), move.around.directory.patience(task.agency.code)
    try:
        first = due(task.opened_at, patience, calendar) if patience else task.opened_at
        end = calendar.add_days(first, MOST)
    except MissingCalendar:
        end = move.now
    if end > move.now:
        move.put(replace(task, repeat_at=end))
    else:
        _expire(move, task)


def _expire(move: Move, task: Task) -> None:
    move.put(replace(task, repeat_at=None, expired_at=move.now))


def _next(move: Move, task: Task) -> datetime | None:
    try:
        return move.calendar(task).add_days(move.now, 1)
    except MissingCalendar:
        return None


def fetched(case: Case, tasks: Collection[str], now: datetime) -> Case:
    """The agency has seen these tasks at the web door: they need not be handed over again."""
    seen = {
        task.step: replace(task, fetched_at=now, repeat_at=None)
        for task in case.tasks.values()
        if task.id in tasks and task.is_unseen
    }
    return replace(case, tasks={**case.tasks, **seen}) if seen else case
