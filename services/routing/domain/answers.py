"""What each answer of an agency does to the journey.

Total: an answer that does not fit its task is a Refusal, which changes nothing. Not here: whether
the answer really comes from that agency and comes the first time (submission.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from services.routing.domain import refusals, words
from services.routing.domain.case import Case, Circumstances, PapersWanted, Task, TaskState
from services.routing.domain.extensions import want_time
from services.routing.domain.journey import advance, correct_sum
from services.routing.domain.loops import send_back, verify
from services.routing.domain.move import Move
from services.routing.domain.plan import Plan, Route, StepPlan
from services.routing.domain.refusals import Refusal
from services.routing.domain.sizes import overlong
from services.routing.domain.transfers import not_ours
from services.routing.domain.waiting import (
    SUPPLEMENT_NEEDED,
    CannotAsk,
    ask_papers,
    drop_request,
    rounds_used,
)
from shared.events.agencies import (
    Answer,
    AnswerCompleted,
    AnswerMoreTimeNeeded,
    AnswerNotOurs,
    AnswerRefused,
    AnswerSentBack,
    AnswerSupplementNeeded,
    AnswerTaken,
    AnswerVerificationNeeded,
)
from shared.events.decision import Decision
from shared.events.parts import Branch
from shared.events.routing import BranchChosen
from shared.kernel.calendar import due
from shared.kernel.clock import as_utc
from shared.kernel.errors import MissingCalendar

# How a step ended, in the words of the events.
_SAID: Final = {
    "completed": "completed",
    "refused": "refused",
    "silence": "silent",
    "lapsed": "refused",
    "paid": "completed",
}


def lacking(answer: Answer) -> Refusal | None:
    """What an answer of this content must hold besides and does not."""
    match answer:
        case AnswerCompleted(outcome="refused") if not answer.reason:
            return refusals.REASON_MISSING
        case AnswerSupplementNeeded() if not answer.items:
            return refusals.ITEMS_MISSING
    return None


def may_ask_papers(case: Case, task: Task, step: StepPlan, plan: Plan) -> bool:
    """Whether asking the citizen for papers would be passed on now."""
    return task.state != "paused" and not step.after_result and not rounds_used(case, plan)


def may_correct_sum(case: Case, task: Task, route: Route) -> bool:
    """Whether a sum that the agency named is still to be paid, so that another may replace it."""
    asked = (t for t in case.tasks.values() if t.kind == "payment" and t.is_open)
    granted = task.outcome == "granted" and not task.undone
    return granted and any(task.step in route.before[t.step] for t in asked)


def apply_answer(case: Case, answer: Answer, around: Circumstances) -> Decision[Case] | Refusal:
    """Take an agency's answer into the journey."""
    task = case.task(answer.task)
    if task is None or task.kind != "task":
        return refusals.UNKNOWN_TASK
    if wrong := lacking(answer) or overlong(answer):
        return wrong
    if task.state == "answered":
        return _after_the_answer(Move(case, around), task, answer)
    if task.state == "cancelled":
        return refusals.ALREADY_CANCELLED
    move = Move(case, around)
    in_hand = move.put(replace(task, repeat_at=None))
    return _MOVES[type(answer)](move, in_hand, answer)


def _after_the_answer(move: Move, task: Task, answer: Answer) -> Decision[Case] | Refusal:
    """What still counts once a task has its answer."""
    if task.is_handed_on:
        return refusals.ALREADY_TRANSFERRED
    if task.undone:
        return refusals.ALREADY_ANSWERED
    if isinstance(answer, AnswerCompleted) and _corrects(task, answer, move.around):
        return _correct(move, task, answer)
    if isinstance(answer, AnswerTaken) and task.closed_by in ("completed", "refused"):
        return _take(move, task, answer)  # the agency's own answer overtook it on the way
    return refusals.ALREADY_ANSWERED


def _take(move: Move, task: Task, answer: AnswerTaken) -> Decision[Case]:
    if task.taken_at is not None:
        move.note = words.ALREADY_TAKEN
    officer = answer.officer or task.officer
    at = task.taken_at or min(move.now, task.closed_at or move.now)
    state: TaskState = "taken" if task.state == "assigned" else task.state
    move.put(replace(task, taken_at=at, officer=officer, state=state))
    return move.finish()


def _complete(move: Move, task: Task, answer: AnswerCompleted) -> Decision[Case] | Refusal:
    allowed = move.step(task).results
    granted = answer.outcome == "granted"
    code = answer.result_code
    if code is None and granted and len(allowed) == 1:
        code = allowed[0]
    if code is not None and not allowed:
        return refusals.NO_RESULT_CODE
    if code is not None and code not in allowed:
        return refusals.UNKNOWN_RESULT.said(codes=", ".join(allowed))
    asked = granted and move.around.route.leads_to_payment(task.step)
    if answer.amount_vnd is not None and not asked:
        return refusals.AMOUNT_NOT_ASKED
    file = answer.file and move.around.receipted(answer.file, task.id)
    if answer.file and file is None:
        return refusals.UNKNOWN_FILE
    if wrong := _not_to_choose(move, task, answer):
        return wrong
    return _closed(
        move,
        task,
        branch=answer.branch,
        closed_by="completed",
        outcome=answer.outcome,
        result_code=code,
        document=answer.document,
        file=file,
        reason=answer.reason,
        amount_vnd=answer.amount_vnd,
    )


def _not_to_choose(move: Move, task: Task, answer: AnswerCompleted) -> Refusal | None:
    """A step that chooses is granted with one of its branches, every other answer with none."""
    asked = answer.outcome == "granted" and move.step(task).chooses
    if not asked:
        return refusals.NO_BRANCH if answer.branch is not None else None
    codes, names = (
        ", ".join(each) for each in zip(*((c.code, c.name) for c in asked), strict=True)
    )
    if answer.branch is None:
        return refusals.BRANCH_MISSING.said(codes=codes, names=names)
    chosen = next((each for each in asked if each.code == answer.branch), None)
    if chosen is None:
        return refusals.UNKNOWN_BRANCH.said(codes=codes, names=names)
    try:
        if chosen.time is not None:
            due(move.case.due_at, chosen.time, move.office_calendar())
    except MissingCalendar:
        return refusals.NO_CALENDAR
    return None


def _corrects(task: Task, answer: AnswerCompleted, around: Circumstances) -> bool:
    """Whether an agency that has answered names another sum for the citizen to pay."""
    names = answer.outcome == task.outcome == "granted" and answer.amount_vnd is not None
    return (
        names and answer.amount_vnd != task.amount_vnd and around.route.leads_to_payment(task.step)
    )


def _correct(move: Move, task: Task, answer: AnswerCompleted) -> Decision[Case] | Refusal:
    if move.case.state not in ("live", "resolved"):
        return refusals.DOSSIER_CLOSED
    before = move.around.route.before
    payments = [t for t in move.case.tasks.values() if task.step in before[t.step]]
    paid = next((t for t in payments if t.kind == "payment" and not t.is_open), None)
    if paid is not None:
        return refusals.ALREADY_PAID.said(amount=words.dong(paid.amount_vnd or 0))
    if not answer.amount_vnd:
        return refusals.NOTHING_TO_PAY
    correct_sum(move, task, answer.amount_vnd, answer.document)
    move.note = words.SUM_CORRECTED
    move.tell(task, "due", note=words.SUM_CORRECTED)
    move.answered(move.case.tasks[task.step], "completed", words.SUM_CORRECTED)
    return move.finish()


def _refuse(move: Move, task: Task, answer: AnswerRefused) -> Decision[Case]:
    return _closed(move, task, closed_by="refused", outcome="refused", reason=answer.reason)


def _closed(move: Move, task: Task, **outcome: Any) -> Decision[Case]:
    """The step has ended: its followers open, or its branch ends here with a reason."""
    close_task(move, task, **outcome)
    _take_branch(move, task)
    if task.asked and move.case.waiting_papers and not any(t.asked for t in move.open_tasks()):
        drop_request(move, task.step, words.DECIDED_WITHOUT)
    else:
        advance(move)
    return move.finish()


def _take_branch(move: Move, task: Task) -> None:
    """Go on by the branch that a step has chosen; what that does to the promise is intake's to state."""
    branch = move.case.tasks[task.step].branch
    chosen = next((each for each in move.step(task).chooses if each.code == branch), None)
    if chosen is None:
        return
    move.lay_out()
    has_time = chosen.time is not None
    move.set(dates_awaited=move.case.dates_awaited + has_time)
    move.events.append(
        BranchChosen(
            dossier=move.case.dossier,
            step=move.step(task).part,
            agency=task.agency,
            task=task.id,
            branch=Branch(code=chosen.code, name=chosen.name),
            has_time=has_time,
            chosen_at=move.now,
        )
    )


def close_task(move: Move, task: Task, **outcome: Any) -> None:
    """Keep how a task ended, and state it."""
    late = move.is_late(task)
    task = move.drop_wish(task)
    done = move.put(
        replace(
            task,
            state="answered",
            closed_at=move.now,
            late=late,
            paused_at=None,
            pending=None,
            **outcome,
        )
    )
    move.answered(done, _SAID[done.closed_by or "completed"], done.reason)


def _want_papers(
    move: Move, task: Task, answer: AnswerSupplementNeeded
) -> Decision[Case] | Refusal:
    if move.step(task).after_result or move.case.state != "live":
        return refusals.AFTER_RESULT
    if task.asked or task.pending is not None:
        return refusals.ALREADY_ASKED
    respond_by = None if answer.respond_by is None else as_utc(answer.respond_by)
    if respond_by is not None and respond_by <= move.now:
        return refusals.RESPOND_BY_PAST
    wanted = PapersWanted(answer.items, answer.reason, respond_by)
    if move.case.waiting_for_citizen:
        waiting = move.put(replace(task, pending=wanted))
        move.note = words.WAITS_ITS_TURN
        move.deny(waiting, SUPPLEMENT_NEEDED, words.WAITS_ITS_TURN)
        return move.finish()
    try:
        move.note = ask_papers(move, task, wanted)
    except CannotAsk as cannot:
        return cannot.refusal
    return move.finish()


_MOVES: Final[Mapping[type[Any], Callable[[Move, Task, Any], Decision[Case] | Refusal]]] = {
    AnswerTaken: _take,
    AnswerCompleted: _complete,
    AnswerSupplementNeeded: _want_papers,
    AnswerRefused: _refuse,
    AnswerMoreTimeNeeded: want_time,
    AnswerNotOurs: not_ours,
    AnswerSentBack: send_back,
    AnswerVerificationNeeded: verify,
}
