"""The citizens and desk officers of a simulated city: they file, check, bring papers, pay, collect.

Lives here: who reacts to what, and when; everything is done through intake's public door (`Desks`).
Citizens act on what the services said about their dossier, read from the ledgers of facts. Must not:
change anything in any database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random

from shared.catalogue import Catalogue
from shared.events.envelope import Envelope
from shared.events.facts import wire
from shared.kernel.clock import Clock
from simulation.agenda import Agenda
from simulation.desks import Desks
from simulation.figures import Habits
from simulation.news import News

DAY = timedelta(days=1)


class Citizens:
    """Reacts to facts: asked papers are brought, fees paid, results collected, some never."""

    def __init__(
        self,
        news: News,
        desks: Desks,
        agenda: Agenda,
        catalogue: Catalogue,
        habits: Habits,
        rng: Random,
        clock: Clock,
    ) -> None:
        self._news = news
        self._desks = desks
        self._agenda = agenda
        self._catalogue = catalogue
        self._habits = habits
        self._rng = rng
        self._clock = clock
        self._react: Mapping[str, Callable[[Envelope], None]] = {
            wire("dossier.registered"): self._registered,
            wire("dossier.received"): self._received,
            wire("dossier.supplement_requested"): self._papers_asked,
            wire("dossier.payment_requested"): self._payment_asked,
            wire("dossier.resolved"): self._resolved,
        }

    TYPES = (
        "dossier.registered",
        "dossier.received",
        "dossier.supplement_requested",
        "dossier.payment_requested",
        "dossier.resolved",
    )

    def look(self) -> int:
        """React to what is new; the number of facts seen."""
        fresh = self._news.fresh()
        for envelope in fresh:
            self._react[envelope.type](envelope)
        return len(fresh)

    def _registered(self, fact: Envelope) -> None:
        office = str(fact.data["office"]["code"])
        at = self._working(office, self._rng.randrange(20, 300))
        luck = self._rng.random()
        if luck < self._habits.desk_refuses:
            self._agenda.at(at, lambda: self._desks.refuse(office, fact.subject))
        elif luck < self._habits.desk_refuses + self._habits.desk_asks_papers:
            self._agenda.at(at, lambda: self._ask_papers(office, fact.subject))
        else:
            self._agenda.at(at, lambda: self._desks.receive(office, fact.subject))

    def _ask_papers(self, office: str, code: str) -> bool:
        days = self._habits.days_for_papers
        by = self._catalogue.calendar(office).add_days(self._clock.now(), days)
        return self._desks.ask_papers(office, code, by)

    def _received(self, fact: Envelope) -> None:
        if self._rng.random() >= self._habits.citizen_withdraws:
            return
        at = self._clock.now() + self._rng.uniform(0.1, 3) * DAY
        office = str(fact.data["office"]["code"])
        self._agenda.at(at, lambda: self._desks.withdraw(office, fact.subject))

    def _papers_asked(self, fact: Envelope) -> None:
        if self._rng.random() < self._habits.citizen_never_replies:
            return
        office = self._desks.office_of(fact.subject)
        at = self._working(office, self._rng.randrange(240, 5 * 480))
        self._agenda.at(at, lambda: self._desks.supplement(office, fact.subject))

    def _payment_asked(self, fact: Envelope) -> None:
        if self._rng.random() < self._habits.citizen_never_replies:
            return
        office = self._desks.office_of(fact.subject)
        at = self._working(office, self._rng.randrange(60, 4 * 480))
        self._agenda.at(at, lambda: self._desks.pay(office, fact.subject, fact.data))

    def _resolved(self, fact: Envelope) -> None:
        office = self._desks.office_of(fact.subject)
        at = self._working(office, self._rng.randrange(20, 3 * 480))
        self._agenda.at(at, lambda: self._desks.hand_over(office, fact.subject))

    def _working(self, office: str, minutes: int) -> datetime:
        end = self._catalogue.calendar(office).add_minutes(self._clock.now(), minutes)
        return end + timedelta(seconds=self._rng.randrange(1, 59))
