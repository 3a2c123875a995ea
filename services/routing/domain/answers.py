"""What agencies answer, and what each answer does to the journey.

Total: an answer that does not fit the state of its task changes nothing and says so. Not here:
whether the answer really comes from that agency (usecases), or its wire form (messaging, web).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from services.routing.domain import facts as f
from services.routing.domain import words
from services.routing.domain.case import Case, PapersWanted, Setting, Task
from services.routing.domain.journey import advance
from services.routing.domain.move import Change, Move, alarms, nothing
from services.routing.domain.standstill import SUPPLEMENT_NEEDED, ask_papers, drop_request
from shared.kernel.calendar import due
from shared.kernel.errors import MissingCalendar

MORE_TIME: Final = "more_time_needed"
# How a step ended, in the words of the facts.
_SAID: Final = {
    "completed": "completed",
    "refused": "refused",
    "silence": "silent",
    "lapsed": "refused",
    "paid": "completed",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """We have it."""

    task: str
    officer: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Completed:
    """Done, one way or the other."""

    task: str
    outcome: Literal["granted", "refused"]
    result_code: str | None = None
    document: str | None = None
    reason: str | None = None
    amount_vnd: int | None = None


@dataclass(frozen=True, slots=True)
class SupplementNeeded:
    """The citizen must bring something."""

    task: str
    items: tuple[str, ...]
    reason: str
    respond_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Not ours, or it cannot be done."""

    task: str
    reason: str


@dataclass(frozen=True, slots=True)
class MoreTimeNeeded:
    """We shall be late; `until` is the new deadline (UTC)."""

    task: str
    reason: str
    until: datetime


Answer = Taken | Completed | SupplementNeeded | Refused | MoreTimeNeeded


def apply_answer(case: Case, answer: Answer, setting: Setting, now: datetime) -> Change:
    """Take an agency's answer into the journey."""
    task = case.task(answer.task)
    if task is None:
        return nothing(case, words.UNKNOWN_TASK)
    if task.kind == "payment":
        return nothing(case, words.NOT_OURS)
    if task.state == "answered":
        return nothing(case, words.ALREADY_ANSWERED)
    if task.state == "cancelled":
        return nothing(case, words.ALREADY_CANCELLED)
    return _MOVES[type(answer)](Move(case, setting, now), task, answer)


def _take(move: Move, task: Task, answer: Taken) -> Change:
    if task.taken_at is not None:
        return nothing(move.case, words.ALREADY_TAKEN)
    taken = replace(task, taken_at=move.now, officer=answer.officer)
    move.put(taken if task.state == "paused" else replace(taken, state="taken"))
    return move.finish()


def _complete(move: Move, task: Task, answer: Completed) -> Change:
    allowed = move.step(task).results
    granted = answer.outcome == "granted"
    code = answer.result_code
    if code is None and granted and len(allowed) == 1:
        code = allowed[0]
    if not granted and not answer.reason:
        return _denied(move, task, "completed", words.REASON_MISSING)
    if code is not None and allowed and code not in allowed:
        return _denied(move, task, "completed", words.UNKNOWN_RESULT)
    return _closed(
        move,
        task,
        closed_by="completed",
        outcome=answer.outcome,
        result_code=code,
        document=answer.document,
        reason=answer.reason,
        amount_vnd=answer.amount_vnd,
    )


def _refuse(move: Move, task: Task, answer: Refused) -> Change:
    return _closed(move, task, closed_by="refused", outcome="refused", reason=answer.reason)


def _closed(move: Move, task: Task, **outcome: Any) -> Change:
    """The step has ended: its followers open, or its branch ends here with a reason."""
    close_task(move, task, **outcome)
    if task.asked and move.case.waiting_papers and not any(t.asked for t in move.open_tasks()):
        drop_request(move, task.step, words.DECIDED_WITHOUT)
    else:
        advance(move)
    return move.finish()


def close_task(move: Move, task: Task, **outcome: Any) -> None:
    """Keep how a task ended, and state it."""
    late = move.is_late(task)
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


def _denied(move: Move, task: Task, answer: str, note: str) -> Change:
    move.deny(task, answer, note)
    return move.finish()


def _want_papers(move: Move, task: Task, answer: SupplementNeeded) -> Change:
    if move.step(task).after_result or move.case.state != "live":
        return _denied(move, task, SUPPLEMENT_NEEDED, words.AFTER_RESULT)
    if task.asked or task.pending is not None:
        return nothing(move.case, words.ALREADY_ASKED)
    if not answer.items:
        return _denied(move, task, SUPPLEMENT_NEEDED, words.ITEMS_MISSING)
    wanted = PapersWanted(answer.items, answer.reason, answer.respond_by)
    if move.case.standing:
        waiting = move.put(replace(task, pending=wanted))
        move.deny(waiting, SUPPLEMENT_NEEDED, words.WAITS_ITS_TURN)
    else:
        ask_papers(move, task, wanted)
    return move.finish()


def _want_time(move: Move, task: Task, answer: MoreTimeNeeded) -> Change:
    step = move.step(task)
    if answer.until <= move.now or (task.due_at is not None and answer.until <= task.due_at):
        return _denied(move, task, MORE_TIME, words.UNTIL_TOO_EARLY)
    if task.extensions >= step.max_extensions:
        limit = step.max_extensions
        return _denied(move, task, MORE_TIME, words.EXTENSIONS_USED.format(limit=limit))
    try:
        moved = _with_more_time(move, task, answer.until)
    except MissingCalendar:
        return _denied(move, task, MORE_TIME, words.NO_CALENDAR)
    move.put(moved)
    move.tell(moved, "paused" if moved.state == "paused" else "due", note=words.NEW_DUE)
    move.answered(moved, MORE_TIME, answer.reason)
    counted = not (step.after_result or step.outside_clock)
    if move.case.state == "live" and counted and answer.until > move.case.due_at:
        _extend_promise(move, moved, answer)
    return move.finish()


def _with_more_time(move: Move, task: Task, until: datetime) -> Task:
    calendar = move.setting.directory.calendar(task.agency.code)
    begins = move.now if task.paused_at is None else task.paused_at
    _end_of_journey(move, task.step, until)  # refuses a year that has no calendar
    return replace(task, extensions=task.extensions + 1, alarms=alarms(begins, until, calendar))


def _extend_promise(move: Move, task: Task, answer: MoreTimeNeeded) -> None:
    """The promise cannot be kept: apologise with a date that the steps still to come can keep."""
    new_due = _end_of_journey(move, task.step, answer.until)
    number = move.case.extensions + 1
    move.set(extensions=number, due_at=new_due)
    move.facts.append(
        f.DossierExtended(
            dossier=move.case.dossier,
            agency=task.agency,
            reason=answer.reason,
            promised_at=move.case.promised_at,
            due_at=new_due,
            extended_at=move.now,
            number=number,
        )
    )


def _end_of_journey(move: Move, step_code: str, until: datetime) -> datetime:
    """When the last counted step after `step_code` would end if each took its whole budget."""
    route, calendar = move.setting.route, move.office_calendar()
    ends = {step_code: until}
    for step in route.steps:
        begins = [ends[code] for code in route.before[step.code] if code in ends]
        if begins and not step.after_result and step.code not in move.case.tasks:
            start = max(begins)
            timed = step.budget is not None and not step.outside_clock
            ends[step.code] = due(start, step.budget, calendar) if timed and step.budget else start
    return max(ends.values())


_MOVES: Final[dict[type[Any], Callable[[Move, Task, Any], Change]]] = {
    Taken: _take,
    Completed: _complete,
    SupplementNeeded: _want_papers,
    Refused: _refuse,
    MoreTimeNeeded: _want_time,
}
