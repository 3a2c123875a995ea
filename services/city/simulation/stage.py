"""The stage on which a simulation plays: a built city, a clock, doors with their keys.

Lives here: what the demonstration and `replay` share. Must not: decide anything about the play.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import sqlalchemy as sa
from werkzeug.test import Client

from services.city.embedded import City
from services.city.simulation.links import AgencyLink, QueueLink, WebLink
from services.city.simulation.news import News
from shared.catalogue import Catalogue
from shared.kernel.clock import FixedClock, to_vn
from shared.kernel.errors import LienThongError
from shared.runtime.loop import Loop
from shared.runtime.service import Service
from shared.store import Store
from shared.store.keys import issue

WAIT_SECONDS = 30.0
# consumer -> the services whose facts it reads, beside the agencies' answers
READERS = {"intake": ("routing", "notify"), "routing": ("intake",), "notify": ("intake", "routing")}


class Stage:
    """A built and migrated city with keys for every desk and every agency's web door."""

    def __init__(self, city: City, catalogue: Catalogue, clock: FixedClock) -> None:
        self._city = city
        self.catalogue = catalogue
        self.clock = clock
        today = to_vn(clock.now()).date()
        offices = [office.code for office in catalogue.offices(today)]
        self._agencies = catalogue.agencies(today)
        self.desk_keys = _issue(city.intake.store, "desk", offices)
        doors = [agency.code for agency in self._agencies if agency.reach == "web"]
        self._door_keys = _issue(city.routing.store, "agency", doors)

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
        publisher = self._city.bus.publisher()
        client, bell = Client(self.routing.web), Bell(self.routing.store)
        return [
            WebLink(agency.code, client, self._door_keys[agency.code], bell.rung)
            if agency.reach == "web"
            else QueueLink(agency.code, self._city.bus, publisher, self.clock)
            for agency in self._agencies
        ]

    def rest(self) -> int:
        """Carry everything to rest; on a real broker also wait for what is on its way."""
        moved = self._city.pump()
        if self._city.bus.volatile:
            return moved
        give_up = time.monotonic() + WAIT_SECONDS
        while self._on_its_way():
            if time.monotonic() > give_up:
                raise LienThongError("facts that were sent did not arrive within 30 s")
            time.sleep(0.002)
            moved += self._city.pump()
        return moved

    def _on_its_way(self) -> bool:
        """Whether some reader has not got all that was sent to it."""
        services = {each.name: each for each in (self.intake, self.routing, self.notify)}
        made = {name: _made(service.store) for name, service in services.items()}
        for name, service in services.items():
            wanted = {source: made[maker].get(source, 0) for maker in READERS[name]
                      for source in (f"/{maker}",)}  # fmt: skip
            got = _got(service.store)
            if any(got.get(source, 0) < count for source, count in wanted.items()):
                return True
        contacts = made["intake"].get("/intake/contacts", 0)
        return _got(self.notify.store).get("/intake/contacts", 0) < contacts


class Bell:
    """Which agencies were handed something since they last asked."""

    def __init__(self, store: Store) -> None:
        self._news = News([store], ("task.assigned", "task.changed", "task.cancelled"))
        self._waiting: set[str] = set()

    def rung(self, agency: str) -> bool:
        """Whether there is something for it; asking takes it off."""
        self._waiting.update(message.subject for message in self._news.fresh())
        found = agency in self._waiting
        self._waiting.discard(agency)
        return found


def _issue(store: Store, kind: str, codes: Sequence[str]) -> dict[str, str]:
    with store.begin() as uow:
        return {
            code: issue(uow, kind=kind, bound_to=code, label="demo")[1]  # type: ignore[arg-type]
            for code in codes
        }


def _made(store: Store) -> dict[str, int]:
    return _count(store, store.ledgers.outbox)


def _got(store: Store) -> dict[str, int]:
    return _count(store, store.ledgers.inbox)


def _count(store: Store, table: sa.Table) -> dict[str, int]:
    query = sa.select(table.c.source, sa.func.count()).group_by(table.c.source)
    with store.read() as connection:
        return dict(connection.execute(query).tuples().all())
