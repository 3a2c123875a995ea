"""The stage on which a simulation plays: a built city, a clock, doors with their keys.

Lives here: what the demonstration and `replay` share. Must not: decide anything about the play.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import sqlalchemy as sa
from werkzeug.test import Client

import partner
from services.embedded.city import City
from shared.catalogue import Agency, Catalogue
from shared.database import Store
from shared.kernel.clock import FixedClock, to_vn
from shared.kernel.errors import LienThongError, Transient
from shared.kernel.ids import SeededIds
from shared.messaging.loops.loop import Loop
from shared.messaging.service import Service
from shared.messaging.tables import LEDGERS
from simulation.keys import issue_keys
from simulation.links import AgencyLink, BusTransport, door_without_a_socket
from simulation.news import News

WAIT_SECONDS = 30.0
AGENCIES = 3  # added to the seed, as the month adds 1 and 2: nobody draws what another drew
# reader -> (maker, source) of all that it is sent, beside the agencies' answers
READS = {
    "intake": (("routing", "/routing"), ("notify", "/notify")),
    "routing": (("intake", "/intake"),),
    "notify": (("intake", "/intake"), ("intake", "/intake/contacts"), ("routing", "/routing")),
}


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
        self._given = 0
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
        doors, made = Client(self.routing.web), Handed(self.routing.store)
        self._links = [
            AgencyLink(self._kit(agency, doors), made.last, by_door=agency.reach == "web")
            for agency in self._agencies
        ]
        return self._links

    def _kit(self, agency: Agency, doors: Client) -> partner.Client:
        """The program of one agency; its memory lasts as long as the play."""
        settings, code = self.routing.settings, agency.code
        kit = partial(
            partner.Client,
            code,
            store=":memory:",
            on_gap=lambda _: None,  # what an earlier play in this folder told is no gap
            now=self.clock.now,
            new_id=self._ids.new,
        )
        if agency.reach == "web":
            return kit(http=door_without_a_socket(doors), door_key=self._door_keys[code])
        if self._city.bus.volatile:
            return kit(transport=BusTransport(code, self._city.bus))
        return kit(url=settings.amqp_url, prefix=settings.amqp_prefix)

    def rest(self) -> int:
        """Carry everything to rest; on a real broker also wait for what is on its way."""
        moved = self._pump()
        given = sum(link.given for link in self._links)
        if self._city.bus.volatile or (not moved and given == self._given):
            return moved
        self._given = given
        give_up = time.monotonic() + WAIT_SECONDS
        while self._on_its_way():
            if time.monotonic() > give_up:
                raise LienThongError("facts that were sent did not arrive within 30 s")
            time.sleep(0.002)
            moved += self._pump()
        return moved

    def _pump(self) -> int:
        """Carry everything on; servers that do not answer for a moment are asked again."""
        give_up = time.monotonic() + WAIT_SECONDS
        away = 0
        while True:
            try:
                return self._city.pump() + away
            except Transient:
                if self._city.bus.volatile or time.monotonic() > give_up:
                    raise
                away = 1  # something may have moved before
                time.sleep(0.2)

    def _on_its_way(self) -> bool:
        """Whether some reader has not got all that was sent to it."""
        services = (self.intake, self.routing, self.notify)
        made = {each.name: _count(each.store, LEDGERS.outbox) for each in services}
        for service in services:
            got = _count(service.store, LEDGERS.inbox)
            for maker, source in READS[service.name]:
                if got.get(source, 0) < made[maker].get(source, 0):
                    return True
        return self._answers_heard() < self._given

    def _answers_heard(self) -> int:
        """How many answers of agencies routing has taken in, by either door."""
        inbox = LEDGERS.inbox
        query = sa.select(sa.func.count()).where(inbox.c.source.like("/agencies/%"))
        with self.routing.store.read() as connection:
            return connection.scalar(query) or 0


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


def _count(store: Store, table: sa.Table) -> dict[str, int]:
    query = sa.select(table.c.source, sa.func.count()).group_by(table.c.source)
    with store.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
