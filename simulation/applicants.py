"""Citizens who never stop: they file what one agency has to act on, bring papers, pay, collect.

For an agency's sandbox, by the real clock: one dossier after the other at desks whose rules of
competence lead to the agency. Everything is done through intake's public door. Must not: draw by
chance; the same procedures come in the same turn.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Final

from shared.catalogue import Catalogue
from shared.database import Store
from shared.events.event import Event
from shared.events.intake import SupplementRequested
from shared.events.routing import DossierResolved, PaymentRequested
from shared.kernel.clock import Clock, to_vn
from shared.kernel.errors import NotFound
from simulation.agenda import Agenda
from simulation.desks import Desks, Filing
from simulation.kit.filings import filing
from simulation.news import News

#: How soon a citizen does what was asked.
REPLY: Final = timedelta(seconds=10)
_LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Case:
    """What is filed where, so that a task comes to the agency."""

    office: str
    procedure: str


def cases(catalogue: Catalogue, agency: str, on: date) -> list[Case]:
    """Every way by which a dossier comes to this agency on this day; its first steps before others."""
    found: list[tuple[int, Case]] = []
    for procedure in catalogue.procedures(on):
        for office in catalogue.offices(on):
            if not catalogue.office_handles(office.code, procedure, on):
                continue
            places = [
                place
                for place, step in enumerate(procedure.steps)
                if _acts(catalogue, step.role, office.territory, on) == agency
            ]
            if places:
                found.append((min(places), Case(office.code, procedure.code)))
    return [case for _, case in sorted(found, key=lambda each: each[0])]


def _acts(catalogue: Catalogue, role: str, where: str, on: date) -> str | None:
    try:
        return catalogue.agency_for(role, where, on).code
    except NotFound:
        return None


class Applicants:
    """A loop that files one dossier each `every`, and does what citizens are asked for."""

    name = "sandbox.applicants"

    def __init__(
        self,
        stores: Sequence[Store],
        desks: Desks,
        catalogue: Catalogue,
        ways: Sequence[Case],
        clock: Clock,
        every: timedelta,
    ) -> None:
        self._desks, self._catalogue, self._ways = desks, catalogue, ways
        self._clock, self._every = clock, every
        self._agenda = Agenda()
        self._numbers = count(1)
        self._run = clock.now().strftime("%y%m%d%H%M%S")
        self._react: Mapping[type[Event], Callable[[Any], object]] = {
            SupplementRequested: lambda asked: self._desks.supplement(*self._of(asked)),
            PaymentRequested: lambda asked: self._desks.pay(self._of(asked)[0], asked),
            DossierResolved: lambda done: self._desks.hand_over(*self._of(done)),
        }
        self._news = News(stores, self._react)
        self._mine: set[str] = set()
        self._woken = threading.Event()
        self._agenda.at(clock.now(), self._file)

    def step(self, wait: float) -> int:
        """Do what is due; else wait up to `wait` s. How many acts."""
        for event in [envelope.event() for envelope in self._news.fresh()]:
            if getattr(event, "dossier", None) in self._mine:
                reply = partial(self._react[type(event)], event)
                self._agenda.at(self._clock.now() + REPLY, reply)
        acts = self._agenda.take_due(self._clock.now())
        for act in acts:
            act()
        if not acts and wait > 0:
            self._woken.wait(min(wait, _LOOK_SECONDS))
            self._woken.clear()
        return len(acts)

    def _of(self, event: Any) -> tuple[str, str]:
        return self._desks.office_of(event.dossier), event.dossier

    def _file(self) -> None:
        number = next(self._numbers)
        case = self._ways[(number - 1) % len(self._ways)]
        today = to_vn(self._clock.now()).date()
        procedure = self._catalogue.procedure(case.procedure, today)
        body = filing(procedure, number, today=today)
        code = self._desks.submit(Filing(case.office, body), f"sandbox-{self._run}-{number}")
        if code is not None:
            self._mine.add(code)
        self._agenda.at(self._clock.now() + self._every, self._file)

    def next_due(self) -> datetime | None:
        """When the next act is due, UTC."""
        return self._agenda.next_at()

    def wake(self) -> None:
        """End a waiting step."""
        self._woken.set()

    def close(self) -> None:
        """Nothing is held between steps."""
