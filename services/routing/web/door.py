"""What both the API and the pages do for the agency that calls: read its tasks, take its answers.

Every look-up names the agency of the key, so another agency's task is not found. Not here: what a
reply or a page looks like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.routing.domain.case import Case, Task
from services.routing.domain.journey import shared_form
from services.routing.storage import views
from services.routing.storage.answers import GivenAnswer
from services.routing.usecases.answer import Admit, Given, take_request
from services.routing.usecases.rules import Rules
from shared.database import Store
from shared.kernel.actor import Actor
from shared.kernel.errors import NotFound

TASKS_SOURCE: Final = "/routing/tasks"
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SeenTask:
    """A task as its agency may see it; `form` is empty once the task is closed."""

    case: Case
    task: Task
    step_name: str
    form: Mapping[str, Any] = field(repr=False)
    results: tuple[str, ...]
    may_extend: bool
    may_ask: bool
    sets_amount: bool


@dataclass(frozen=True, slots=True)
class Door:
    """The use cases and views of one service, for one agency at a time."""

    store: Store
    rules: Rules
    admit: Admit

    def agency_name(self, agency: str) -> str:
        """What people call an agency; its code where the catalogue does not know it."""
        try:
            return self.rules.catalogue.agency(agency).name
        except NotFound:
            return agency

    def task(self, agency: str, task_id: str) -> SeenTask:
        """A task of this agency; NotFound for any other, there or not."""
        found = None
        if _ID.fullmatch(task_id):
            with self.store.read() as connection:
                found = views.task_case(connection, agency, task_id)
        if found is None:
            raise NotFound("there is no such task", vi="Không có nhiệm vụ này.")
        case, task = found
        step = self.rules.step(case.procedure.code, case.version, task.step)
        shared = shared_form(case, step) if step is not None and task.is_open else {}
        limit = self.rules.supplement_rounds(case.procedure.code, case.version)
        procedure, version = case.procedure.code, case.version
        return SeenTask(
            case=case,
            task=task,
            step_name=step.name if step is not None else task.step,
            form=shared,
            results=step.results if step is not None else (),
            may_extend=step is not None and task.extensions < step.max_extensions,
            may_ask=task.state != "paused"
            and step is not None
            and not step.after_result
            and (limit is None or case.rounds < limit),
            sets_amount=self.rules.leads_to_payment(procedure, version, task.step),
        )

    def lines(
        self, agency: str, states: tuple[str, ...], limit: int, *, newest: bool = False
    ) -> list[views.TaskLine]:
        """Tasks of this agency in these states, the first due (or the newest) first."""
        with self.store.read() as connection:
            return views.task_lines(connection, agency, states, limit, newest=newest)

    def handed_over(self, agency: str, after: int, limit: int) -> views.Handed:
        """The task messages of this agency with a number above `after`."""
        with self.store.read() as connection:
            return views.handed_over(connection, f"{TASKS_SOURCE} {agency}", after, limit)

    def answer(self, given: Given) -> GivenAnswer:
        """Take an answer; the same answer again gets the same reply."""
        if not _ID.fullmatch(given.task):
            raise NotFound("there is no such task", vi="Không có nhiệm vụ này.")
        with self.store.begin(Actor("agency", given.agency)) as uow:
            return take_request(uow, self.rules, self.admit, given)

    def step_name(self, line: views.TaskLine) -> str:
        """The name of the step that a line's task stands for."""
        step = self.rules.step(line.procedure_code, line.version, line.task.step)
        return line.task.step if step is None else step.name

    def labels(self, case: Case) -> dict[str, str]:
        """The Vietnamese labels of the form fields of a case's procedure."""
        return self.rules.labels(case.procedure.code, case.version)
