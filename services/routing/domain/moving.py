"""Offices and agencies were reorganised: a case goes to its new office, its open tasks with it.

Which agency follows which is in the fact; of any other that is no more the rules of competence say
it. No date moves. Not here: an agency that says a task is not its own (transfers.py).
"""

from __future__ import annotations

from dataclasses import replace

from services.routing.domain import words
from services.routing.domain.case import Case, Circumstances, Task
from services.routing.domain.move import Move
from services.routing.domain.transfers import hand_on
from shared.events.decision import Decision
from shared.events.intake import DossierMoved
from shared.events.parts import Agency


def reorganised(case: Case, event: DossierMoved, around: Circumstances) -> Decision[Case]:
    """Each open task of an agency that is no more goes to its successor; `around` is the new office's."""
    move = Move(replace(case, office=event.office), around)
    for task in [each for each in case.tasks.values() if each.is_open]:
        if task.kind == "placing" and event.office != event.from_office:
            _move(move, task, event, to_place=True)  # it waits for the head of the new office
        elif task.kind == "task" and _is_no_more(task, event, around):
            _move(move, task, event)
    return move.finish()


def _is_no_more(task: Task, event: DossierMoved, around: Circumstances) -> bool:
    code = task.agency.code
    named = any(each.agency == code for each in event.successors)
    return named or around.directory.agency(code) is None


def _move(move: Move, task: Task, event: DossierMoved, *, to_place: bool = False) -> None:
    to = None if to_place else _successor(move, task, event)
    said = words.MOVED_BY.format(agency=task.agency.name, reason=event.reason)
    move.note = words.MOVED.format(agency=to.name) if to else words.TO_BE_PLACED
    hand_on(move, task, to, event.reason, said, None, "moved")


def _successor(move: Move, task: Task, event: DossierMoved) -> Agency | None:
    """By the plan, if that one does such work, else by the rules; None: the new office's head names one."""
    told = (s.to.code for s in event.successors if s.agency == task.agency.code and s.to)
    step = move.step(task)
    found = move.around.directory.competent(step.role, next(told, None), move.place(step))
    return next(iter(found), None)
