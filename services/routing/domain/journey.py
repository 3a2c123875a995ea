"""How a dossier moves on: opening steps, fork and join, and the end.

Not here: answers (answers.py), waiting for the citizen (waiting.py), the passing of time
(deadlines.py). Every function is pure and total.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.routing.domain import words
from services.routing.domain.case import (
    ENDED,
    Alarms,
    Case,
    Circumstances,
    StepState,
    Task,
    further_answers,
    step_states,
)
from services.routing.domain.case import ready as is_ready
from services.routing.domain.move import Move
from services.routing.domain.plan import StepPlan
from shared.events.agencies import TaskAssigned
from shared.events.decision import Decision
from shared.events.intake import DossierReceived, DossierWithdrawn
from shared.events.parts import Agency, Branch, ProcedureName, StepResult
from shared.events.routing import (
    DossierResolved,
    DossierStarted,
    DossierStopped,
    PaymentRequested,
    StepOpened,
)
from shared.kernel.calendar import due
from shared.kernel.errors import MissingCalendar


def open_case(received: DossierReceived, around: Circumstances) -> Decision[Case]:
    """Open the journey of a received dossier and hand over its first steps."""
    kept, now = around.route.shared_fields, around.now
    procedure = ProcedureName(code=received.procedure.code, name=received.procedure.name)
    case = Case(
        dossier=received.dossier,
        procedure=procedure,
        version=received.procedure.version,
        office=received.office,
        branches=received.branches,
        opened_at=now,
        promised_at=received.promised_at,
        due_at=received.due_at,
        form={name: value for name, value in received.form.items() if name in kept},
        papers=received.papers,
        rounds=received.rounds or 0,
        channel=received.channel,
    )
    move = Move(case, around)
    move.events.append(DossierStarted(dossier=case.dossier, procedure=procedure, started_at=now))
    start, calendar = received.received_at, move.office_calendar()
    move.set(alarms=move.alarms(received.due_at, calendar, start))
    advance(move)
    return move.finish()


def withdraw(case: Case, withdrawn: DossierWithdrawn, around: Circumstances) -> Decision[Case]:
    """The citizen took the dossier back: whatever is open is cancelled, what is done stays.

    Also where routing had come to another end meanwhile: which one it is, intake decides.
    """
    if case.state == "withdrawn":
        return Decision(note=words.DOSSIER_CLOSED)
    move = Move(case, around)
    move.set(state="withdrawn", closed_at=move.now, waiting_papers=False, respond_by=None)
    move.cancel_open(words.WITHDRAWN.format(reason=withdrawn.reason))
    return move.finish()


def stop(move: Move, reason: str, agency: Agency | None = None, step: str | None = None) -> None:
    """Give the dossier back unsolved, with a reason and a next step."""
    move.set(state="stopped", closed_at=move.now, waiting_papers=False, respond_by=None)
    move.cancel_open(words.STOPPED.format(reason=reason))
    move.events.append(
        DossierStopped(
            dossier=move.case.dossier,
            reason=reason,
            next_step=words.NEXT_STEP.format(office=move.case.office.name),
            agency=agency,
            step=step,
            stopped_at=move.now,
            proposed=True,
        )
    )


def advance(move: Move) -> None:
    """Open every step that has become ready; close the dossier when its last counted step ended.

    While the citizen must act nothing new is opened, so the dossier has one official status at a
    time; what became ready meanwhile opens when the clock goes on. Payments come first.
    """
    route = move.around.route
    while move.case.state in ("live", "resolved") and not move.case.waiting_for_citizen:
        found = step_states(move.case, route)
        opening = [step for step in route.steps if is_ready(step, route, found)]
        if not opening:
            break
        payments = [step for step in opening if step.kind == "payment"]
        if payments:
            _open_payment(move, payments[0])
            continue
        for step in opening:
            (_open_wait if step.kind == "wait" else _open_task)(move, step)
        break  # an open task makes nothing else ready
    _close_if_over(move)


def _open_task(move: Move, step: StepPlan) -> None:
    agency, competent = _competent(move, step)
    task = move.put(
        Task(
            id=move.around.new_id(),
            step=step.code,
            kind="task",
            agency=agency,
            state="assigned",
            opened_at=move.now,
            alarms=_time_for(move, step, agency),
            repeat_at=first_repeat(move, agency),
            number=move.number(step.code),
        )
    )
    hand_over(move, task)
    if not competent:
        move.tell(task, "due", note=words.NO_AGENCY)


def _competent(move: Move, step: StepPlan) -> tuple[Agency, bool]:
    """By the rules; a step that is done again goes to who had it, if that is still there."""
    directory = move.around.directory
    done = [t for t in move.case.handed_on.values() if t.undone and t.step == step.code]
    last = max(done, key=lambda task: task.number, default=None)
    if last is not None and last.kind == "task" and directory.agency(last.agency.code):
        return last.agency, True
    return directory.responsible(step.role, move.place(step))


def _open_wait(move: Move, step: StepPlan) -> None:
    """Nobody has anything to do until its date: no agency is handed it, none is warned or late."""
    agency, _ = move.around.directory.responsible(step.role)
    calendar = move.around.directory.calendar(agency.code)
    until = due(move.now, step.budget, calendar) if step.budget else move.now
    task = Task(
        id=move.around.new_id(),
        step=step.code,
        kind="wait",
        agency=agency,
        state="assigned",
        opened_at=move.now,
        alarms=Alarms(until),
        number=move.number(step.code),
    )
    hand_over(move, move.put(task))


def hand_over(move: Move, task: Task) -> None:
    """State who has the step's task, and give it to its agency if that is one."""
    step = move.step(task)
    move.events.append(
        StepOpened(
            dossier=move.case.dossier,
            step=step.part,
            agency=task.agency,
            task=task.id,
            opened_at=move.now,
            due_at=task.due_at,
        )
    )
    if task.kind == "task":
        move.events.append(_assigned(move.case, task, step))


def _time_for(move: Move, step: StepPlan, agency: Agency) -> Alarms | None:
    """A step's deadline; none for a step after the result that would need next year's calendar."""
    calendar = move.around.directory.calendar(agency.code)
    try:
        due_at = due(move.now, step.budget, calendar) if step.budget else move.case.due_at
        return move.alarms(max(due_at, move.now), calendar)
    except MissingCalendar:
        if not step.after_result:
            raise
        return None  # the dossier's end waits for no calendar


def first_repeat(move: Move, agency: Agency) -> datetime | None:
    """When a task that this agency is given now is handed over again, if nobody there takes it."""
    patience = move.around.directory.patience(agency.code)
    try:
        calendar = move.around.directory.calendar(agency.code)
        return None if patience is None else due(move.now, patience, calendar)
    except MissingCalendar:
        return None


def _assigned(case: Case, task: Task, step: StepPlan) -> TaskAssigned:
    return TaskAssigned(
        task=task.id,
        dossier=case.dossier,
        agency=task.agency.code,
        procedure=case.procedure,
        step=step.part,
        assigned_at=task.opened_at,
        due_at=None if task.state == "paused" else task.due_at,
        form=shared_form(case, step),
        papers=case.papers,
        results=step.results,
        may=further_answers(case, step) or None,
        branches=tuple(Branch(code=each.code, name=each.name) for each in step.chooses) or None,
    )


def shared_form(case: Case, step: StepPlan) -> dict[str, Any]:
    """The form fields that this step's agency may see, and no others."""
    return {name: case.form[name] for name in step.shares if name in case.form}


def _open_payment(move: Move, step: StepPlan) -> None:
    """Ask the citizen to pay what the agencies before this step worked out."""
    amount, asking = _sum_for(move, step)
    task = Task(
        id=move.around.new_id(),
        step=step.code,
        kind="payment",
        agency=asking.agency if asking else move.case.desk,
        state="assigned",
        opened_at=move.now,
        amount_vnd=amount,
        number=move.number(step.code),
    )
    if amount == 0:  # nothing is owed: nobody is asked and no clock stops
        move.put(close_payment(task, move.now, 0))
        return
    move.put(task)
    pause(move)
    # The number of the notice that the asking agency wrote; without one, a number people can say.
    count = sum(each.kind == "payment" for each in move.case.tasks.values())
    number = (asking.document if asking else None) or f"{move.case.dossier}/{count}"
    _notice(move, move.put(replace(task, document=number[:200])))


def correct_sum(move: Move, task: Task, amount_vnd: int, document: str | None) -> None:
    """The agency corrects the sum before it is paid: a new notice takes the old one's place."""
    move.put(replace(task, amount_vnd=amount_vnd, document=document or task.document))
    for payment in (each for each in move.case.tasks.values() if each.is_open):
        if payment.kind != "payment" or task.step not in move.around.route.before[payment.step]:
            continue
        amount, _ = _sum_for(move, move.step(payment))
        fresh = document if document != payment.document else None
        number = fresh or words.CORRECTED_NOTICE.format(
            number=(payment.document or move.case.dossier).partition(" (")[0],
            at=words.minute(move.now),
        )
        corrected = replace(payment, amount_vnd=amount, document=number[:200])
        _notice(move, move.put(corrected), replaces=payment.document)


def _sum_for(move: Move, step: StepPlan) -> tuple[int | None, Task | None]:
    """What the agencies before a payment worked out, and which of them asks."""
    before = [
        task
        for code in move.around.route.before[step.code]
        if (task := move.case.tasks.get(code)) is not None
    ]
    amounts = [task.amount_vnd for task in before if task.amount_vnd is not None]
    asking = next((t for t in before if t.amount_vnd is not None), before[0] if before else None)
    return sum(amounts) if amounts else None, asking


def _notice(move: Move, task: Task, replaces: str | None = None) -> None:
    move.events.append(
        PaymentRequested(
            dossier=move.case.dossier,
            step=task.step,
            agency=task.agency,
            amount_vnd=task.amount_vnd,
            reference=task.document or move.case.dossier,
            replaces=replaces,
            requested_at=move.now,
        )
    )


def close_payment(task: Task, at: datetime, amount_vnd: int) -> Task:
    """The payment as done."""
    return replace(
        task,
        state="answered",
        closed_by="paid",
        closed_at=at,
        outcome="paid",
        amount_vnd=amount_vnd,
    )


def pause(move: Move, asking: str | None = None, note: str = words.PAUSED) -> None:
    """The citizen must act: the clock of every open task of the procedure proper stands.

    The agency of the step that is `asking` is told so with a note of its own.
    """
    for task in move.open_tasks():
        if task.state == "paused" or move.step(task).after_result:
            continue
        move.tell(
            move.put(replace(task, state="paused", paused_at=move.now)),
            "paused",
            note=note if task.step == asking else words.PAUSED,
        )


def _close_if_over(move: Move) -> None:
    route = move.around.route
    unanswered = (task for task in move.case.tasks.values() if task.is_open)
    if move.case.state != "live" or any(not route.index[t.step].after_result for t in unanswered):
        return
    found = step_states(move.case, route)
    if any(found[step.code] not in ENDED for step in route.steps if not step.after_result):
        return
    decided = [
        (step, move.case.tasks[step.code]) for step in route.steps if _bears(move, step, found)
    ]
    if _is_undecided(decided):
        step, task = decided[0]
        reason = "; ".join(dict.fromkeys(t.reason or "" for _, t in decided))
        stop(move, reason, task.agency, step.code)
        return
    move.set(state="resolved", closed_at=move.now, waiting_papers=False, respond_by=None)
    results = tuple(_result(step, task) for step, task in decided)
    move.events.append(
        DossierResolved(
            dossier=move.case.dossier, results=results, resolved_at=move.now, proposed=True
        )
    )
    advance(move)  # steps after the result


def _bears(move: Move, step: StepPlan, found: dict[str, StepState]) -> bool:
    """Whether the citizen hears of this step at the end: a result, a failure, or the last word."""
    task = move.case.tasks.get(step.code)
    if step.after_result or task is None or task.kind in ("payment", "wait"):
        return False
    if found[step.code] == "failed":
        return True
    return bool(step.results) or step.code in move.around.route.leaves


def _is_undecided(decided: list[tuple[StepPlan, Task]]) -> bool:
    """Nobody decided anything: every agency sent it back.

    An agency's decision to refuse is a result (status 9). Where no agency would take the matter at
    all there is none, and the dossier is given back as stopped (status 8, form 05).
    """
    return bool(decided) and all(task.closed_by in ("refused", "lapsed") for _, task in decided)


def _result(step: StepPlan, task: Task) -> StepResult:
    return StepResult(
        step=step.code,
        agency=task.agency,
        outcome=task.verdict or "granted",
        result_code=task.result_code,
        document=task.document,
        reason=task.reason,
        file=task.file,
        at=task.closed_at or task.opened_at,
    )
