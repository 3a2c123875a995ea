"""The coordination list of an office: steps that no agency has, and naming who does one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from services.routing.domain.case import Case, Task
from services.routing.domain.refusals import UNKNOWN_TASK, Refusal
from services.routing.domain.transfers import place
from services.routing.storage import placing
from services.routing.storage.cases import Cases
from services.routing.usecases.answer import NotApplied
from services.routing.usecases.look import not_an_id
from services.routing.usecases.rules import Rules
from shared.database import UnitOfWork
from shared.events.parts import Agency, Step
from shared.messaging.handling import keep


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step that waits for the head's decision; `before` are its tasks so far, the latest first."""

    case: Case
    task: Task
    step: Step
    before: tuple[Task, ...]
    fitting: tuple[Agency, ...]  # hold the step's role
    others: tuple[Agency, ...]

    @property
    def named(self) -> Agency | None:
        """Whom the last agency said is competent."""
        code = self.before[0].named if self.before else None
        known = (each for each in (*self.fitting, *self.others) if each.code == code)
        return next(known, None)


def waiting(
    connection: sa.Connection, rules: Rules, office: str, now: datetime, limit: int
) -> list[Waiting]:
    """What waits for this office's head, the longest waiting first."""
    found = placing.waiting(connection, office, limit)
    return [_waiting(rules, case, task, now) for case, task in found]


def _waiting(rules: Rules, case: Case, task: Task, now: datetime) -> Waiting:
    plan = rules.plan(case.procedure.code, case.version)
    step = None if plan is None else plan.step(task.step)
    fitting, others = recipients(rules, case, step.role if step else "", now)
    gone = (t for t in case.handed_on.values() if t.is_handed_on)
    before = sorted((t for t in gone if t.step == task.step), key=_number)
    name = Step(code=task.step, name=task.step) if step is None else step.part
    return Waiting(case, task, name, tuple(reversed(before)), fitting, others)


def _number(task: Task) -> int:
    return task.number


def recipients(
    rules: Rules, case: Case, role: str, now: datetime
) -> tuple[tuple[Agency, ...], tuple[Agency, ...]]:
    """Agencies of today that hold a role, and all the others."""
    directory = rules.directory(case.office, now)
    every = directory.every()
    fitting = tuple(each for each in every if directory.holds(each.code, role))
    return fitting, tuple(each for each in every if each not in fitting)


def place_step(
    uow: UnitOfWork, rules: Rules, office: str, task_id: str, agency: str, word: str
) -> Task:
    """The head of `office` names who does a step; the task as it is then.

    The same again is harmless. NotApplied where it is not this office's, or waits no more.
    """
    cases = uow.get(Cases)
    case = None if not_an_id(task_id) else cases.of_task(task_id)
    if case is None or case.office.code != office:
        raise NotApplied(UNKNOWN_TASK)
    verdict = place(case, task_id, agency, word, rules.for_case(case, uow.now, uow.ids.new))
    if isinstance(verdict, Refusal):
        raise NotApplied(verdict)
    keep(uow, cases, verdict)
    placed = (verdict.state or case).task(task_id)
    assert placed is not None, "it was found above"
    return placed
