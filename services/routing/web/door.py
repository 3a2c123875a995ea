"""What both the API and the pages do for the agency that calls: read its tasks, take its answers.

Every look-up names the agency of the key, so another agency's task is not found. Not here: what a
reply or a page looks like, and what an agency may do with a task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.routing.domain.case import Case, Task
from services.routing.domain.queue import AgencyQueue
from services.routing.domain.reconciling import Compared, DaySum
from services.routing.domain.signing import Signer
from services.routing.domain.submission import SubmissionKey, SubmittedAnswer
from services.routing.storage import book, queues, views
from services.routing.storage.book import Delivery
from services.routing.usecases import evidence, look, reconcile
from services.routing.usecases.answer import take_request
from services.routing.usecases.book import bounds, of_day
from services.routing.usecases.fetched import note_fetched
from services.routing.usecases.pace import Pace, paces
from services.routing.usecases.place import Waiting, place_step, recipients, waiting
from services.routing.usecases.queues import by_catalogue
from services.routing.usecases.rules import Rules
from shared.catalogue import FormField
from shared.database import Store
from shared.events.agencies import Answer
from shared.events.names import ROUTING_TASKS
from shared.identity.audit import saw
from shared.identity.keys import Principal
from shared.kernel.actor import Actor
from shared.kernel.clock import to_vn
from shared.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Door:
    """The use cases and views of one service, for one agency at a time."""

    store: Store
    rules: Rules
    signer: Callable[[], Signer]

    def agency_name(self, agency: str) -> str:
        """What people call an agency; its code where the catalogue does not know it."""
        try:
            return self.rules.catalogue.agency(agency).name
        except NotFound:
            return agency

    def task(self, agency: str, task_id: str) -> look.SeenTask:
        """A task of this agency; NotFound for any other, there or not."""
        with self.store.read() as connection:
            seen = look.task_of(connection, self.rules, agency, task_id)
        with self.store.begin(Actor("agency", agency)) as uow:
            book.note_look(uow, task_id)
            if seen.task.is_unseen:
                note_fetched(uow, [task_id])
        saw([seen.case.dossier])
        return seen

    def lines(
        self,
        agency: str,
        states: tuple[str, ...],
        limit: int,
        *,
        newest: bool = False,
        due_by: datetime | None = None,
    ) -> list[views.TaskLine]:
        """Tasks of this agency in these states, the first due (or the newest) first."""
        with self.store.read() as connection:
            lines = views.task_lines(
                connection, agency, states, limit, newest=newest, due_by=due_by
            )
        saw(line.dossier for line in lines)
        return lines

    def near(self, agency: str, limit: int) -> list[views.TaskLine]:
        """Running tasks of this agency whose date is near by the city's rule, or has passed."""
        edge = self.rules.near_until(agency, self.store.clock.now())
        return self.lines(agency, views.RUNNING, limit, due_by=edge)

    def handed_over(self, agency: str, after: int, limit: int) -> views.Handed:
        """The task messages of this agency with a number above `after`."""
        with self.store.read() as connection:
            handed = views.handed_over(connection, f"{ROUTING_TASKS} {agency}", after, limit)
            unseen = views.to_repeat(connection, agency, handed.tasks)
            served = (handed.first, handed.next)
            fresh = bool(handed.messages) and not book.was_fetched(connection, agency, *served)
        if fresh or unseen:
            with self.store.begin(Actor("agency", agency)) as uow:
                if fresh:
                    book.note_fetch(uow, agency, *served)
                note_fetched(uow, unseen)
        saw(handed.dossiers)
        return handed

    def answer(
        self, key: SubmissionKey, answer: Answer, fields: Mapping[str, Any] | None = None
    ) -> SubmittedAnswer:
        """Take an answer; the same answer again gets the same reply. `fields`: see `take_request`."""
        with self.store.begin(Actor("agency", key.agency)) as uow:
            return take_request(uow, self.rules, key, answer, fields)

    def handover_book(self, agency: str, day: date, office: str | None) -> list[Delivery]:
        """A day of an agency's hand-over book; with `office` of the dossiers that it took alone."""
        with self.store.read() as connection:
            found = of_day(connection, agency, day, office)
        saw(dict.fromkeys(each.dossier for each in found if each.dossier))
        return found

    def evidence(self, agency: str, day: date) -> Iterator[str]:
        """The lines of an agency's file of evidence of a day; what has just happened is sealed first."""
        signer, now = self.signer(), self.store.clock.now()
        evidence.catch_up(self.store, signer, agency)
        with self.store.read() as connection:
            yield from evidence.lines(connection, signer, agency, now, during=bounds(day))

    def evidence_after(
        self, agency: str, after: int, limit: int
    ) -> tuple[list[dict[str, Any]], int, bool]:
        """See `usecases.evidence.page`; what has just happened is sealed first."""
        signer, now = self.signer(), self.store.clock.now()
        evidence.catch_up(self.store, signer, agency)
        with self.store.read() as connection:
            return evidence.page(connection, signer, agency, now, after, limit)

    def queue_of(self, agency: str) -> AgencyQueue:
        """How an agency's queue stands."""
        with self.store.read() as connection:
            known = queues.of(connection, agency)
        return known or by_catalogue(self.rules.catalogue.agency(agency))

    def day_sums(self, agency: str, days: int) -> list[DaySum]:
        """The city's sums of this agency's messages, of so many days up to today."""
        with self.store.read() as connection:
            return reconcile.sums(connection, agency, to_vn(self.store.clock.now()).date(), days)

    def compare(self, agency: str, given: Sequence[DaySum]) -> list[Compared]:
        """Take an agency's own sums: what it lacks it fetches itself."""
        with self.store.begin(Actor("agency", agency)) as uow:
            return reconcile.hand_in(uow, agency, given, resend=False)

    def differences(self, agency: str | None) -> list[reconcile.Standing]:
        """What differs now between this agency and the city; None: between any and the city."""
        with self.store.read() as connection:
            return reconcile.standing(connection, agency)

    def paces(self, office: str) -> list[Pace]:
        """How each agency keeps pace with what this office has taken in."""
        with self.store.read() as connection:
            return paces(connection, self.rules.catalogue, self.store.clock.now(), office)

    def agencies(self) -> list[tuple[str, str]]:
        """Every agency of today but those that only check, as the choices of a list."""
        today = to_vn(self.store.clock.now()).date()
        return [(a.code, a.name) for a in self.rules.catalogue.agencies(today) if not a.check]

    def waiting(self, office: str, limit: int) -> list[Waiting]:
        """What waits for the head of this office to name an agency, the longest waiting first."""
        with self.store.read() as connection:
            found = waiting(connection, self.rules, office, self.store.clock.now(), limit)
        saw(each.case.dossier for each in found)
        return found

    def place(self, head: Principal, task_id: str, agency: str, word: str) -> Task:
        """Name the agency of a step that waits for it; the same again is harmless."""
        with self.store.begin(head.actor) as uow:
            return place_step(uow, self.rules, head.bound_to, task_id, agency, word)

    def others(self, seen: look.SeenTask) -> list[tuple[str, str]]:
        """Agencies that a task might be for instead, those that have this work elsewhere first."""
        role = "" if seen.step is None else seen.step.role
        fitting, rest = recipients(self.rules, seen.case, role, self.store.clock.now())
        return [(a.code, a.name) for a in (*fitting, *rest) if a.code != seen.task.agency.code]

    def step_name(self, line: views.TaskLine) -> str:
        """The name of the step that a line's task stands for."""
        plan = self.rules.plan(line.procedure_code, line.version)
        step = None if plan is None else plan.step(line.task.step)
        return line.task.step if step is None else step.name

    def fields(self, case: Case) -> dict[str, FormField]:
        """The form fields of a case's procedure by name."""
        return self.rules.fields(case.procedure.code, case.version)
