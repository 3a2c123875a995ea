"""One change of a case while it is being worked out.

`Move` is a local draft: it collects the changed tasks and the events of one pure call and is never
kept. Here live the small moves that all the others are made of; not here: what sets them off
(journey.py, answers.py, waiting.py, deadlines.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from services.routing.domain.case import Alarms, Case, Circumstances, DateRules, Task
from services.routing.domain.plan import StepPlan, route
from shared.events.agencies import TaskCancelled, TaskChanged
from shared.events.decision import Decision
from shared.events.event import Event
from shared.events.parts import Paper
from shared.events.routing import ClockResumed, ClockStopped, ExtensionDropped, StepAnswered
from shared.kernel.calendar import Duration, WorkingCalendar, before


def alarms(
    start: datetime, due_at: datetime, calendar: WorkingCalendar, rules: DateRules
) -> Alarms:
    """The deadline with the warnings that still make sense when the clock starts at `start`."""

    def warned(rest: Duration | None) -> datetime | None:
        at = None if rest is None else before(due_at, rest, calendar, start)
        return at if at is not None and at < due_at else None

    return Alarms(due_at=due_at, day_at=warned(rules.near), hours_at=warned(rules.soon))


class Move:
    """A draft of the next case; see the module's words."""

    def __init__(self, case: Case, around: Circumstances) -> None:
        self.case = case
        self.around = around
        self.now = around.now
        self.events: list[Event] = []
        self.note: str | None = None

    def set(self, **changes: Any) -> None:
        """Change attributes of the case."""
        self.case = replace(self.case, **changes)

    def put(self, task: Task) -> Task:
        """Keep a new or changed task."""
        self.case = replace(self.case, tasks={**self.case.tasks, task.step: task})
        return task

    def follow(self, task: Task, after: Task) -> Task:
        """Keep that a step's task was handed on, and the one that stands for the step now."""
        self.case = replace(self.case, handed_on={**self.case.handed_on, task.id: task})
        return self.put(after)

    def undo(self, task: Task) -> Task:
        """Keep that what was done for a step counts no more: no task stands for the step now."""
        done = replace(task, undone=True)
        left = {step: each for step, each in self.case.tasks.items() if step != task.step}
        self.case = replace(self.case, tasks=left, handed_on={**self.case.handed_on, task.id: done})
        return done

    def lay_out(self) -> None:
        """Go by the branches that are chosen now."""
        plan = self.around.route.plan
        self.around = replace(self.around, route=route(plan, self.case.ways))

    def number(self, step: str) -> int:
        """The number of the next task of a step that no task stands for."""
        before = (t.number for t in self.case.handed_on.values() if t.step == step)
        return 1 + max(before, default=0)

    def place(self, step: StepPlan) -> str | None:
        """The ward whose agency is competent for a step, by name; None: the receiving office's."""
        return None if step.place is None else self.case.form.get(step.place)

    def step(self, task: Task) -> StepPlan:
        """The plan of the step that a task stands for, or stood for on a way that was left."""
        found = self.around.route.plan.step(task.step)
        assert found is not None, "a case keeps to its version's steps"
        return found

    def calendar(self, task: Task) -> WorkingCalendar:
        """The calendar of the agency that has a task."""
        return self.around.directory.calendar(task.agency.code)

    def office_calendar(self) -> WorkingCalendar:
        """The calendar of the office that made the promise."""
        return self.around.directory.calendar(self.case.office.code)

    def alarms(
        self, due_at: datetime, calendar: WorkingCalendar, start: datetime | None = None
    ) -> Alarms:
        """A deadline by the city's rules, from `start` (now) on."""
        return alarms(start or self.now, due_at, calendar, self.around.directory.dates())

    def open_tasks(self) -> list[Task]:
        """The tasks that agencies still owe an answer, or that must be placed, as they were opened."""
        return [t for t in self.case.tasks.values() if t.is_open and t.kind != "payment"]

    def tell(
        self,
        task: Task,
        change: Literal["paused", "resumed", "supplemented", "due"],
        *,
        note: str | None = None,
        form: dict[str, Any] | None = None,
        papers: tuple[Paper, ...] = (),
        corrected: bool | None = None,
    ) -> None:
        """Tell the agency: something about this task is new."""
        if task.kind != "task":
            return  # no agency has it
        self.events.append(
            TaskChanged(
                task=task.id,
                dossier=self.case.dossier,
                agency=task.agency.code,
                change=change,
                due_at=None if task.state == "paused" else task.due_at,
                form=form or {},
                papers=papers,
                papers_after=self.case.papers if papers else None,
                note=note,
                changed_at=self.now,
                corrected=corrected,
            )
        )

    def answered(
        self, task: Task, answer: str, reason: str | None, *, rule: str | None = None
    ) -> None:
        """An agency's answer was taken in (outcome None while the task stays open).

        With a `rule` it was not: then it has ended nothing, whatever the task holds.
        """
        self.events.append(
            StepAnswered(
                dossier=self.case.dossier,
                step=self.step(task).part,
                agency=task.agency,
                task=task.id,
                answer=answer,
                outcome=None if rule else task.verdict,
                result_code=None if rule else task.result_code,
                document=None if rule else task.document,
                reason=reason,
                late=task.late if task.closed_at else self.is_late(task),
                answered_at=self.now,
                rule=rule,
            )
        )

    def deny(self, task: Task, answer: str, note: str) -> None:
        """The agency asked for what it cannot have: tell it, keep it in the timeline, go on."""
        self.tell(task, "paused" if task.state == "paused" else "due", note=note)
        self.answered(task, answer, note)

    def drop_wish(self, task: Task) -> Task:
        """Nobody asks for more time for it any more, if anybody did."""
        if task.wish is None:
            return task
        self.events.append(
            ExtensionDropped(dossier=self.case.dossier, task=task.id, dropped_at=self.now)
        )
        return self.put(replace(task, wish=None))

    def is_late(self, task: Task) -> bool:
        """Whether the deadline has passed; a task that stands is not late."""
        due_at = task.due_at
        return task.state != "paused" and due_at is not None and self.now > due_at

    def cancel_open(self, reason: str) -> None:
        """Close every open task without an answer and tell whoever had it."""
        for each in [t for t in self.case.tasks.values() if t.is_open]:
            task = self.drop_wish(each)
            self.put(replace(task, state="cancelled", closed_at=self.now, pending=None))
            self.cancelled(task, reason)

    def cancelled(self, task: Task, reason: str) -> None:
        """Tell the agency, if one has it: nobody waits for this any more."""
        if task.kind != "task":
            return
        self.events.append(
            TaskCancelled(
                task=task.id,
                dossier=self.case.dossier,
                agency=task.agency.code,
                reason=reason,
                cancelled_at=self.now,
            )
        )

    def finish(self) -> Decision[Case]:
        """What was worked out, with the dossier's own clock brought up to date.

        A note beside a change says why not all that was asked was done.
        """
        if self.case.state == "live":
            self._tell_pausing_steps()
            due_at = self.case.due_at
            if self.case.alarms is None or self.case.alarms.due_at != due_at:
                self.set(alarms=self.alarms(due_at, self.office_calendar()))
        return Decision(self.case, tuple(self.events), self.note)

    def _tell_pausing_steps(self) -> None:
        """State when the first step outside the legal time opens and when the last has ended.

        What that does to the promised date is worked out by intake, which answers with the date.
        """
        pausing = [task for task in self.open_tasks() if self.step(task).pauses_clock]
        dossier, since = self.case.dossier, self.case.clock_stopped_at
        if pausing and since is None:
            self.set(clock_stopped_at=self.now)
            step, agency = self.step(pausing[0]).part, pausing[0].agency
            self.events.append(
                ClockStopped(dossier=dossier, step=step, agency=agency, stopped_at=self.now)
            )
        elif not pausing and since is not None:
            self.set(clock_stopped_at=None, dates_awaited=self.case.dates_awaited + 1)
            self.events.append(ClockResumed(dossier=dossier, resumed_at=self.now))
