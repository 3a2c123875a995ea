"""`lienthong agency add|rotate|pause|resume|remove` on a real broker, tried by the kit itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from partner import Client, Message
from partner.errors import PartnerError
from services.__main__ import cli
from services.routing import app
from services.routing.delivery.carrying import carry_out
from services.routing.delivery.management import Management
from services.routing.storage import queues, views
from shared.catalogue import load
from shared.events.agencies import TaskAssigned
from shared.events.names import ROUTING_TASKS, agency_queue
from shared.events.parts import ProcedureName, Step
from shared.kernel.clock import RealClock
from shared.kernel.ids import RandomIds
from shared.messaging import Bus
from shared.messaging.tables import LEDGERS
from shared.settings import PROJECT
from tests.backends import ServersBackend
from tests.migrating import migrate
from tests.partner.conftest import until

#: Has no program by the catalogue, and so nothing at the broker.
CODE = "ubnd-xa-my-ngai"
USERS = tuple(f"{CODE}{each}" for each in ("", ".2", ".3"))


class Ways:
    """Routing on a broker, an operator at the shell, and the programs of one agency."""

    def __init__(self, backend: ServersBackend, folder: Path) -> None:
        self.backend, self.folder = backend, folder
        backend.migrated("routing", partial(migrate, "routing"))
        settings = backend.settings("routing")
        self.url = backend.servers.management_url
        self.bus = Bus(settings.amqp_url)
        catalogue = load(PROJECT / "catalogue")
        self.routing = app.build(
            settings, catalogue=catalogue, clock=RealClock(), ids=RandomIds(), bus=self.bus
        )
        self.env = {
            "LIENTHONG_ROUTING_DATABASE_URL": settings.database_url,
            "LIENTHONG_ROUTING_AMQP_URL": settings.amqp_url,
            "LIENTHONG_DATA_DIR": str(backend.data_dir),
            "LIENTHONG_MANAGEMENT_URL": self.url,
        }
        self.programs: list[Client] = []

    def type(self, *words: str, ok: bool = True, **env: str) -> Any:
        done = CliRunner().invoke(cli, ["agency", *words], env=self.env | env)
        assert (done.exit_code == 0) is ok, (done.output, done.exception)
        return done

    def carry(self) -> list[str]:
        door = Management(self.url, self.backend.vhost)
        try:
            return [each.said.en for each in carry_out(self.routing.store, door)]
        finally:
            door.close()

    def hand_over(self, task: str) -> None:
        """A task, until the relay is done with it."""
        store = self.routing.store
        with store.begin() as uow:
            uow.record(
                TaskAssigned(
                    task=task, dossier="000.00.01.H20-220301-0001", agency=CODE,
                    procedure=ProcedureName(code="1.004222", name="Thường trú"),
                    step=Step(code="residence", name="Đăng ký"), assigned_at=uow.now,
                    form={}, papers=(), results=(),
                )
            )  # fmt: skip
        (relay,) = (each for each in self.routing.loops if each.name == "routing.relay")
        outbox = LEDGERS.outbox.c
        unsent = sa.select(sa.func.count()).where(outbox.sent_at.is_(None))

        def is_sent() -> bool:
            relay.step(0)
            with store.query() as connection:
                return connection.scalar(unsent) == 0

        until(is_sent)

    def at_door(self) -> int:
        with self.routing.store.read() as connection:
            return len(views.handed_over(connection, f"{ROUTING_TASKS} {CODE}", 0, 50).messages)

    def program(self, told: str) -> Client:
        """The agency's program with what was printed."""
        (url,) = re.findall(r"^PARTNER_URL=(\S+)$", told, re.MULTILINE)
        store = self.folder / f"{len(self.programs)}.db"
        self.programs.append(Client(CODE, url=url, store=store))
        return self.programs[-1]

    def there(self, path: str) -> Any:
        return self.backend.management.call("GET", path)

    def queue(self) -> Any:
        return self.there(f"/queues/{self.backend.vhost}/{agency_queue(CODE)}")

    def end_grace(self) -> None:
        """As if a day had passed."""
        with self.routing.store.begin() as uow:
            found = queues.of(uow.connection, CODE)
            assert found is not None
            queues.put(uow, replace(found, old_until=uow.now - timedelta(seconds=1)))

    def close(self) -> None:
        for each in self.programs:
            each.close()
        for loop in self.routing.loops:
            loop.close()
        self.routing.close()
        self.bus.close()


@pytest.fixture
def ways(on_servers: ServersBackend, tmp_path: Path) -> Iterator[Ways]:
    with on_servers.management.defined({"users": []}, USERS):
        made = Ways(on_servers, tmp_path)
        yield made
        made.close()


def taken(program: Client, wait: float = 10.0) -> list[str]:
    """What a program is handed now."""
    found: list[Message] = []
    end = time.monotonic() + wait
    while not found and time.monotonic() < end:
        program.poll(found.append, wait=0.2)
    return [each.task for each in found]


def is_out(program: Client) -> Callable[[], bool]:
    def refused() -> bool:
        try:
            program.poll(lambda message: None, wait=0.1)
        except PartnerError:
            return True
        return False

    return refused


def test_a_queue_is_given_rotated_paused_and_taken_away_and_no_task_is_lost(ways: Ways) -> None:
    ways.hand_over("before")
    assert ways.queue() is None, "without a program nothing is on the broker"
    told = ways.type("add", CODE).output
    first = ways.program(told)
    assert "PARTNER_DOOR_KEY=lt_" in told
    again = ways.type("add", CODE).output
    assert "PARTNER_" not in again
    assert ways.carry() == [], "once more adds nothing"
    ways.hand_over("one")
    assert taken(first) == ["one"]
    first.take("one")
    assert first.flush() == 1

    second = ways.program(ways.type("rotate", CODE).output)
    assert "grace" in str(ways.type("rotate", CODE, ok=False).exception)
    ways.hand_over("two")
    assert taken(first) + taken(second, 1.0) == ["two"], "both names read the one queue"
    first.take("two")
    assert first.flush() == 1, "and the old one answers on"
    assert f"signed in as the user {CODE}.2" in [each.en for each in second.check()]
    ways.end_grace()
    assert ways.carry() == [f"withdrew the user {CODE}"]
    until(is_out(first))
    assert ways.carry() == []
    ways.hand_over("two-and-half")
    assert taken(second) == ["two-and-half"]
    second.take("two-and-half")
    assert second.flush() == 1

    ways.type("pause", CODE, "--why", "nghi lộ mật khẩu")
    assert "PAUSED" in ways.type("list", CODE).output
    until(is_out(second))
    ways.hand_over("three")
    assert not is_out_for_good(ways, second)

    ways.hand_over("four")
    ways.type("remove", CODE)
    until(is_out(second))
    ways.hand_over("five")
    assert ways.queue() is None
    assert not [each for each in ways.there("/users") if each["name"] in USERS]
    assert ways.at_door() == 7, "what was not fetched is at the door"
    assert "không đổi gì" in ways.type("remove", CODE).output


def is_out_for_good(ways: Ways, program: Client) -> bool:
    """Whether a program stays away after its agency may go on; it is handed what waited."""
    ways.type("resume", CODE)
    found: list[Message] = []

    def came() -> bool:
        try:
            program.poll(found.append, wait=0.2)
        except PartnerError:
            return False
        return bool(found)

    until(came)
    return [each.task for each in found] != ["three"]


def test_what_cannot_be_carried_out_is_kept_and_says_why(ways: Ways) -> None:
    wrong = re.sub(r"//[^:]+:[^@]+@", "//guest:not-this@", ways.url)
    refused = ways.type("add", CODE, ok=False, LIENTHONG_MANAGEMENT_URL=wrong)
    assert "does not know this user or password" in str(refused.exception)
    assert "not-this" not in refused.output + str(refused.exception)
    nobody = re.sub(r":\d+$", ":1", ways.url)
    away = ways.type("resume", CODE, ok=False, LIENTHONG_MANAGEMENT_URL=nobody)
    assert "cannot be reached" in str(away.exception)
    assert "NOT YET" in ways.type("list", CODE).output
    assert len(ways.carry()) == 2, "the queue and its user, as they were wished"
    ways.hand_over("one")
    assert taken(ways.program(refused.output)) == ["one"], "the password that was shown"


def test_a_broker_that_lost_all_has_it_again_and_a_stranger_goes(ways: Ways) -> None:
    program = ways.program(ways.type("add", CODE).output)
    management = ways.backend.management
    management.call("DELETE", f"/users/{CODE}")
    management.call("DELETE", f"/queues/{ways.backend.vhost}/{agency_queue(CODE)}")
    management.call("PUT", f"/users/{CODE}.3", {"password": "x", "tags": ""})
    assert sorted(ways.carry()) == [
        "made the queue", f"set the user {CODE}", f"withdrew the user {CODE}.3",
    ]  # fmt: skip
    ways.hand_over("one")
    assert taken(program) == ["one"]
