"""One change of a case while it is being worked out.

`Move` is a local draft: it collects the changed tasks, facts and orders of one pure call and is
never kept. Here live the small moves that all the others are made of; not here: what sets them
off (journey.py, answers.py, standstill.py, deadlines.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from services.routing.domain import facts as f
from services.routing.domain.case import Alarms, Case, Setting, Task
from services.routing.domain.plan import StepPlan
from shared.kernel.calendar import WorkingCalendar

NEAR_DAY: Final = timedelta(hours=24)  # early warnings: 24 h and 4 working hours before due
NEAR_WORKING_MINUTES: Final = 4 * 60


@dataclass(frozen=True, slots=True)
class Change:
    """What a move comes to. `note` says why nothing, or not all that was asked, was done."""

    case: Case
    facts: tuple[f.Fact, ...] = ()
    orders: tuple[f.Order, ...] = ()
    note: str | None = None
    changed: bool = True


def nothing(case: Case, note: str) -> Change:
    """The move did not fit: the case stands as it stood, and the note says why."""
    return Change(case, note=note, changed=False)


def alarms(start: datetime, due_at: datetime, calendar: WorkingCalendar) -> Alarms:
    """The deadline with the warnings that still make sense when the clock starts at `start`."""
    day_at = due_at - NEAR_DAY
    hours_at = _working_minutes_before(due_at, start, calendar)
    return Alarms(
        due_at=due_at,
        day_at=day_at if day_at > start else None,
        hours_at=hours_at if hours_at is not None and start < hours_at < due_at else None,
    )


def _working_minutes_before(
    due_at: datetime, start: datetime, calendar: WorkingCalendar
) -> datetime | None:
    """Four working hours before `due_at`, None where they begin before `start`.

    Counted from a few days before the deadline: from the start it costs a walk over all the weeks.
    """
    for days in (2, 6, 0):
        base = max(start, due_at - timedelta(days=days)) if days else start
        spare = calendar.minutes_between(base, due_at) - NEAR_WORKING_MINUTES
        if spare > 0:
            return calendar.add_minutes(base, spare)
        if base == start:
            break
    return None


class Move:
    """A draft of the next case; see the module's words."""

    def __init__(self, case: Case, setting: Setting, now: datetime) -> None:
        self.case = case
        self.setting = setting
        self.now = now
        self.facts: list[f.Fact] = []
        self.orders: list[f.Order] = []
        self.note: str | None = None

    def set(self, **changes: Any) -> None:
        """Change attributes of the case."""
        self.case = replace(self.case, **changes)

    def put(self, task: Task) -> Task:
        """Keep a new or changed task."""
        self.case = replace(self.case, tasks={**self.case.tasks, task.step: task})
        return task

    def step(self, task: Task) -> StepPlan:
        """The plan of the step that a task stands for."""
        return self.setting.route.index[task.step]

    def office_calendar(self) -> WorkingCalendar:
        """The calendar of the office that made the promise."""
        return self.setting.directory.calendar(self.case.office.code)

    def open_tasks(self) -> list[Task]:
        """The tasks that agencies still owe an answer, in the order they were opened."""
        return [t for t in self.case.tasks.values() if t.is_open and t.kind == "task"]

    def tell(
        self,
        task: Task,
        change: Any,
        *,
        note: str | None = None,
        form: dict[str, Any] | None = None,
        papers: tuple[Any, ...] = (),
    ) -> None:
        """Order: something about this task is new."""
        self.orders.append(
            f.TaskChanged(
                task=task.id,
                dossier=self.case.dossier,
                agency=task.agency.code,
                change=change,
                due_at=None if task.state == "paused" else task.due_at,
                changed_at=self.now,
                note=note,
                form=form or {},
                papers=papers,
            )
        )

    def answered(self, task: Task, answer: str, reason: str | None) -> None:
        """Fact: an agency's answer was taken in (outcome None while the task stays open)."""
        self.facts.append(
            f.StepAnswered(
                dossier=self.case.dossier,
                step=self.step(task).ref,
                agency=task.agency,
                task=task.id,
                answer=answer,
                outcome=task.outcome,
                result_code=task.result_code,
                document=task.document,
                reason=reason,
                late=task.late if task.closed_at else self.is_late(task),
                answered_at=self.now,
            )
        )

    def deny(self, task: Task, answer: str, note: str) -> None:
        """The agency asked for what it cannot have: tell it, keep it in the timeline, go on."""
        self.note = note
        self.tell(task, "paused" if task.state == "paused" else "due", note=note)
        self.answered(task, answer, note)

    def is_late(self, task: Task) -> bool:
        """Whether the deadline has passed; a task that stands is not late."""
        due_at = task.due_at
        return task.state != "paused" and due_at is not None and self.now > due_at

    def cancel_open(self, reason: str) -> None:
        """Close every open task without an answer and tell whoever had it."""
        for task in [t for t in self.case.tasks.values() if t.is_open]:
            self.put(replace(task, state="cancelled", closed_at=self.now, pending=None))
            if task.kind == "task":
                self.cancelled(task, reason)

    def cancelled(self, task: Task, reason: str) -> None:
        """Order: nobody waits for this any more."""
        self.orders.append(
            f.TaskCancelled(task.id, self.case.dossier, task.agency.code, reason, self.now)
        )

    def finish(self) -> Change:
        """The worked-out change, with the dossier's own clock brought up to date."""
        if self.case.state == "live":
            self._tell_outside_time()
            due_at = self.case.due_at
            if self.case.alarms is None or self.case.alarms.due_at != due_at:
                self.set(alarms=alarms(self.now, due_at, self.office_calendar()))
        return Change(self.case, tuple(self.facts), tuple(self.orders), self.note)

    def _tell_outside_time(self) -> None:
        """State when the first step outside the legal time opens and when the last has ended.

        What that does to the promised date is worked out by intake, which answers with the date.
        """
        outside = [task for task in self.open_tasks() if self.step(task).outside_clock]
        dossier, since = self.case.dossier, self.case.outside_since
        if outside and since is None:
            self.set(outside_since=self.now)
            first = outside[0]
            self.facts.append(f.ClockStopped(dossier, self.step(first).ref, first.agency, self.now))
        elif not outside and since is not None:
            self.set(outside_since=None, dates_owed=self.case.dates_owed + 1)
            self.facts.append(f.ClockResumed(dossier, self.now))
