"""A town on a broker with the committed rights: each service and each agency is a user of its own.

Nothing moves until the test says so; strangers and the operator come by plain pika. No test here.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pika

from deploy.rabbitmq.make import definitions
from services.embedded.city import APPS, City
from shared.catalogue import Catalogue
from shared.kernel.clock import FixedClock
from shared.kernel.ids import SeededIds
from shared.messaging import Bus, parked
from shared.messaging.parked import Held
from shared.settings import SERVICES
from simulation.kit import MORNING, Desk
from simulation.kit import City as KitCity
from tests.backends import ServersBackend
from tests.embedded.townsfolk import desk_of
from tests.migrating import migrate
from tests.promises.crashes import loop

AGENCY = "ubnd-phuong-1"  # does the first step of INTERLINKED


class _CityOfUsers(City):
    """The services on a bus each, since each logs in under its own name."""

    def __init__(
        self, backend: ServersBackend, catalogue: Catalogue, buses: dict[str, Bus]
    ) -> None:
        self.catalogue, self.clock = catalogue, FixedClock(MORNING)
        self.data_dir, self.bus = backend.data_dir, buses["intake"]
        ids = SeededIds(1)
        self.services = {
            name: APPS[name].build(
                backend.settings(name), catalogue=catalogue, clock=self.clock, ids=ids, bus=bus
            )
            for name, bus in buses.items()
        }
        self._more, self._supervisor = [], None


class OwnUsers:
    """The town, its broker, and whoever logs in there."""

    def __init__(self, backend: ServersBackend, catalogue: Catalogue, passwords: dict[str, str]):
        self._backend, self._passwords = backend, passwords
        for service in SERVICES:
            backend.migrated(service, partial(migrate, service))
        self._buses = {name: Bus(self.url(name)) for name in SERVICES}
        self.city = _CityOfUsers(backend, catalogue, self._buses)

    def url(self, user: str | None = None) -> str:
        """The broker's address for this user; None: the operator, who may do all."""
        if user is None:
            return self._backend.amqp_url()
        return self._backend.amqp_url(user, self._passwords[user])

    @property
    def desk(self) -> Desk:
        return desk_of(self.city)

    def carry(self, done: Callable[[], bool]) -> None:
        KitCity(self.city).until(done)

    def send_only(self, *services: str) -> None:
        """Let these services send what they have stated, while nobody reads."""
        for service in services:
            while loop(self.city, f"{service}.relay").step(0):
                pass

    def rest_your_eyes(self) -> None:
        """Nobody reads any more, until the town is carried on."""
        for each in self.city.loops:
            each.close()

    def held(self, service: str) -> list[Held]:
        with self.city.services[service].store.read() as connection:
            return parked.list_held(connection)

    def replay_all(self, service: str) -> None:
        for row in self.held(service):
            with self.city.services[service].store.begin() as uow:
                parked.replay(uow, row.fact_id, consumer=row.consumer)
        for each in self.city.services[service].loops:
            each.wake()

    @contextmanager
    def channel(self, user: str | None = None) -> Iterator[Any]:
        connection = pika.BlockingConnection(pika.URLParameters(self.url(user)))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            if connection.is_open:
                connection.close()

    def put(self, user: str, exchange: str, key: str, body: dict[str, Any], **more: Any) -> None:
        """Publish as this user, by the broker's leave."""
        text = json.dumps(body).encode()
        with self.channel(user) as channel:
            properties = pika.BasicProperties(delivery_mode=2, **more)
            channel.basic_publish(exchange, key, text, properties, mandatory=True)

    def reject_all(self, queue: str, user: str | None = None) -> int:
        """Take every message of a queue and refuse it for good; how many."""
        count = 0
        with self.channel(user) as channel:
            while (method := channel.basic_get(queue)[0]) is not None:
                channel.basic_reject(method.delivery_tag, requeue=False)
                count += 1
        return count

    def waiting(self, queue: str) -> int:
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def close(self) -> None:
        self.city.close()
        for bus in self._buses.values():
            bus.close()


@contextmanager
def own_users(backend: ServersBackend, catalogue: Catalogue) -> Iterator[OwnUsers]:
    """Such a town; its users are gone afterwards."""
    passwords = {user: secrets.token_urlsafe(16) for user in (*SERVICES, AGENCY)}
    made = definitions(catalogue, passwords, vhost=backend.vhost)
    with backend.management.defined(made, [user["name"] for user in made["users"]]):
        town = OwnUsers(backend, catalogue, passwords)
        try:
            yield town
        finally:
            town.close()


def answer(task: str, kind: str, answer_id: str, **data: Any) -> dict[str, Any]:
    """An answer of the agency, as its own program writes it."""
    return {
        "specversion": "1.0",
        "id": answer_id,
        "source": f"/agencies/{AGENCY}",
        "type": f"vn.lienthong.answer.{kind}.v1",
        "subject": task,
        "time": "2022-03-14T08:15:00Z",
        "datacontenttype": "application/json",
        "data": {"task": task, **data},
    }
