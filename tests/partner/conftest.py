"""A small city's broker with the rights of a real one, and a stand-in for routing's side of it."""

from __future__ import annotations

import json
import secrets
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika
import pytest

from deploy.rabbitmq.make import definitions
from partner import Client
from shared.testing.proxy import FaultProxy
from tests.backends import ServersBackend


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to it"
        time.sleep(0.02)


@dataclass(frozen=True)
class SomeAgency:
    reach: str = "amqp"


@dataclass
class SmallCity:
    """What the broker's definitions ask of a catalogue; codes are drawn, since users are global."""

    codes: list[str] = field(
        default_factory=lambda: [f"phuong-{n}-{secrets.token_hex(4)}" for n in (1, 11)]
    )

    def agency_codes(self) -> list[str]:
        return self.codes

    def agency(self, code: str) -> SomeAgency:
        return SomeAgency()


def envelope(agency: str, number: int, kind: str = "assigned", **more: Any) -> dict[str, Any]:
    """One task message as routing writes it."""
    task = more.pop("task", f"task-{number}")
    data: dict[str, Any] = {"task": task, "dossier": "000.87.01.H20-220301-0001", "agency": agency}
    if kind == "assigned":
        data |= {
            "procedure": {"code": "1.001193", "name": "Đăng ký khai sinh"},
            "step": {"code": "justice", "name": "Tư pháp - hộ tịch"},
            "assigned_at": "2022-03-01T02:00:00Z",
            "due_at": "2022-03-01T10:30:00Z",
            "form": {"child_name": "Nguyễn Văn An"},
            "papers": [{"code": "giay-chung-sinh", "name": "Giấy chứng sinh", "original": 1}],
            "results": ["KQ.G15.000006"],
        }
    return {
        "specversion": "1.0",
        "id": more.pop("id", f"m-{agency}-{number}"),
        "source": "/routing/tasks",
        "type": f"vn.lienthong.task.{kind}.v1",
        "subject": agency,
        "time": "2022-03-01T02:00:00Z",
        "datacontenttype": "application/json",
        "sequence": f"{number:010d}",
        "data": {**data, **more},
    }


class CityBroker:
    """The broker of one test, with an operator's connection that does routing's part."""

    def __init__(self, backend: ServersBackend, city: SmallCity, passwords: dict[str, str]) -> None:
        self.backend, self.city, self.passwords = backend, city, passwords
        self.agency, self.other = city.codes
        self._connection = pika.BlockingConnection(pika.URLParameters(backend.amqp_url()))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()

    def url(self, user: str | None = None) -> str:
        user = user or self.agency
        return self.backend.amqp_url(user, self.passwords[user])

    @contextmanager
    def line(self) -> Iterator[tuple[FaultProxy, str]]:
        """A line to the broker that can be cut, and the agency's address at its near end."""
        parts = urllib.parse.urlsplit(self.url())
        assert parts.hostname is not None
        assert parts.port is not None
        with FaultProxy((parts.hostname, parts.port)) as proxy:
            yield proxy, self.url().replace(f":{parts.port}/", f":{proxy.port}/")

    def assign(self, *numbers: int, **more: Any) -> None:
        for number in numbers:
            self.put(json.dumps(envelope(self.agency, number, **more)).encode())

    def put(self, body: bytes) -> None:
        key = f"agency.{self.agency}.tasks"
        self._channel.basic_publish("agency.tasks", key, body, mandatory=True)

    def waiting(self) -> int:
        """How many messages lie ready on the agency's queue."""
        name = f"agency.{self.agency}.tasks"
        return int(self._channel.queue_declare(name, passive=True).method.message_count)

    def delete_queue(self) -> None:
        """Take the queue from under the agency, as an operator may."""
        self._channel.queue_delete(f"agency.{self.agency}.tasks")

    def make_queue(self) -> None:
        """Make it anew, as routing does."""
        name = f"agency.{self.agency}.tasks"
        self._channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})
        self._channel.queue_bind(name, "agency.tasks", name)

    def close_connections(self) -> int:
        """Close the agency's connections, as an operator does; how many there were."""
        management = self.backend.management
        mine = [
            each["name"]
            for each in management.call("GET", "/connections")
            if each.get("user") == self.agency
        ]
        for name in mine:
            management.call("DELETE", f"/connections/{urllib.parse.quote(name, safe='')}")
        return len(mine)

    def answers(self) -> list[tuple[Any, Any, dict[str, Any]]]:
        """What has come in on routing's queue: (delivery, properties, envelope), and take it."""
        found = []
        while True:
            method, properties, body = self._channel.basic_get("routing.answers", auto_ack=True)
            if method is None:
                return found
            found.append((method, properties, json.loads(body)))

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def broker(on_servers: ServersBackend) -> Iterator[CityBroker]:
    city = SmallCity()
    users = ["intake", "routing", "notify", *city.codes]
    passwords = {user: secrets.token_urlsafe(16) for user in users}
    made = definitions(city, passwords, vhost=on_servers.vhost)
    with on_servers.management.defined(made, users):
        opened = CityBroker(on_servers, city, passwords)
        yield opened
        opened.close()


@pytest.fixture
def client(broker: CityBroker, tmp_path: Path) -> Iterator[Client]:
    with Client(broker.agency, url=broker.url(), store=tmp_path / "agency.db") as made:
        yield made
