"""Plays an event log through the city: each case at its own hour, its activities by the agencies.

Lives here: how the activities of a case become the answers of the agencies of a procedure. The
activities after the first are shared out over the procedure's agency steps in their order; a step is
answered at the time of the last activity of its share. A case without further activity is a dossier
that nobody works on, and stays open. Must not: reading files, printing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from shared.catalogue import Agency, Procedure
from shared.events.event import Event
from shared.events.intake import DossierRegistered, SupplementRequested
from shared.events.routing import DossierResolved, PaymentRequested
from shared.kernel.clock import to_vn
from shared.kernel.errors import Fault, InvalidInput, NotFound
from simulation.agenda import Agenda
from simulation.desks import Desks, Filing, filing_body
from simulation.kit import City
from simulation.log import Activity, Case, Log, Terms
from simulation.month import Seen
from simulation.news import News
from simulation.people import People
from simulation.players import Agencies, Planned

MINUTE = timedelta(minutes=1)


def parts(work: Sequence[Activity], steps: Sequence[str]) -> dict[str, tuple[Activity, ...]]:
    """Share activities out over steps, in order and as evenly as whole activities allow."""
    count, shared = len(steps), {}
    for number, step in enumerate(steps):
        first, last = len(work) * number // count, len(work) * (number + 1) // count
        shared[step] = tuple(work[first:last])
    return shared


class AsLogged:
    """The agencies' manner in a replay: they answer when the log says that the work was done."""

    def __init__(self, terms: Terms, city: City) -> None:
        self._terms = terms
        self._clock = city.clock
        self._catalogue = city.catalogue
        self._cases: dict[str, Case] = {}
        self._left: dict[str, list[Planned]] = {}

    def expect(self, dossier: str, case: Case) -> None:
        """The dossier that a case of the log became."""
        self._cases[dossier] = case

    def papers_at(self, dossier: str) -> datetime | None:
        """When the citizen brought what was asked for: at the next activity of the log."""
        now = self._clock.now()
        later = [each.at for each in self._cases[dossier].work if each.at > now]
        return min(later, default=None)

    def answers(self, _agency: str, task: Mapping[str, Any]) -> Sequence[Planned]:
        case = self._cases.get(str(task["dossier"]))
        if case is None or not case.work:
            return []
        on = to_vn(self._clock.now()).date()
        procedure = self._catalogue.procedure(task["procedure"]["code"], on)
        steps = [step.code for step in procedure.steps if step.kind == "task"]
        step = str(task["step"]["code"])
        own = parts(case.work, steps).get(step, ())
        # A step without an activity of its own was done together with the one before it.
        at = own[-1].at if own else self._clock.now() + MINUTE
        plan = [Planned(own[0].at, "taken", {"officer": None})] if own else []
        for activity in own:
            said = self._terms.answers.get(activity.name)
            if said is not None:
                data = {key: value for key, value in said.items() if key != "kind"}
                asked = Planned(activity.at, said["kind"], data)
                if said["kind"] != "supplement_needed":
                    return [*plan, asked]
                self._left[str(task["task"])] = [self._done(task, at)]
                return [*plan, asked]
        return [*plan, self._done(task, at)]

    def after_papers(self, _agency: str, task: Mapping[str, Any]) -> Sequence[Planned]:
        return self._left.pop(str(task["task"]), [self._done(task, self._clock.now() + MINUTE)])

    def _done(self, task: Mapping[str, Any], at: datetime) -> Planned:
        code = task["results"][0] if task["results"] else None
        return Planned(at, "completed", {"outcome": "granted", "result_code": code})


class Replay:
    """Submits every case of a log at its own hour and lets the agencies work as logged."""

    def __init__(
        self,
        city: City,
        log: Log,
        terms: Terms,
        procedure: str,
        seed: int,
        show: Callable[[Seen], None],
    ) -> None:
        self._city = city
        self._log = log
        self._procedure = procedure
        self._show = show
        self._people = People(Random(seed), unreachable=0.0)
        self._rng = Random(seed + 1)
        self._agenda = Agenda()
        self._manner = AsLogged(terms, city)
        self.desks = Desks(city.desk)
        self.agencies = Agencies(city.links(), self._agenda, self._manner, city.clock)
        self._news = News(
            [city.built.intake.store, city.built.routing.store],
            (DossierRegistered, SupplementRequested, PaymentRequested, DossierResolved),
        )

    def run(self, end: datetime) -> None:
        """Play the whole log; the clock ends at `end` (UTC)."""
        for number, case in enumerate(self._log.cases, 1):
            self._enter(number, case)
        self._city.run(self._agenda, self._look, end)

    def _enter(self, number: int, case: Case) -> None:
        self._agenda.at(case.submitted_at, lambda: self._submit(number, case))

    def _submit(self, number: int, case: Case) -> None:
        today = to_vn(self._city.clock.now()).date()
        office, procedure = self._where(today)
        citizen = self._people.citizen()
        form = self._people.fill(procedure, citizen, today)
        body = filing_body(procedure, citizen, case.channel, form)
        code = self.desks.submit(Filing(office.code, body), f"replay-{case.id}")
        if code is not None:
            self._manner.expect(code, case)
        text = f"{code or 'không nộp được'} · {case.id} · {procedure.name}"
        self._show(Seen(self._city.clock.now(), text, number, len(self._log.cases)))

    def _where(self, today: date) -> tuple[Agency, Procedure]:
        procedure = find_procedure(self._city, self._procedure, today)
        offices = [
            office
            for office in self._city.catalogue.offices(today)
            if self._city.catalogue.office_handles(office.code, procedure, today)
        ]
        return self._rng.choice(offices), procedure

    def _look(self) -> int:
        fresh = self._news.fresh()
        for fact in fresh:
            self._react(fact.event())
        return self.agencies.look() + len(fresh)

    def _react(self, fact: Event) -> None:
        office, now = self.desks.office_of(fact.subject), self._city.clock.now()
        if isinstance(fact, DossierRegistered):
            self._agenda.at(now + MINUTE, lambda: self.desks.receive(office, fact.subject))
        elif isinstance(fact, SupplementRequested):
            at = self._manner.papers_at(fact.subject)
            if at is not None:
                self._agenda.at(at - MINUTE, lambda: self.desks.supplement(office, fact.subject))
        elif isinstance(fact, PaymentRequested):
            at = now + MINUTE
            self._agenda.at(at, lambda: self.desks.pay(office, fact))
        elif isinstance(fact, DossierResolved):
            self._agenda.at(now + MINUTE, lambda: self.desks.hand_over(office, fact.subject))


def find_procedure(city: City, code: str, on: date) -> Procedure:
    """The version of a procedure in force; InvalidInput where there is none on that day."""
    try:
        return city.catalogue.procedure(code, on)
    except NotFound:
        raise InvalidInput(
            [
                Fault(
                    "procedure",
                    f"Không có thủ tục {code} vào ngày {on:%d/%m/%Y}.",
                    f"there is no procedure {code} on {on.isoformat()}",
                )
            ]
        ) from None
