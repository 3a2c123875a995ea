"""The clock stops and goes on: papers asked of the citizen, payments, and what comes back.

The dossier's own date is computed by intake and carried in its facts; here the tasks' deadlines
move. Not here: when steps open (journey.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.routing.domain import facts as f
from services.routing.domain import words
from services.routing.domain.case import Alarms, Case, PapersWanted, Setting, Task
from services.routing.domain.journey import advance, close_payment, pause
from services.routing.domain.move import Change, Move, alarms, nothing
from shared.kernel.calendar import due

SUPPLEMENT_NEEDED = "supplement_needed"


def ask_papers(move: Move, task: Task, wanted: PapersWanted) -> None:
    """Ask the citizen for an agency's missing papers, if the rounds allow; the clock stops."""
    limit = move.setting.route.plan.max_supplement_rounds
    if limit is not None and move.case.rounds >= limit:
        move.deny(task, SUPPLEMENT_NEEDED, words.ROUNDS_USED.format(limit=limit))
        return
    respond_by = wanted.respond_by
    if respond_by is not None and respond_by <= move.now:
        respond_by = None  # a date gone by cannot bind the citizen
    move.put(replace(task, asked=True, pending=None))
    move.set(rounds=move.case.rounds + 1, waiting_papers=True, respond_by=respond_by)
    pause(move)
    move.facts.append(
        f.SupplementRequested(
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


def drop_request(move: Move, step: str | None, reason: str) -> None:
    """Nobody waits for the citizen's papers any more: say so and let the clocks go on.

    Not said where the dossier comes to its end with that: the citizen is told of the end alone.
    """
    dropped = f.SupplementDropped(move.case.dossier, move.case.rounds, step, reason, move.now)
    move.facts.append(dropped)
    owed = move.case.dates_owed + 1
    move.set(waiting_papers=False, respond_by=None, dates_owed=owed)
    go_on(move, {}, ())
    if move.case.state != "live":
        move.facts.remove(dropped)


def dated(case: Case, setting: Setting, now: datetime, *, due_at: datetime, owed: bool) -> Change:
    """Intake stated the date in force; `owed` where it answers what routing had told it."""
    if case.state != "live":
        return nothing(case, words.DOSSIER_CLOSED)
    move = Move(case, setting, now)
    move.set(due_at=due_at, dates_owed=max(0, case.dates_owed - 1) if owed else case.dates_owed)
    for task in move.open_tasks():
        step = move.step(task)
        follows = step.budget is None and not step.after_result and task.state != "paused"
        if follows and task.due_at != due_at:
            move.tell(move.put(replace(task, alarms=_dossier_alarms(move, task))), "due")
    return move.finish()


def _dossier_alarms(move: Move, task: Task) -> Alarms:
    """A step without time of its own has the dossier's."""
    calendar = move.setting.directory.calendar(task.agency.code)
    return alarms(move.now, max(move.case.due_at, move.now), calendar)


def desk_asked(
    case: Case, setting: Setting, round_number: int, respond_by: datetime | None, now: datetime
) -> Change:
    """The desk itself asked the citizen for papers after reception: the clock stands."""
    if case.state != "live":
        return nothing(case, words.DOSSIER_CLOSED)
    move = Move(case, setting, now)
    if respond_by is not None and respond_by <= now:
        respond_by = None
    rounds = max(case.rounds, round_number)
    move.set(rounds=rounds, waiting_papers=True, respond_by=respond_by)
    pause(move)
    return move.finish()


def supplemented(
    case: Case,
    setting: Setting,
    now: datetime,
    *,
    form: Mapping[str, Any],
    papers: tuple[Mapping[str, Any], ...],
    due_at: datetime | None,
) -> Change:
    """The citizen brought what was missing. Whatever round it names, all that waited goes on."""
    if case.state != "live":
        return nothing(case, words.DOSSIER_CLOSED)
    move = Move(case, setting, now)
    kept = setting.route.shared_fields
    changed = {name: value for name, value in form.items() if name in kept}
    move.set(
        form={**case.form, **changed},
        papers=_with_papers(case.papers, papers),
        due_at=due_at or case.due_at,
        waiting_papers=False,
        respond_by=None,
    )
    if not case.waiting_papers:
        move.note = words.NOTHING_WAITED
    go_on(move, changed, papers)
    return move.finish()


def paid(
    case: Case,
    setting: Setting,
    now: datetime,
    *,
    step: str,
    amount_vnd: int,
    due_at: datetime,
) -> Change:
    """The citizen paid: the payment step is done and the clock goes on."""
    if case.state not in ("live", "resolved"):
        return nothing(case, words.DOSSIER_CLOSED)
    task = case.tasks.get(step)
    if task is None or task.kind != "payment" or not task.is_open:
        return nothing(case, words.NO_SUCH_PAYMENT)
    move = Move(case, setting, now)
    move.put(close_payment(task, now, amount_vnd))
    move.set(due_at=due_at)
    go_on(move, {}, ())
    return move.finish()


def _with_papers(
    before: tuple[Mapping[str, Any], ...], new: tuple[Mapping[str, Any], ...]
) -> tuple[Mapping[str, Any], ...]:
    """Papers by code, the newer counts in the older place."""
    by_code = {paper.get("code"): paper for paper in before}
    by_code.update((paper.get("code"), paper) for paper in new)
    return tuple(by_code.values())


def go_on(move: Move, changed: dict[str, Any], papers: tuple[Mapping[str, Any], ...]) -> None:
    """Hand the new data on, start the clocks unless the citizen still owes something, move on."""
    runs = not move.case.standing
    for before in move.open_tasks():
        goes_on = runs and before.state == "paused"
        task = move.put(_resumed(move, before)) if goes_on else before
        seen = {name: value for name, value in changed.items() if name in move.step(task).shares}
        if seen or papers or (goes_on and before.asked):
            move.tell(task, "supplemented", form=seen, papers=papers)
        elif goes_on:
            move.tell(task, "resumed")
    for task in move.open_tasks():
        if task.pending is not None and not move.case.standing:
            ask_papers(move, move.put(replace(task, pending=None)), task.pending)
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
    step, plan = move.step(task), move.setting.route.plan
    if step.budget is None:
        return _dossier_alarms(move, task)
    calendar = move.setting.directory.calendar(task.agency.code)
    if task.asked and plan.restart_after_supplement and step.budget is not None:
        return alarms(move.now, due(move.now, step.budget, calendar), calendar)
    left = calendar.minutes_between(task.paused_at, task.alarms.due_at)
    if left <= 0:  # it was late when the clock stopped, and late it stays
        return task.alarms
    return alarms(move.now, calendar.add_minutes(move.now, left), calendar)
