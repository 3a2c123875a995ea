"""More time for a step: asked for before its date, pending until the head of the office decides.

After its date an agency names the new one itself, with the apology that this is. Not here: a promise
for which nobody names a date (apologies.py), the other answers (answers.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from services.routing.domain import refusals, words
from services.routing.domain.apologies import end_of_journey
from services.routing.domain.case import Case, Circumstances, Task
from services.routing.domain.move import Move
from services.routing.domain.plan import StepPlan
from services.routing.domain.refusals import Refusal
from shared.events.agencies import AnswerMoreTimeNeeded
from shared.events.decision import Decision
from shared.events.intake import ExtensionGranted, ExtensionRefused
from shared.events.routing import DossierExtended, ExtensionRequested
from shared.kernel.clock import as_utc
from shared.kernel.errors import MissingCalendar

MORE_TIME: Final = "more_time_needed"


def may_extend(task: Task, step: StepPlan) -> bool:
    """Whether the agency may still ask for more time; after its date it always names a new one."""
    late = task.alarms is not None and task.alarms.missed
    return late or task.extensions < step.max_extensions


def want_time(move: Move, task: Task, answer: AnswerMoreTimeNeeded) -> Decision[Case] | Refusal:
    """The agency's answer: a request while there is time, a new date where there is none."""
    step, asked = move.step(task), as_utc(answer.until)
    late = move.is_late(task) or (task.alarms is not None and task.alarms.missed)
    try:
        until = move.calendar(task).drawn_in(asked)
        ends_at = end_of_journey(move, {task.step: until})
    except MissingCalendar:
        return refusals.NO_CALENDAR
    if until <= move.now or (task.due_at is not None and until <= task.due_at):
        return refusals.UNTIL_TOO_EARLY
    if not (late or may_extend(task, step)):
        return refusals.EXTENSIONS_USED.said(limit=step.max_extensions)
    task = move.put(replace(task, extensions=task.extensions + (not late)))
    if late or move.case.state != "live":
        if until != asked:
            move.note = words.NEW_DUE_MOVED.format(at=words.minute(until))
        _give_time(move, task, until, answer.reason, move.note or words.NEW_DUE)
    else:
        move.note = words.WISH_WAITS.format(at=words.minute(until))
        if until != asked:
            move.note = f"{move.note} {words.OUTSIDE_HOURS}"
        _ask_head(move, task, until, ends_at, answer.reason)
    move.answered(move.case.tasks[task.step], MORE_TIME, answer.reason)
    return move.finish()


def _ask_head(move: Move, task: Task, until: datetime, ends_at: datetime, reason: str) -> None:
    waiting = move.put(replace(task, wish=until))
    move.events.append(
        ExtensionRequested(
            dossier=move.case.dossier,
            step=move.step(task).part,
            agency=task.agency,
            task=task.id,
            reason=reason,
            due_at=task.due_at,
            until=until,
            new_due_at=ends_at if _moves_promise(move, task, until) else None,
            requested_at=move.now,
        )
    )
    move.tell(waiting, "paused" if waiting.state == "paused" else "due", note=move.note)


def granted(case: Case, verdict: ExtensionGranted, around: Circumstances) -> Decision[Case]:
    """The head has granted it: the step has its new date, and the citizen too where it needs one."""
    task = case.task(verdict.task)
    if (
        task is None
        or not task.is_open
        or (task.due_at is not None and verdict.until <= task.due_at)
    ):
        return Decision(note=words.ANSWERED_BEFORE_VERDICT)
    move = Move(case, around)
    note = words.WISH_GRANTED.format(at=words.minute(verdict.until))
    _give_time(move, task, verdict.until, verdict.reason, note)
    return move.finish()


def refused(case: Case, verdict: ExtensionRefused, around: Circumstances) -> Decision[Case]:
    """The head has refused it: the date stays, and the agency is told why."""
    task = case.task(verdict.task)
    if task is None or not task.is_open:
        return Decision(note=words.ANSWERED_BEFORE_VERDICT)
    move = Move(case, around)
    kept = move.put(replace(task, wish=None))
    note = words.WISH_REFUSED.format(reason=verdict.reason)
    move.tell(kept, "paused" if kept.state == "paused" else "due", note=note[:4000])
    return move.finish()


def _give_time(move: Move, task: Task, until: datetime, reason: str, note: str) -> None:
    begins = move.now if task.paused_at is None else task.paused_at
    dated = move.alarms(until, move.calendar(task), begins)
    moved = move.put(replace(task, alarms=dated, wish=None))
    move.tell(moved, "paused" if moved.state == "paused" else "due", note=note)
    if _moves_promise(move, moved, until):
        _extend_promise(move, moved, until, reason)


def _moves_promise(move: Move, task: Task, until: datetime) -> bool:
    step = move.step(task)
    counted = not (step.after_result or step.pauses_clock)
    return move.case.state == "live" and counted and until > move.case.due_at


def _extend_promise(move: Move, task: Task, until: datetime, reason: str) -> None:
    """The promise cannot be kept: apologise with a date that the steps still to come can keep."""
    new_due = end_of_journey(move, {task.step: until})
    number = move.case.extensions + 1
    move.set(extensions=number, due_at=new_due)
    move.events.append(
        DossierExtended(
            dossier=move.case.dossier,
            agency=task.agency,
            reason=reason,
            promised_at=move.case.promised_at,
            due_at=new_due,
            extended_at=move.now,
            number=number,
        )
    )
