"""The clock stops and goes on: papers asked of the citizen, payments, and what comes back.

The dossier's own date is computed by intake and carried in its facts; here the tasks' deadlines
move. Not here: when steps open (journey.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from services.routing.domain import refusals, words
from services.routing.domain.case import Alarms, Case, Circumstances, PapersWanted, Task
from services.routing.domain.journey import advance, close_payment, pause
from services.routing.domain.move import Move
from services.routing.domain.plan import Plan
from services.routing.domain.refusals import Refusal
from shared.events.decision import Decision
from shared.events.intake import (
    DeadlineStated,
    DossierBranched,
    DossierPaid,
    DossierSupplemented,
    DossierVerifying,
    SupplementRequested,
)
from shared.events.parts import Paper
from shared.events.routing import SupplementDropped
from shared.kernel.calendar import due
from shared.kernel.errors import MissingCalendar

SUPPLEMENT_NEEDED = "supplement_needed"


def rounds_used(case: Case, plan: Plan) -> bool:
    """Whether the citizen was asked for papers as often as the procedure allows."""
    limit = plan.max_supplement_rounds
    return limit is not None and case.rounds >= limit


class CannotAsk(Exception):
    """The citizen cannot be asked for these papers; `refusal` tells the agency why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__("the citizen cannot be asked for these papers")
        self.refusal = refusal


def ask_papers(move: Move, task: Task, wanted: PapersWanted) -> str | None:
    """Ask the citizen for an agency's missing papers; the clock stops. CannotAsk where that may not be.

    Returns what the agency is to be told of the date that it gave, if anything.
    """
    plan = move.around.route.plan
    if rounds_used(move.case, plan):
        raise CannotAsk(refusals.ROUNDS_USED.said(limit=plan.max_supplement_rounds))
    try:
        respond_by, note = _binding(move, wanted.respond_by)
    except MissingCalendar:
        raise CannotAsk(refusals.NO_CALENDAR_FOR_PAPERS) from None
    move.put(replace(task, asked=True, pending=None))
    move.set(rounds=move.case.rounds + 1, waiting_papers=True, respond_by=respond_by)
    pause(move, task.step, note or words.PAUSED)
    move.events.append(
        SupplementRequested(
            dossier=move.case.dossier,
            round=move.case.rounds,
            step=task.step,
            agency=task.agency,
            items=wanted.items,
            reason=wanted.reason,
            respond_by=respond_by,
            requested_at=move.now,
        )
    )
    return note


def _binding(move: Move, respond_by: datetime | None) -> tuple[datetime | None, str | None]:
    """The date as it binds the citizen, while the desk is open; what its agency is told of that.

    A date gone by, while the request waited its turn, binds nobody.
    """
    if respond_by is None:
        return None, None
    if respond_by <= move.now:
        return None, words.RESPOND_BY_PAST
    latest = move.office_calendar().latest(respond_by, move.now)
    moved = words.RESPOND_BY_MOVED.format(at=words.minute(latest))
    return latest, None if latest == respond_by else moved


def drop_request(move: Move, step: str | None, reason: str) -> None:
    """Nobody waits for the citizen's papers any more: say so and let the clocks go on.

    Not said where the dossier comes to its end with that: the citizen is told of the end alone.
    """
    dropped = SupplementDropped(
        dossier=move.case.dossier,
        round=move.case.rounds,
        step=step,
        reason=reason,
        dropped_at=move.now,
        proposed=True,
    )
    move.events.append(dropped)
    awaited = move.case.dates_awaited + 1
    move.set(waiting_papers=False, respond_by=None, dates_awaited=awaited)
    go_on(move, {}, ())
    if move.case.state != "live":
        move.events.remove(dropped)


def dated(case: Case, stated: DeadlineStated, around: Circumstances) -> Decision[Case]:
    """Intake stated the date in force, mostly in answer to what routing had told it."""
    if case.state != "live":
        return Decision(note=words.DOSSIER_CLOSED)
    move, due_at = Move(case, around), stated.due_at
    # An extension is routing's own date already: nothing waits for the answer to it.
    awaited = case.dates_awaited - (stated.because != "extended")
    move.set(due_at=due_at, dates_awaited=max(0, awaited))
    follow_date(move)
    return move.finish()


def moved(
    case: Case, stated: DossierVerifying | DossierBranched, around: Circumstances
) -> Decision[Case]:
    """Intake has moved the date by the time of an extra verification, or of a chosen branch."""
    if case.state != "live":
        return Decision(note=words.DOSSIER_CLOSED)
    move = Move(case, around)
    move.set(due_at=stated.due_at, dates_awaited=max(0, case.dates_awaited - 1))
    follow_date(move)
    return move.finish()


def follow_date(move: Move) -> None:
    """Steps without time of their own have the dossier's date: theirs moves with it."""
    for task in move.open_tasks():
        step = move.step(task)
        follows = step.budget is None and not step.after_result and task.state != "paused"
        if follows and task.due_at != move.case.due_at:
            move.tell(move.put(replace(task, alarms=_dossier_alarms(move, task))), "due")


def _dossier_alarms(move: Move, task: Task) -> Alarms:
    """A step without time of its own has the dossier's."""
    return move.alarms(max(move.case.due_at, move.now), move.calendar(task))


def desk_asked(case: Case, asked: SupplementRequested, around: Circumstances) -> Decision[Case]:
    """The desk itself asked the citizen for papers after reception: the clock stands."""
    if case.state != "live":
        return Decision(note=words.DOSSIER_CLOSED)
    move = Move(case, around)
    respond_by = asked.respond_by  # as intake has told the citizen
    rounds = max(case.rounds, asked.round)
    move.set(rounds=rounds, waiting_papers=True, respond_by=respond_by)
    pause(move)
    return move.finish()


def supplemented(case: Case, brought: DossierSupplemented, around: Circumstances) -> Decision[Case]:
    """The citizen brought what was missing. Whatever round it names, all that waited goes on.

    Papers and form become what intake holds, also after the end: they are intake's.
    """
    move = Move(case, around)
    kept = around.route.shared_fields
    changed = {name: value for name, value in brought.form.items() if name in kept}
    whole = {**case.form, **changed} if brought.form_after is None else brought.form_after
    move.set(
        form={n: value for n, value in whole.items() if n in kept and value is not None},
        papers=_with_papers(case.papers, brought.papers)
        if brought.papers_after is None
        else brought.papers_after,
    )
    if case.state != "live":
        return Decision(move.case, note=words.DOSSIER_CLOSED)
    move.set(
        due_at=brought.due_at or case.due_at,
        waiting_papers=False,
        respond_by=None,
    )
    if not case.waiting_papers:
        move.note = words.NOTHING_WAITED
    go_on(move, changed, brought.papers)
    return move.finish()


def paid(case: Case, payment: DossierPaid, around: Circumstances) -> Decision[Case]:
    """The citizen paid: the payment step is done and the clock goes on."""
    if case.state not in ("live", "resolved"):
        return Decision(note=words.DOSSIER_CLOSED)
    task = case.tasks.get(payment.step)
    if task is None or task.kind != "payment" or not task.is_open:
        return Decision(note=words.NO_SUCH_PAYMENT)
    move = Move(case, around)
    if payment.reference != (task.document or payment.reference):
        _tell_too_late(move, task, payment.amount_vnd)
    move.put(close_payment(task, move.now, payment.amount_vnd))
    move.set(due_at=payment.due_at)
    go_on(move, {}, ())
    return move.finish()


def _tell_too_late(move: Move, payment: Task, amount_vnd: int) -> None:
    """The citizen had paid the old notice when it was corrected: who corrected it is told."""
    said = refusals.ALREADY_PAID.said(amount=words.dong(amount_vnd)).vi
    for code in move.around.route.before[payment.step]:
        asked = move.case.tasks.get(code)
        if asked is not None and asked.amount_vnd is not None:
            move.tell(asked, "due", note=said)


def _with_papers(before: tuple[Paper, ...], new: tuple[Paper, ...]) -> tuple[Paper, ...]:
    """Papers by code, as intake adds them; for a fact of before it stated all that it holds."""
    by_code = {paper.code: paper for paper in before}
    for paper in new:
        old = by_code.get(paper.code)
        by_code[paper.code] = (
            msgspec.structs.replace(
                old, original=old.original + paper.original, copy=old.copy + paper.copy
            )
            if old
            else paper
        )
    return tuple(by_code.values())


def go_on(move: Move, changed: dict[str, Any], papers: tuple[Paper, ...]) -> None:
    """Hand the new data on, start the clocks unless the citizen still owes something, move on."""
    runs = not move.case.waiting_for_citizen
    for before in move.open_tasks():
        goes_on = runs and before.state == "paused"
        task = move.put(_resumed(move, before)) if goes_on else before
        seen = {name: value for name, value in changed.items() if name in move.step(task).shares}
        if seen or papers or (goes_on and before.asked):
            move.tell(task, "supplemented", form=seen, papers=papers)
        elif goes_on:
            move.tell(task, "resumed")
    for task in move.open_tasks():
        if task.pending is not None and not move.case.waiting_for_citizen:
            waiting = move.put(replace(task, pending=None))
            try:
                ask_papers(move, waiting, task.pending)
            except CannotAsk as refused:
                move.deny(waiting, SUPPLEMENT_NEEDED, refused.refusal.vi)
    advance(move)


def _resumed(move: Move, task: Task) -> Task:
    """The task with its clock running: what was left of its time is still left."""
    return replace(
        task,
        state="taken" if task.taken_at is not None else "assigned",
        paused_at=None,
        asked=False,
        alarms=_moved_alarms(move, task),
    )


def _moved_alarms(move: Move, task: Task) -> Alarms | None:
    if task.alarms is None or task.paused_at is None:
        return task.alarms
    step, plan = move.step(task), move.around.route.plan
    if step.budget is None:
        return _dossier_alarms(move, task)
    calendar = move.calendar(task)
    if task.kind == "wait":
        left = calendar.minutes_between(task.paused_at, task.alarms.due_at)
        return Alarms(calendar.add_minutes(move.now, left))
    if task.asked and plan.restart_after_supplement:
        return move.alarms(due(move.now, step.budget, calendar), calendar)
    left = calendar.minutes_between(task.paused_at, task.alarms.due_at)
    if left <= 0:  # it was late when the clock stopped, and late it stays
        return task.alarms
    return move.alarms(calendar.add_minutes(move.now, left), calendar)
