"""`lienthong status` and the operators' page: what stands, since when, and who must do what."""

from __future__ import annotations

import json
import shlex
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from services.__main__ import cli
from services.notify.storage.tables import messages
from shared.catalogue import Catalogue
from shared.kernel.clock import parse_instant
from shared.messaging import Bus, OutMessage
from shared.messaging.overview import Part, look
from shared.messaging.standing import EXIT_CODES, worst
from shared.settings import SERVICES
from shared.web.ops import OpsApp
from shared.web.server import WebServer
from shared.web.status import operators_door, page
from simulation.kit import open_city
from tests.backends import Backend, ServersBackend
from tests.embedded.townsfolk import INTERLINKED
from tests.promises.operator import Operator
from tests.promises.test_parked import publish
from tests.promises.town import Town


@dataclass
class Told:
    """What a monitor sees: the exit code and the lines by name."""

    code: int
    told: dict[str, Any]

    @property
    def lines(self) -> dict[str, dict[str, Any]]:
        return {line["name"]: line for line in self.told["lines"]}

    def acts(self) -> set[str]:
        return {name for name, line in self.lines.items() if line["level"] in ("act", "unknown")}


@pytest.fixture
def door(town: Town) -> Iterator[WebServer]:
    """The operators' port of the town's process."""
    services = town.city.services
    app = operators_door(OpsApp(services["intake"]), services, None)
    server = WebServer(app).start()
    yield server
    server.stop()


def asking(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Told]:
    """`lienthong status --json` in the environment of an operator."""
    for service in SERVICES:
        settings = backend.settings(service)
        monkeypatch.setenv(f"LIENTHONG_{service.upper()}_DATABASE_URL", settings.database_url)
        monkeypatch.setenv("LIENTHONG_AMQP_URL", settings.amqp_url)
        monkeypatch.setenv("LIENTHONG_AMQP_PREFIX", settings.amqp_prefix)
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(backend.data_dir))

    def ask(*arguments: str) -> Told:
        done = CliRunner().invoke(cli, ["status", "--json", *arguments])
        return Told(done.exit_code, json.loads(done.output))

    return ask


@pytest.fixture
def asks(town: Town, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Told]:
    Operator(town, monkeypatch)  # under the town's clock
    return asking(town.backend, monkeypatch)


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


def test_a_calm_city_needs_nobody_and_a_parked_fact_a_person_by_sender_and_reason(
    town: Town, asks: Callable[..., Told], door: WebServer
):
    town.finish(town.desk().submit(INTERLINKED).code)
    calm = asks("--door", door.url)
    assert (calm.code, calm.acts()) == (0, set()), calm.told
    if not town.backend.embedded:
        assert calm.lines["routing.facts"]["readers"] == 1
        assert calm.lines["notify.dead-letters"]["count"] == 0

    publish(town, b"\xff no fact of ours")
    publish(town, b"\xfe nor this")
    town.carry(lambda: len(asks("--door", door.url).acts()) == 2)
    told = asks("--door", door.url)
    assert told.code == 1
    parked = told.lines["routing.facts parked"]
    assert parked["count"] == 2
    assert "not JSON in UTF-8" in parked["vi"]
    assert "lienthong parked discard --service routing" in parked["act_vi"]
    command = parked["act_en"].partition("; lienthong ")[2]
    assert "--reason 'unreadable: envelope: not JSON in UTF-8'" in command
    act = [*shlex.split(command), "--who", "lan", "--why", "rác"]
    counted = CliRunner().invoke(cli, act)
    assert "2 facts fit" in counted.output, "what the line says can be typed as it stands"

    shown = json.loads(get(f"{door.url}/status.json"))
    same = [line for line in told.told["lines"] if line["part"] not in ("loops", "servers")]
    of_page = [line for line in shown["lines"] if line["part"] not in ("loops", "servers")]
    if town.backend.embedded:  # only the process itself sees into the memory of its bus
        of_page = [line for line in of_page if line["part"] not in ("queues", "dead letters")]
    assert of_page == same
    text = get(f"{door.url}/")
    assert "PHẢI LÀM" in text
    assert "lienthong parked discard --service routing" in text


def test_queues_that_nobody_reads_and_dead_letters_are_told(
    on_servers: ServersBackend, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
):
    town = Town(on_servers, catalogue)
    town.close()  # all processes stop, and nobody parks what lies dead
    bus = Bus(on_servers.amqp_url())
    publisher = bus.publisher()
    sent = publisher.publish([OutMessage(1, "", "notify.dead-letters", b"came back too often")])
    assert sent.failed == {}
    publisher.close()
    bus.close()
    told = asking(on_servers, monkeypatch)("--door", "http://127.0.0.1:9")
    assert told.code == 1
    queues = {"intake.facts", "routing.facts", "routing.answers", "notify.facts", "notify.contacts"}
    assert told.acts() == {*queues, "notify.dead-letters", "http://127.0.0.1:9"}
    assert "lienthong routing work" in told.lines["routing.answers"]["act_vi"]
    assert told.lines["notify.dead-letters"]["count"] == 1


def test_what_cannot_be_asked_is_said_and_never_taken_for_well(
    town: Town, asks: Callable[..., Told], door: WebServer, monkeypatch: pytest.MonkeyPatch
):
    nowhere = "postgresql+psycopg://nobody:nothing@127.0.0.1:9/nowhere"
    monkeypatch.setenv("LIENTHONG_ROUTING_DATABASE_URL", nowhere)
    monkeypatch.setenv("LIENTHONG_AMQP_URL", "amqp://nobody:nothing@127.0.0.1:9//")
    told = asks("--door", door.url)
    assert told.code == 2
    assert told.lines["intake database"]["level"] == "ok"
    assert told.lines["routing database"]["level"] == "unknown"
    (broker,) = [line for name, line in told.lines.items() if name.startswith("broker")]
    assert broker["level"] == "unknown"
    assert "nothing@" not in json.dumps(told.told)


def test_what_others_must_do_wakes_nobody_and_a_letter_that_nobody_can_judge_does(tmp_path):
    with open_city(tmp_path) as city:
        desk = city.desk("ubnd-phuong-1")
        due = parse_instant(desk.submit(INTERLINKED).told["due_at"])
        city.rest()
        city.set(due + timedelta(hours=1))  # later the city apologises by itself
        city.rest()
        services = city.built.services

        def lines():
            return look({n: Part(s.store, s.matters, s.bus) for n, s in services.items()})

        late = {line.name: line for line in lines() if line.part == "work"}
        agency = city.agencies_of(INTERLINKED, "ubnd-phuong-1")[0]
        assert late[f"agency {agency}"].count == 1
        assert late["office ubnd-phuong-1"].count == 1
        assert EXIT_CODES[worst(lines())] == 0, [line for line in lines() if line.level == "act"]
        with services["notify"].store.begin() as uow:
            some = sa.select(messages.c.id).limit(1).scalar_subquery()
            uow.connection.execute(
                messages.update().where(messages.c.id == some).values(state="uncertain")
            )
        assert [line.name for line in lines() if line.level == "act"] == ["messages uncertain"]
        assert EXIT_CODES[worst(lines())] == 1
        assert "messages list --state uncertain" in page(lines(), city.now())
