"""The citizens and desk officers of a simulated city: they file, check, bring papers, pay, collect.

Lives here: who reacts to what, and when; everything is done through intake's public door (`Desks`).
Citizens act on what the services stated about their dossier, read from the ledgers. Must not:
change anything in any database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from shared.catalogue import Catalogue
from shared.database import Store
from shared.events.event import Event
from shared.events.intake import DossierReceived, DossierRegistered, SupplementRequested
from shared.events.routing import DossierResolved, PaymentRequested
from shared.kernel.clock import Clock
from simulation.agenda import Agenda
from simulation.desks import Desks
from simulation.figures import Habits
from simulation.news import News

DAY = timedelta(days=1)


class Citizens:
    """Reacts to events: asked papers are brought, fees paid, results collected, some never."""

    def __init__(
        self,
        stores: Sequence[Store],
        desks: Desks,
        agenda: Agenda,
        catalogue: Catalogue,
        habits: Habits,
        rng: Random,
        clock: Clock,
    ) -> None:
        self._desks = desks
        self._agenda = agenda
        self._catalogue = catalogue
        self._habits = habits
        self._rng = rng
        self._clock = clock
        self._react: Mapping[type[Event], Callable[[Any], None]] = {
            DossierRegistered: self._registered,
            DossierReceived: self._received,
            SupplementRequested: self._papers_asked,
            PaymentRequested: self._payment_asked,
            DossierResolved: self._resolved,
        }
        self._news = News(stores, self._react)

    def look(self) -> int:
        """React to what is new; the number of events seen."""
        return self._news.react(self._react)

    def _registered(self, fact: DossierRegistered) -> None:
        office = fact.office.code
        at = self._working(office, self._rng.randrange(20, 300))
        luck = self._rng.random()
        if luck < self._habits.desk_refuses:
            self._agenda.at(at, lambda: self._desks.refuse(office, fact.dossier))
        elif luck < self._habits.desk_refuses + self._habits.desk_asks_papers:
            self._agenda.at(at, lambda: self._ask_papers(office, fact.dossier))
        else:
            self._agenda.at(at, lambda: self._desks.receive(office, fact.dossier))

    def _ask_papers(self, office: str, code: str) -> bool:
        days = self._habits.days_for_papers
        by = self._catalogue.calendar(office).add_days(self._clock.now(), days)
        return self._desks.ask_papers(office, code, by)

    def _received(self, fact: DossierReceived) -> None:
        if self._rng.random() >= self._habits.citizen_withdraws:
            return
        at = self._clock.now() + self._rng.uniform(0.1, 3) * DAY
        office = fact.office.code
        self._agenda.at(at, lambda: self._desks.withdraw(office, fact.dossier))

    def _papers_asked(self, fact: SupplementRequested) -> None:
        if self._rng.random() < self._habits.citizen_never_replies:
            return
        office = self._desks.office_of(fact.dossier)
        at = self._working(office, self._rng.randrange(240, 5 * 480))
        self._agenda.at(at, lambda: self._desks.supplement(office, fact.dossier))

    def _payment_asked(self, fact: PaymentRequested) -> None:
        if self._rng.random() < self._habits.citizen_never_replies:
            return
        office = self._desks.office_of(fact.dossier)
        at = self._working(office, self._rng.randrange(60, 4 * 480))
        self._agenda.at(at, lambda: self._desks.pay(office, fact))

    def _resolved(self, fact: DossierResolved) -> None:
        office = self._desks.office_of(fact.dossier)
        at = self._working(office, self._rng.randrange(20, 3 * 480))
        self._agenda.at(at, lambda: self._desks.hand_over(office, fact.dossier))

    def _working(self, office: str, minutes: int) -> datetime:
        end = self._catalogue.calendar(office).add_minutes(self._clock.now(), minutes)
        return end + timedelta(seconds=self._rng.randrange(1, 59))
