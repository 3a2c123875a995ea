"""A promised date that has passed: who is late and why, and the date that the city's rule names.

Routing knows what is not done and tells when nobody has named a new date in time; the apology itself
is intake's to state, as it holds the date and knows of every end. Not here: an agency that names a
date of its own (answers.py), when the clock is looked at (deadlines.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from services.routing.domain import words
from services.routing.domain.case import Case, Circumstances, Task
from services.routing.domain.move import Move
from services.routing.domain.waiting import follow_date
from shared.events.decision import Decision
from shared.events.intake import DossierApologised
from shared.events.parts import Agency
from shared.events.routing import ApologyDue, DeadlineMissed
from shared.kernel.calendar import due
from shared.kernel.errors import MissingCalendar

_A_DAY: Final = timedelta(days=1)


def miss_promise(move: Move, missed_at: datetime) -> datetime | None:
    """State that the promise was missed, tell who is late; when the apology goes out by itself."""
    task, agency, cause = _at_fault(move)
    try:
        apology_at, new_due_at = _apology_at(move, missed_at), _new_date(move)
    except MissingCalendar:
        apology_at, new_due_at = (
            move.now + _A_DAY,
            None,
        )  # until then the year may have its calendar
    move.events.append(
        DeadlineMissed(
            dossier=move.case.dossier,
            scope="dossier",
            agency=agency,
            due_at=missed_at,
            at=move.now,
            cause=cause,
            new_due_at=new_due_at,
            apology_at=apology_at,
        )
    )
    if task is not None and apology_at is not None:
        move.tell(task, "due", note=words.PROMISE_MISSED.format(at=words.minute(apology_at)))
    return apology_at


def propose_apology(move: Move, missed_at: datetime) -> None:
    """Nobody has named a new date: the city's rule does. MissingCalendar where it cannot."""
    _, agency, cause = _at_fault(move)
    move.events.append(
        ApologyDue(
            dossier=move.case.dossier,
            agency=agency,
            reason=cause,
            missed_at=missed_at,
            due_at=_new_date(move),
            at=move.now,
        )
    )


def apologised(case: Case, apology: DossierApologised, around: Circumstances) -> Decision[Case]:
    """The citizen was given a new date; whoever still owes something is told of it."""
    if case.state != "live" or apology.due_at is None:
        return Decision(note=words.DOSSIER_CLOSED)
    move = Move(case, around)
    extensions = max(case.extensions, apology.number)
    move.set(due_at=apology.due_at, extensions=extensions)
    follow_date(move)
    told = words.APOLOGISED.format(at=words.minute(apology.due_at))
    for task in move.open_tasks():
        if move.step(task).budget is not None and not move.step(task).after_result:
            move.tell(task, "paused" if task.state == "paused" else "due", note=told)
    return move.finish()


def end_of_journey(move: Move, ends: Mapping[str, datetime]) -> datetime:
    """When the last counted step would end if these ended then and each after them took its budget.

    Not before the desk that hands the result over is open.
    """
    route, calendar = move.around.route, move.office_calendar()
    found = dict(ends)
    for step in route.steps:
        begins = [found[code] for code in route.before[step.code] if code in found]
        if begins and not step.after_result and step.code not in move.case.tasks:
            start = max(begins)
            timed = step.budget is not None and not step.pauses_clock
            found[step.code] = due(start, step.budget, calendar) if timed and step.budget else start
    return calendar.add_minutes(max(found.values()), 0)


def _apology_at(move: Move, missed_at: datetime) -> datetime | None:
    grace = move.around.directory.dates().apologise_after
    return None if grace is None else due(missed_at, grace, move.office_calendar())


def _new_date(move: Move) -> datetime:
    """Each open step gets the rule's time once more, or has its own later date."""
    again = move.around.directory.dates().new_date
    ends = {}
    for task in _counted(move):
        calendar = move.calendar(task)
        waits = again is None or task.kind == "wait"  # nobody is late with a waiting period
        more = move.now if waits or again is None else due(move.now, again, calendar)
        ends[task.step] = max(more, task.due_at or more)
    if not ends:
        calendar = move.office_calendar()
        return calendar.add_days(move.now, 1) if again is None else due(move.now, again, calendar)
    return end_of_journey(move, ends)


def _counted(move: Move) -> list[Task]:
    return [task for task in move.open_tasks() if not move.step(task).after_result]


def _at_fault(move: Move) -> tuple[Task | None, Agency, str]:
    """The open step whose date comes first, its agency, and what is not done; else the desk's own.

    A step that must be placed is its office's own.
    """
    owed = (task for task in _counted(move) if task.kind != "wait")
    waiting = sorted(owed, key=lambda task: (task.due_at or move.now, task.step))
    if not waiting:
        return None, move.case.desk, words.NOT_DONE
    task = waiting[0]
    cause = words.NOT_PLACED if task.kind == "placing" else words.STEP_NOT_DONE
    return task, task.agency, cause.format(step=move.step(task).name)
