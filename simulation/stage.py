"""The stage on which a simulation plays: a built city, a clock, doors with their keys.

Lives here: what the demonstration and `replay` share. Must not: decide anything about the play.
"""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.test import Client

from services.embedded.city import City
from shared.catalogue import Catalogue
from shared.database import Store
from shared.kernel.clock import FixedClock, to_vn
from shared.kernel.ids import SeededIds
from shared.messaging.loops.loop import Loop
from shared.messaging.service import Service
from simulation.keys import issue_keys
from simulation.links import AgencyLink, client_of
from simulation.news import News
from simulation.resting import Rest

AGENCIES = 3  # added to the seed, as the month adds 1 and 2: nobody draws what another drew


class Stage:
    """A built and migrated city with keys for every desk and every agency's web door.

    `clock` is the city's own. The agencies draw the ids of their answers from `seed`, not from the
    city's ids, so that what they say does not change the words that citizens get.
    """

    def __init__(self, city: City, clock: FixedClock, seed: int) -> None:
        self._city = city
        self._ids = SeededIds(seed + AGENCIES)
        self.catalogue: Catalogue = city.catalogue
        self.clock = clock
        today = to_vn(clock.now()).date()
        offices = [office.code for office in self.catalogue.offices(today)]
        self._agencies = self.catalogue.agencies(today)
        self._links: list[AgencyLink] = []
        self.rest = Rest(city, lambda: sum(link.given for link in self._links))
        self.desk_keys = issue_keys(city.intake.store, "desk", offices)
        doors = [agency.code for agency in self._agencies if agency.reach == "web"]
        self._door_keys = issue_keys(city.routing.store, "agency", doors)

    @property
    def intake(self) -> Service:
        return self._city.intake

    @property
    def routing(self) -> Service:
        return self._city.routing

    @property
    def notify(self) -> Service:
        return self._city.notify

    @property
    def loops(self) -> Sequence[Loop]:
        return self._city.loops

    def intake_client(self) -> Client:
        return Client(self.intake.web)

    def links(self) -> list[AgencyLink]:
        """One link per agency, by the way the catalogue says it is reached."""
        self.rest.begin()
        made = Handed(self.routing.store)
        self._links = [
            AgencyLink(
                client_of(
                    agency.code,
                    self._city,
                    now=self.clock.now,
                    new_id=self._ids.new,
                    door_key=self._door_keys.get(agency.code),
                ),
                made.last,
            )
            for agency in self._agencies
        ]
        return self._links


class Handed:
    """The number of the last message that routing made for each agency."""

    def __init__(self, store: Store) -> None:
        self._news = News([store], ("task.assigned", "task.changed", "task.cancelled"))
        self._last: dict[str, int] = {}

    def last(self, agency: str) -> int:
        """The number of the last message made for it, 0 for none."""
        for message in self._news.fresh():
            self._last[message.subject] = message.sequence or 0
        return self._last.get(agency, 0)
