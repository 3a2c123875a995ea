"""A whole city with real doors on loopback, and the keys that a smoke run is given."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from deploy.rabbitmq.make import definitions
from services.commands.secret_files import DOORS, SMOKE, SecretFiles
from services.embedded.city import City, open_city
from shared.catalogue import load
from shared.identity.keys import register
from shared.messaging.tables import LEDGERS
from shared.settings import SERVICES
from shared.web.server import WebServer, serving
from simulation.smoke.access import Access
from tests.backends import Backend, ServersBackend

CATALOGUE = Path(__file__).resolve().parents[2] / "catalogue"


class Town:
    """A running city and where its doors are."""

    def __init__(self, backend: Backend, folder: Path, city: City) -> None:
        self.backend, self.city = backend, city
        self.secrets = SecretFiles(folder)
        self.keys_file = folder / SMOKE
        self.doors: dict[str, str] = {}

    @property
    def broker(self) -> str:
        """Where agencies find the broker; nothing in one process."""
        if self.backend.embedded:
            return ""
        return self.backend.amqp_url().rpartition("@")[2]

    def access(self, **changes: str) -> Access:
        doors = self.doors | {"broker": self.broker} | changes
        return Access.load(self.keys_file, **doors)

    def options(self) -> list[str]:
        """The same as the command takes it."""
        found = ["--keys", str(self.keys_file), "--amqp", self.broker]
        return [*found, *(word for name, url in self.doors.items() for word in (f"--{name}", url))]

    def tasks(self) -> dict[str, int]:
        """How many task messages each agency was handed."""
        store = self.city.routing.store
        outbox = LEDGERS.outbox
        query = (
            sa.select(outbox.c.subject, sa.func.count())
            .where(outbox.c.source == "/routing/tasks")
            .group_by(outbox.c.subject)
        )
        with store.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def filed(self) -> int:
        with self.city.intake.store.read() as connection:
            return int(connection.execute(sa.text("SELECT count(*) FROM dossiers")).scalar_one())


@contextlib.contextmanager
def agency_users(backend: Backend, passwords: dict[str, str]) -> Iterator[None]:
    """Users of the check agencies with the rights that the definitions give them."""
    if not isinstance(backend, ServersBackend):
        yield
        return
    made = definitions(load(CATALOGUE), passwords, vhost=backend.vhost)
    theirs = {"users": [user for user in made["users"] if user["name"] in passwords]}
    for kind in ("permissions", "topic_permissions"):
        theirs[kind] = [row for row in made[kind] if row["user"] in passwords]
    with backend.management.defined(theirs, passwords):
        yield


@pytest.fixture
def town(backend: Backend, tmp_path: Path) -> Iterator[Town]:
    """Up and running, with the keys of the smoke run registered."""
    catalogue = load(CATALOGUE)
    first = backend.settings("intake")
    city = open_city(
        tmp_path / "data",
        bus_url=backend.amqp_url(),
        database={name: backend.settings(name).database_url for name in SERVICES},
        catalogue=catalogue,
        secret_key=first.secret_key,
    )
    made = Town(backend, tmp_path / "secrets", city)
    made.secrets.make(catalogue, postgres="here:5432", rabbitmq="here:5672", smtp="smtp://here")
    city.migrate()
    for kind, keys in made.secrets.smoke_keys().items():
        with city.services[DOORS[kind]].store.begin() as uow:
            for code, text in keys.items():
                register(uow, kind=kind, bound_to=code, label="smoke", text=text)  # type: ignore[arg-type]
    servers = {name: WebServer(service.web) for name, service in city.services.items()}
    made.doors = {name: server.url for name, server in servers.items()}
    brokers = dict(made.access().broker_passwords)
    with agency_users(backend, brokers), serving(*servers.values()):
        city.start()
        yield made
        city.close()
