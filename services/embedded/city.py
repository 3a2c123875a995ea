"""The three services in one process: the embedded default, and what tests and simulations move.

Lives here: building and moving the whole city. Must not: serving it (serve.py) or playing in it
(simulation/).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from services.embedded.address import OneAddress
from services.intake import app as intake_app
from services.notify import app as notify_app
from services.routing import app as routing_app
from services.routing.storage import views
from shared.catalogue import Catalogue, load
from shared.kernel.clock import Clock, RealClock
from shared.kernel.ids import Ids, RandomIds
from shared.messaging import Bus
from shared.messaging.loops.linger import TOGETHER
from shared.messaging.loops.loop import Loop
from shared.messaging.loops.pump import next_due, pump
from shared.messaging.loops.supervisor import Supervisor
from shared.messaging.service import Service
from shared.settings import SERVICES, Settings

APPS = {"intake": intake_app, "routing": routing_app, "notify": notify_app}


class City:
    """The built services with their bus; nothing runs until it is started or pumped.

    One bus, clock and source of ids for all, so that a seed under a fixed clock repeats a run.
    """

    def __init__(
        self,
        settings: Mapping[str, Settings],
        *,
        catalogue: Catalogue,
        clock: Clock,
        ids: Ids,
        bus: Bus | None = None,
    ) -> None:
        first = settings["intake"]
        self.data_dir = first.data_dir
        self.catalogue = catalogue
        self.clock = clock
        self.bus = bus or Bus(first.amqp_url, prefix=first.amqp_prefix)
        self.services: dict[str, Service] = {
            name: APPS[name].build(
                settings[name], catalogue=catalogue, clock=clock, ids=ids, bus=self.bus
            )
            for name in SERVICES
        }
        #: All pages and all of the API, as they stand at the city's one address.
        self.web = OneAddress({name: service.web for name, service in self.services.items()})
        notify_app.ask_here(self.services["notify"], self.web)
        self._more: list[Loop] = []
        self._supervisor: Supervisor | None = None

    @property
    def intake(self) -> Service:
        return self.services["intake"]

    @property
    def routing(self) -> Service:
        return self.services["routing"]

    @property
    def notify(self) -> Service:
        return self.services["notify"]

    @property
    def loops(self) -> Sequence[Loop]:
        """Every loop, in the order in which the pump asks them."""
        services = self.services.values()
        own = [
            loop
            for service in services
            for loop in (*service.loops, *service.beside, *service.outside, *service.managing)
        ]
        return [*own, *self._more]

    def add(self, loops: Sequence[Loop]) -> None:
        """Run these as well, such as simulated agencies; before the start."""
        self._more.extend(loops)

    def unanswered_by(self, agency: str) -> list[bytes]:
        """The messages that handed an agency its open tasks: what a new reader has missed."""
        with self.routing.store.read() as connection:
            return views.unanswered_by(connection, agency)

    def migrate(self) -> None:
        """Bring the three databases to their newest version."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for service in self.services.values():
            service.migrate()

    def start(self) -> Supervisor:
        """Run all loops in threads of their own."""
        self._supervisor = Supervisor(self.loops, pace=TOGETHER)
        for service in self.services.values():
            service.metrics.loops(self._supervisor.report)
        self._supervisor.start()
        return self._supervisor

    def pump(self, *, tolerant: bool = False) -> int:
        """Carry everything to rest in this thread, with the clock standing; the things done."""
        return pump(self.loops, tolerant=tolerant)

    def next_due(self) -> datetime | None:
        """The earliest instant (UTC) at which something happens by the clock alone."""
        return next_due(self.loops)

    def close(self) -> bool:
        """Let every loop finish its step and let go of everything; False where one would not."""
        finished = True
        if self._supervisor is not None:
            finished = self._supervisor.stop()
        else:
            for loop in self.loops:
                loop.close()
        for service in self.services.values():
            service.close()
        self.bus.close()
        return finished


def open_city(
    data_dir: Path,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    bus_url: str = "memory://",
    database: str | Mapping[str, str] = "sqlite",
    catalogue: Catalogue | None = None,
    **overrides: Any,
) -> City:
    """Build the city in a folder of its own, without looking at the environment.

    `database` is "sqlite", a URL with `{service}` in it, or a URL per service; `overrides` are
    fields of Settings for all three. `BrokenCatalogue` where the city's rules are wrong.
    """
    settings = {
        name: Settings(
            service=name,
            data_dir=data_dir,
            database_url=_database(name, data_dir, database),
            amqp_url=bus_url,
            **overrides,
        )
        for name in SERVICES
    }
    return City(
        settings,
        catalogue=catalogue or load(settings["intake"].catalogue_dir),
        clock=clock or RealClock(),
        ids=ids or RandomIds(),
    )


def _database(service: str, data_dir: Path, database: str | Mapping[str, str]) -> str:
    if not isinstance(database, str):
        return database[service]
    if database == "sqlite":
        return f"sqlite:///{data_dir / f'{service}.db'}"
    return database.format(service=service)
