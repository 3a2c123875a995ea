"""Looking at one task as its agency may see it. Changes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from services.routing.domain.answers import may_ask_papers, may_correct_sum
from services.routing.domain.case import Case, Task, further_answers
from services.routing.domain.extensions import may_extend
from services.routing.domain.journey import shared_form
from services.routing.domain.plan import Plan, Route, StepPlan
from services.routing.storage import views
from services.routing.usecases.rules import Rules
from shared.catalogue.step import Choice
from shared.kernel.errors import NotFound

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SeenTask:
    """A task with its case and, where the catalogue still knows them, its steps."""

    case: Case
    task: Task
    route: Route | None

    @property
    def plan(self) -> Plan | None:
        """The steps of the procedure version."""
        return None if self.route is None else self.route.plan

    @property
    def step(self) -> StepPlan | None:
        """The step that the task stands for."""
        return None if self.plan is None else self.plan.step(self.task.step)

    @property
    def step_name(self) -> str:
        """What people call it."""
        return self.task.step if self.step is None else self.step.name

    @property
    def form(self) -> Mapping[str, Any]:
        """What the step shares; nothing any more once the task is closed."""
        return shared_form(self.case, self.step) if self.step and self.task.is_open else {}

    @property
    def overtaken(self) -> tuple[str, ...]:
        """Fields that the desk has corrected since the agency answered on them."""
        closed_at, shares = self.task.closed_at, self.step.shares if self.step else ()
        if self.task.state != "answered" or closed_at is None:
            return ()
        corrected = self.case.corrected
        return tuple(name for name in shares if name in corrected and corrected[name] >= closed_at)

    @property
    def results(self) -> tuple[str, ...]:
        """The result codes that a completion may carry."""
        return () if self.step is None else self.step.results

    @property
    def branches(self) -> tuple[Choice, ...]:
        """The ways on, of which whoever grants it must choose one."""
        return () if self.step is None else self.step.chooses

    @property
    def may_extend(self) -> bool:
        """Whether the agency may still ask for more time."""
        asked = self.task.wish is not None
        return self.step is not None and not asked and may_extend(self.task, self.step)

    @property
    def may(self) -> tuple[str, ...]:
        """What it may be answered beside the usual; nothing any more once the task is closed."""
        there = self.step if self.task.is_open else None
        return () if there is None else further_answers(self.case, there)

    @property
    def back_to(self) -> str:
        """The name of the step to which it may be sent back."""
        back = self.step.back if self.step else None
        found = self.plan.step(back.to) if self.plan and back else None
        return "" if found is None else found.name

    @property
    def may_ask(self) -> bool:
        """Whether asking the citizen for papers would be passed on now."""
        step, plan = self.step, self.plan
        return bool(step and plan and may_ask_papers(self.case, self.task, step, plan))

    @property
    def sets_amount(self) -> bool:
        """Whether the citizen pays next what this step works out."""
        return self.route is not None and self.route.leads_to_payment(self.task.step)

    @property
    def may_correct_sum(self) -> bool:
        """Whether the agency may still name another sum than it has told the citizen."""
        return self.route is not None and may_correct_sum(self.case, self.task, self.route)


def task_of(connection: sa.Connection, rules: Rules, agency: str, task_id: str) -> SeenTask:
    """A task of this agency; NotFound for any other, there or not."""
    found = None if not_an_id(task_id) else views.task_case(connection, agency, task_id)
    if found is None:
        raise no_such_task()
    case, task = found
    procedure, version = case.procedure.code, case.version
    if rules.plan(procedure, version) is None:
        return SeenTask(case, task, None)
    kind = (case.ways, case.channel or "", case.form)
    return SeenTask(case, task, rules.route(procedure, version, *kind))


def not_an_id(text: str) -> bool:
    """Whether this can be no task's id; then no database is asked for it."""
    return _ID.fullmatch(text) is None


def no_such_task() -> NotFound:
    """There is no such task, or it is another agency's."""
    return NotFound("there is no such task", vi="Không có nhiệm vụ này.")
