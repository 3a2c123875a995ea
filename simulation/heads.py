"""The heads of a simulated city's offices: some name a new date themselves, before the clock does.

Lives here: what they do and when; all through intake's public door (`Desks`). They act on what
routing stated, read from its ledger. Must not: change anything in any database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any, Final

from shared.database import Store
from shared.events.event import Event
from shared.events.routing import DeadlineMissed, ExtensionRequested, StepTransferred
from simulation.agenda import Agenda
from simulation.desks import Desks
from simulation.figures import Habits
from simulation.kit import City, Rejected
from simulation.news import News

IT_IS_YOURS: Final = "Đã đối chiếu địa bàn: việc này thuộc cơ quan, đề nghị giải quyết"
DAYS_GIVEN: Final = 2  # working days from the apology on


class Heads:
    """Reacts to missed promises; what no head takes up is left to the clock."""

    def __init__(
        self,
        routing: Store,
        desks: Desks,
        agenda: Agenda,
        habits: Habits,
        rng: Random,
        city: City,
    ) -> None:
        self._desks = desks
        self._agenda = agenda
        self._catalogue = city.catalogue
        self._habits = habits
        self._rng = rng
        self._clock = city.clock
        self._head = cache(city.head)
        self._react: Mapping[type[Event], Callable[[Any], None]] = {
            DeadlineMissed: self._missed,
            ExtensionRequested: self._time_asked,
            StepTransferred: self._to_place,
        }
        self._news = News([routing], self._react)

    def look(self) -> int:
        """React to what is new; the number of events seen."""
        return self._news.react(self._react)

    def _time_asked(self, event: ExtensionRequested) -> None:
        office = self._desks.office_of(event.dossier)
        no = self._rng.random() < self._habits.head_refuses_time
        act = self._desks.refuse_time if no else self._desks.grant_time
        at = self._working(office, self._rng.randrange(20, 240))
        self._agenda.at(at, lambda: act(office, event.dossier, event.task))

    def _to_place(self, event: StepTransferred) -> None:
        """Nobody is competent by the rules: it goes back to who had it last, with a word."""
        if event.to is not None:
            return
        office = self._desks.office_of(event.dossier)
        at = self._working(office, self._rng.randrange(20, 240))
        self._agenda.at(at, lambda: self._place(office, event))

    def _place(self, office: str, event: StepTransferred) -> None:
        agency = event.agency if event.named is None else event.named
        try:
            self._head(office).place(event.next_task, agency.code, IT_IS_YOURS)
        except Rejected as refused:
            if refused.status != 409:  # the dossier went another way meanwhile
                raise

    def _missed(self, event: DeadlineMissed) -> None:
        if event.scope != "dossier" or self._rng.random() >= self._habits.head_apologises:
            return
        office = self._desks.office_of(event.dossier)
        at = self._working(office, self._rng.randrange(20, 200))
        self._agenda.at(at, lambda: self._apologise(office, event))

    def _apologise(self, office: str, event: DeadlineMissed) -> bool:
        until = self._catalogue.calendar(office).add_days(self._clock.now(), DAYS_GIVEN)
        return self._desks.apologise(office, event.dossier, event.cause or "", until)

    def _working(self, office: str, minutes: int) -> datetime:
        end = self._catalogue.calendar(office).add_minutes(self._clock.now(), minutes)
        return end + timedelta(seconds=self._rng.randrange(1, 59))
