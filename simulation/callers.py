"""The officers of a simulated city who call citizens whom no message reached.

Lives here: when they call and what comes of it; all through intake's public door (`Desks`). Must
not: change anything in any database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from shared.events.event import Event
from shared.events.notify import CitizenUnreachable
from simulation.agenda import Agenda
from simulation.desks import Desks
from simulation.figures import Habits
from simulation.kit import City
from simulation.news import News


class Callers:
    """Reacts to calls that notify asks for; nobody answers now and then, and is called again."""

    def __init__(
        self, desks: Desks, agenda: Agenda, habits: Habits, rng: Random, city: City
    ) -> None:
        self._desks = desks
        self._agenda = agenda
        self._catalogue = city.catalogue
        self._habits = habits
        self._rng = rng
        self._clock = city.clock
        self._react: Mapping[type[Event], Callable[[Any], None]] = {
            CitizenUnreachable: self._asked,
        }
        self._news = News([city.built.notify.store], self._react)

    def look(self) -> int:
        """React to what is new; the number of events seen."""
        return self._news.react(self._react)

    def _asked(self, event: CitizenUnreachable) -> None:
        if event.call is not None:
            self._plan(event.dossier)

    def _plan(self, code: str) -> None:
        office = self._desks.office_of(code)
        minutes = self._rng.randrange(20, 240)
        at = self._catalogue.calendar(office).add_minutes(self._clock.now(), minutes)
        self._agenda.at(at, lambda: self._call(office, code))

    def _call(self, office: str, code: str) -> bool:
        luck = self._rng.random()
        if luck < self._habits.call_unanswered:
            self._plan(code)
            return self._desks.called(office, code, "no_answer")
        wrong = luck < self._habits.call_unanswered + self._habits.call_wrong_number
        return self._desks.called(office, code, "wrong_number" if wrong else "reached")
