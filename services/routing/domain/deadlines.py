"""The passing of time: warnings, missed deadlines, silence as consent, papers that never came.

Each warning is given exactly once for each deadline. A date ends nothing by itself: intake is told,
or tells, and what it states up to that instant comes before its word. Not here: who looks at the
clock (app.py) and how the next instant is found in the database (storage).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from services.routing.domain import words
from services.routing.domain.answers import close_task
from services.routing.domain.apologies import miss_promise, propose_apology
from services.routing.domain.case import Alarms, Case, Circumstances, Task
from services.routing.domain.journey import advance, stop
from services.routing.domain.move import Move
from services.routing.domain.untaken import repeat
from services.routing.domain.waiting import drop_request
from shared.events.decision import Decision
from shared.events.intake import SilenceConfirmed, SupplementLapsed
from shared.events.routing import DeadlineMissed, DeadlineNear

_RUNNING: Final = ("assigned", "taken")
Warned = TypeVar("Warned", DeadlineMissed, DeadlineNear)


def next_at(case: Case) -> datetime | None:
    """The next instant at which time alone changes something about this case (UTC)."""
    instants = [case.next_at, *(task.next_at for task in case.tasks.values())]
    return min((at for at in instants if at is not None), default=None)


def time_passed(case: Case, around: Circumstances) -> Decision[Case]:
    """Take in everything that time alone has brought about up to now."""
    due = next_at(case)
    if due is None or due > around.now:
        return Decision(note="nothing is due yet")
    move = Move(case, around)
    for task in list(case.tasks.values()):
        repeat(move, task)
        _ring_task(move, move.case.tasks[task.step])
    _ring_dossier(move)
    return move.finish()


def _ring_task(move: Move, task: Task) -> None:
    at = None if task.alarms is None else task.alarms.next_at
    if task.alarms is None or task.state not in _RUNNING or at is None or at > move.now:
        return
    if task.kind == "wait":
        _elapse(move, task)
        return
    step = move.step(task)
    rung, near = _rung(task.alarms, move.now)
    task = move.put(replace(task, alarms=rung))
    asked = task.wish is not None
    if rung.missed:
        task = move.drop_wish(task)
    for at in near:
        move.events.append(_said(move, DeadlineNear, rung, at, task))
    if not rung.missed:
        return
    missed = _said(move, DeadlineMissed, rung, move.now, task)
    # Silence is consent only once intake has said that nothing ended the dossier before.
    # Who was never asked keeps no silence.
    consent = (step.consent_by_silence and task.kind == "task") or None
    move.events.append(msgspec.structs.replace(missed, consent=consent))
    if not consent:
        move.tell(task, "due", note=words.WISH_LAPSED if asked else words.STEP_MISSED)


def _elapse(move: Move, task: Task) -> None:
    """A waiting period is over: nobody answered, nobody was late, what comes after it opens."""
    move.put(
        replace(task, state="answered", closed_by="elapsed", outcome="elapsed", closed_at=move.now)
    )
    move.answered(move.case.tasks[task.step], "elapsed", None)
    advance(move)


def _ring_dossier(move: Move) -> None:
    case = move.case
    if case.next_at is None or case.next_at > move.now:
        return
    if case.alarms is None:
        return
    rung, near = _rung(case.alarms, move.now)
    for at in near:
        move.events.append(_said(move, DeadlineNear, rung, at))
    if rung.missed and not case.alarms.missed:
        rung = replace(rung, apology_at=miss_promise(move, rung.due_at))
    if rung.apology_at is not None and rung.apology_at <= move.now:
        propose_apology(move, rung.due_at)
        rung = replace(rung, apology_at=None)
    move.set(alarms=rung)


def _said(
    move: Move, said: type[Warned], rung: Alarms, at: datetime, task: Task | None = None
) -> Warned:
    return said(
        dossier=move.case.dossier,
        scope="step" if task else "dossier",
        step=task.step if task else None,
        agency=task.agency if task else None,
        task=task.id if task else None,
        due_at=rung.due_at,
        at=at,
    )


def silent(case: Case, confirmed: SilenceConfirmed, around: Circumstances) -> Decision[Case]:
    """Intake has no earlier end: the silence is consent, unless the agency has spoken meanwhile."""
    task = case.task(confirmed.task)
    if task is None or not task.is_open or task.alarms is None:
        return Decision(note=words.ANSWERED_MEANWHILE)
    if not task.alarms.missed or task.alarms.due_at != confirmed.due_at:
        return Decision(note=words.ANSWERED_MEANWHILE)
    move = Move(case, around)
    close_task(move, task, closed_by="silence", outcome="silent_consent", reason=words.SILENCE)
    move.cancelled(task, words.SILENCE)
    advance(move)
    return move.finish()


def lapsed(case: Case, lapse: SupplementLapsed, around: Circumstances) -> Decision[Case]:
    """The papers never came: the branches that asked fail, the others go on as they were.

    Where none of them has its task any more, the whole dossier is given back.
    """
    if case.state != "live":
        return Decision(note=words.DOSSIER_CLOSED)
    if not case.waiting_papers or lapse.round != case.rounds:
        return Decision(note=words.NOTHING_WAITED)
    move = Move(case, around)
    askers = [task for task in move.open_tasks() if task.asked]
    if askers and lapse.step is None:  # the desk's own; an agency had asked in the same instant
        return Decision(note=words.STILL_AWAITED)
    move.set(due_at=lapse.due_at)
    for task in askers:
        close_task(move, task, closed_by="lapsed", outcome="refused", reason=lapse.reason)
        move.cancelled(task, lapse.reason)
    if askers:
        drop_request(move, askers[0].step, lapse.reason)
    else:
        stop(move, lapse.reason)
    return move.finish()


def _rung(alarms: Alarms, now: datetime) -> tuple[Alarms, list[datetime]]:
    """The alarms with those up to `now` given, and the instants of the warnings among them."""
    near = sorted(at for at in (alarms.day_at, alarms.hours_at) if at is not None and at <= now)
    return (
        replace(
            alarms,
            day_at=None if alarms.day_at in near else alarms.day_at,
            hours_at=None if alarms.hours_at in near else alarms.hours_at,
            missed=alarms.missed or alarms.due_at <= now,
        ),
        near,
    )
