"""What an officer may do beside deciding: send the dossier back, open an extra verification.

Only where the catalogue allows it for the step, and so often at most. Not here: what an agency
decides on its step (answers.py), who is competent (transfers.py).
"""

from __future__ import annotations

from dataclasses import replace

from services.routing.domain import refusals, words
from services.routing.domain.case import Case, Task
from services.routing.domain.journey import advance
from services.routing.domain.move import Move
from services.routing.domain.plan import StepPlan
from services.routing.domain.refusals import Refusal
from shared.events.agencies import AnswerSentBack, AnswerVerificationNeeded
from shared.events.decision import Decision
from shared.events.routing import StepSentBack, VerificationOpened
from shared.kernel.calendar import due
from shared.kernel.errors import MissingCalendar


def send_back(move: Move, task: Task, answer: AnswerSentBack) -> Decision[Case] | Refusal:
    """The agency's answer: an earlier step and all that came of it is done again."""
    step = move.step(task)
    if step.back is None or step.back.to not in move.around.route.index:
        return refusals.NO_WAY_BACK
    if move.case.waiting_for_citizen:
        return refusals.CITIZEN_FIRST
    number = 1 + move.case.sent_back(step.code)
    if number > step.back.most:
        return refusals.SENT_BACK_BEFORE.said(limit=step.back.most)
    ended = _close(move, task, answer.reason)
    to = move.around.route.index[step.back.to]
    undone = tuple(_undo(move, each, step) for each in _again(move, to))
    move.lay_out()
    move.events.append(
        StepSentBack(
            dossier=move.case.dossier,
            step=step.part,
            agency=task.agency,
            task=task.id,
            reason=answer.reason,
            to=to.part,
            undone=undone,
            number=number,
            late=ended.late,
            sent_back_at=move.now,
        )
    )
    advance(move)
    if (again := move.case.tasks.get(to.code)) is not None:
        said = words.SENT_BACK_BY.format(agency=task.agency.name, reason=answer.reason)
        move.tell(again, "due", note=said[:4000])
    move.note = words.SENT_BACK.format(step=to.name)
    return move.finish()


def _close(move: Move, task: Task, reason: str) -> Task:
    ended = replace(
        move.drop_wish(task),
        state="answered",
        closed_by="sent_back",
        closed_at=move.now,
        late=move.is_late(task),
        reason=reason,
    )
    return move.put(ended)


def _again(move: Move, to: StepPlan) -> list[Task]:
    codes = move.around.route.from_on(to.code)
    return [move.case.tasks[code] for code in codes if code in move.case.tasks]


def _undo(move: Move, task: Task, by: StepPlan) -> str:
    """What was done counts no more; whoever still has something to do for it is told so."""
    if task.is_open:
        task = move.drop_wish(task)
        task = replace(task, state="cancelled", closed_at=move.now, pending=None, repeat_at=None)
        move.cancelled(task, words.DONE_AGAIN.format(step=by.name))
    return move.undo(task).id


def verify(move: Move, task: Task, answer: AnswerVerificationNeeded) -> Decision[Case] | Refusal:
    """The agency's answer: the law gives time of its own for it, to the step and to the promise.

    What that does to the promised date is intake's to state.
    """
    extra, case = move.step(task).verification, move.case
    if extra is None or case.state != "live":
        return refusals.NO_VERIFICATION
    if case.waiting_for_citizen:
        return refusals.CITIZEN_FIRST
    if case.verified(task.step) >= extra.most:
        return refusals.VERIFIED_BEFORE.said(limit=extra.most)
    if move.is_late(task) or (case.alarms is not None and case.alarms.missed):
        return refusals.VERIFY_TOO_LATE
    calendar = move.calendar(task)
    try:
        until = due(task.due_at or move.now, extra.time, calendar)
        due(case.due_at, extra.time, move.office_calendar())
    except MissingCalendar:
        return refusals.NO_CALENDAR
    opened = task.verifications + 1
    moved = move.put(replace(task, alarms=move.alarms(until, calendar), verifications=opened))
    move.set(dates_awaited=case.dates_awaited + 1)
    move.note = words.VERIFYING.format(at=words.minute(until))
    move.events.append(
        VerificationOpened(
            dossier=case.dossier,
            step=move.step(task).part,
            agency=task.agency,
            task=task.id,
            reason=answer.reason,
            due_at=until,
            opened_at=move.now,
        )
    )
    move.tell(moved, "due", note=move.note)
    return move.finish()
