"""A step handed on: an agency says that it is not theirs, or the head of the office places it.

By the rules of competence where they name somebody else, else to the coordination list, where the
receiving office must name the agency. The step's time runs on. Not here: what an agency decides on
its own step (answers.py), first opening a step (journey.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from services.routing.domain import refusals, words
from services.routing.domain.case import Case, Circumstances, Task
from services.routing.domain.journey import first_repeat, hand_over
from services.routing.domain.move import Move
from services.routing.domain.refusals import Refusal
from shared.events.agencies import AnswerNotOurs
from shared.events.decision import Decision
from shared.events.parts import Agency
from shared.events.routing import StepTransferred

#: So many agencies of one step may hand it on by themselves; from then on the head decides.
MOST: Final = 3


def not_ours(move: Move, task: Task, answer: AnswerNotOurs) -> Decision[Case] | Refusal:
    """The agency's answer: the task ends there, and the step goes to another."""
    directory, named = move.around.directory, answer.agency
    if named == task.agency.code:
        return refusals.AGENCY_IS_SENDER
    believed = None if named is None else directory.agency(named)
    if named is not None and believed is None:
        return refusals.UNKNOWN_AGENCY
    to = _by_rule(move, task, named)
    move.note = words.HANDED_ON.format(agency=to.name) if to else words.TO_BE_PLACED
    said = words.HANDED_ON_BY.format(agency=task.agency.name, reason=answer.reason)
    hand_on(move, task, to, answer.reason, said, believed)
    return move.finish()


def place(
    case: Case, task_id: str, agency: str, word: str, around: Circumstances
) -> Decision[Case] | Refusal:
    """The head of the receiving office names who does the step; the same again changes nothing."""
    task = case.task(task_id)
    if task is None or task.kind != "placing":
        return refusals.UNKNOWN_TASK
    if not task.is_open:
        same = task.closed_by == "transferred" and (task.named, task.reason) == (agency, word)
        return Decision() if same else refusals.ALREADY_PLACED
    to = around.directory.agency(agency)
    if to is None:
        return refusals.UNKNOWN_AGENCY
    move = Move(case, around)
    hand_on(move, task, to, word, words.PLACED.format(word=word), to)
    return move.finish()


def _by_rule(move: Move, task: Task, named: str | None) -> Agency | None:
    """Whom the rules name that has not said no to this step; None: the head must decide."""
    handed_on = (t for t in move.case.handed_on.values() if not t.undone)
    before = (t for t in handed_on if t.step == task.step and t.closed_by != "moved")
    said_no = [each.agency.code for each in before if each.kind == "task"]
    if len(said_no) >= MOST:
        return None
    tried = {task.agency.code, *said_no}
    step = move.step(task)
    competent = move.around.directory.competent(step.role, named, move.place(step))
    return next((each for each in competent if each.code not in tried), None)


def hand_on(
    move: Move,
    task: Task,
    to: Agency | None,
    reason: str,
    said: str,
    named: Agency | None,
    how: Literal["transferred", "moved"] = "transferred",
) -> None:
    """End a task and open the next of its step, to which its time and a request for papers pass.

    `said` is told to the next agency, and to the one before where `move.note` is not.
    """
    late, extensions = move.is_late(task), task.extensions - (task.wish is not None)
    task = move.drop_wish(task)
    given = replace(
        task, closed_by=how, reason=reason, named=None if named is None else named.code, late=late
    )
    old = _left(move, given)
    new = Task(
        id=move.around.new_id(),
        step=task.step,
        kind="task" if to else "placing",
        agency=to or move.case.desk,
        state="paused" if task.state == "paused" else "assigned",
        opened_at=move.now,
        alarms=task.alarms,
        paused_at=task.paused_at,
        asked=task.asked,
        extensions=extensions,
        repeat_at=first_repeat(move, to) if to else None,
        number=task.number + 1,
    )
    move.follow(old, new)
    _state(move, old, new, to, named)
    move.cancelled(old, move.note or said)
    hand_over(move, new)
    move.tell(new, "paused" if new.state == "paused" else "due", note=said[:4000])


def _left(move: Move, task: Task) -> Task:
    """The task as it is for the agency that has it no more."""
    return replace(
        task,
        state="answered",
        closed_at=move.now,
        paused_at=None,
        asked=False,
        pending=None,
        repeat_at=None,
    )


def _state(move: Move, old: Task, new: Task, to: Agency | None, named: Agency | None) -> None:
    move.events.append(
        StepTransferred(
            dossier=move.case.dossier,
            step=move.step(old).part,
            agency=old.agency,
            task=old.id,
            reason=old.reason or "",
            named=named,
            to=to,
            next_task=new.id,
            late=old.late,
            transferred_at=move.now,
            reorganised=True if old.closed_by == "moved" else None,
        )
    )
