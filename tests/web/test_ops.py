from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from werkzeug.test import Client

from shared.kernel.clock import RealClock
from shared.kernel.errors import BrokerAway, DatabaseAway
from shared.messaging.advice import Both
from shared.messaging.loops.supervisor import Supervisor, Trouble
from shared.messaging.metrics import Metrics, ledgers
from shared.messaging.standing import Line
from shared.web.ops import HealthDoors, OpsApp
from shared.web.server import WebServer
from shared.web.status import StatusDoor
from tests.messaging.loops import Scripted, make_store
from tests.promises.test_away import line_to


class Part:
    """A database or broker that can be sent away."""

    def __init__(self, error):
        self.error, self.away, self.asked = error, False, 0

    def ping(self):
        self.asked += 1
        if self.away:
            raise self.error


class Loops:
    def __init__(self):
        self.well = True

    def healthy(self):
        return self.well

    def ready(self):
        return self.well

    def report(self):
        return {"relay": "ok" if self.well else "stuck"}

    def failing(self):
        return [] if self.well else [Trouble("relay", "stuck", 130.4)]


@pytest.fixture
def parts():
    service = SimpleNamespace(
        name="intake",
        store=Part(DatabaseAway("gone")),
        bus=Part(BrokerAway("gone")),
        metrics=Metrics(),
    )
    at = [0.0]
    return SimpleNamespace(service=service, loops=Loops(), at=at, now=lambda: at[0])


def ready(client):
    answer = client.get("/readyz")
    return answer.status_code, json.loads(answer.data)


def test_a_process_with_loops_is_ready_when_database_broker_and_loops_are(parts):
    client = Client(OpsApp(parts.service, parts.loops, now=parts.now))
    code, told = ready(client)
    assert code == 200
    assert told["database"] == told["broker"] == "ok"
    parts.service.bus.away = True
    parts.at[0] = 5
    code, told = ready(client)
    assert code == 503
    assert told == {
        "ready": False,
        "service": "intake",
        "database": "ok",
        "broker": "away",
        "age_seconds": {"database": 0.0, "broker": 0.0},
        "loops": {"relay": "ok"},
        "failing": [],
    }


def test_a_web_process_stays_ready_while_the_broker_is_away(parts):
    parts.service.bus.away = True
    client = Client(OpsApp(parts.service, now=parts.now))
    assert ready(client)[0] == 200
    parts.service.store.away = True
    parts.at[0] = 5
    assert ready(client)[0] == 503


def test_probes_do_not_become_a_load(parts):
    client = Client(OpsApp(parts.service, now=parts.now))
    for _ in range(20):
        ready(client)
    assert parts.service.store.asked == 1


def test_a_stuck_loop_makes_the_process_unhealthy(parts):
    client = Client(OpsApp(parts.service, parts.loops, now=parts.now))
    assert client.get("/healthz").status_code == 200
    parts.loops.well = False
    assert client.get("/healthz").status_code == 503


def test_a_loop_that_fails_makes_the_process_unready_and_is_named_with_its_time(parts):
    parts.loops.well = False
    code, told = ready(Client(OpsApp(parts.service, parts.loops, now=parts.now)))
    assert code == 503
    (failing,) = told["failing"]
    assert (failing["loop"], failing["kind"], failing["seconds"]) == ("relay", "stuck", 130)
    age = datetime.now(UTC) - datetime.fromisoformat(failing["since"])
    assert timedelta(seconds=129) < age < timedelta(minutes=10)


def test_a_failing_loop_of_a_real_supervisor_is_told_until_it_is_well_again(parts):
    mended = threading.Event()

    def step():
        if not mended.is_set():
            raise KeyError
        return 0

    supervisor = Supervisor([Scripted("intake.due", step)])
    client = Client(OpsApp(parts.service, supervisor))
    supervisor.start()
    kinds = [each["kind"] for each in until(client, 503)["failing"]]
    assert kinds == ["KeyError"]
    mended.set()
    assert until(client, 200)["failing"] == []
    supervisor.stop()


def until(client, status):
    end = time.monotonic() + 60
    while True:
        code, told = ready(client)
        if code == status:
            return told
        assert time.monotonic() < end
        time.sleep(0.02)


def test_no_door_waits_for_a_database_that_says_nothing(on_servers):
    """It takes every byte and answers none, for longer than anybody waits for a health door."""
    with line_to(on_servers.settings("intake").database_url) as (proxy, url):
        store = make_store(url)
        service = SimpleNamespace(
            name="intake", store=store, bus=Part(BrokerAway("gone")), metrics=Metrics()
        )
        service.metrics.measure(ledgers(store))
        service.metrics.loops(lambda: {"relay": "ok"})
        client = Client(OpsApp(service))
        assert until(client, 200)["database"] == "ok"
        assert "lienthong_database_away 0.0" in client.get("/metrics").text
        proxy.hole()
        told = until(client, 503)
        assert told["database"] == "away"
        assert told["age_seconds"]["database"] > 0
        for path in ("/healthz", "/readyz", "/metrics"):
            began = time.monotonic()
            client.get(path)
            assert time.monotonic() - began < 5, path
        page = client.get("/metrics").text
        assert "lienthong_database_away 1.0" in page
        assert "lienthong_outbox_unsent" not in page
        assert 'lienthong_loop_ok{loop="relay"} 1.0' in page
        proxy.heal()
        until(client, 200)
        store.close()


def test_metrics_are_there_for_prometheus(parts):
    parts.service.metrics.handled("intake.facts", "dossier.started", "done")
    answer = Client(OpsApp(parts.service)).get("/metrics")
    assert answer.content_type.startswith("text/plain")
    assert "lienthong_facts_handled_total{" in answer.text


def test_there_is_no_other_door_and_nothing_can_be_posted(parts):
    client = Client(OpsApp(parts.service))
    assert client.get("/").status_code == 404
    assert client.post("/healthz").status_code == 405


def test_a_public_app_shows_health_but_no_metrics(parts, tiny):
    client = Client(HealthDoors(tiny.app, OpsApp(parts.service)))
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert client.get("/metrics").status_code == 404
    assert client.get("/docs").status_code == 200


def test_a_look_that_hangs_never_takes_the_threads_of_the_probes(parts):
    looking, go_on = threading.Event(), threading.Event()

    def look():
        looking.set()
        assert go_on.wait(60)
        return [Line(part="servers", name="intake database", said=Both("trả lời", "answers"))]

    door = StatusDoor(OpsApp(parts.service), look, RealClock())
    with ThreadPoolExecutor() as people, closing_server(WebServer(door, threads=2)) as server:
        first = people.submit(_asked, f"{server.url}/")
        assert looking.wait(60)
        others = [_asked(f"{server.url}/status.json") for _ in range(3)]
        assert [status for status, _ in others] == [503, 503, 503]
        assert _asked(f"{server.url}/readyz")[0] == 200
        go_on.set()
        status, text = first.result(60)
    assert status == 200
    assert "intake database" in text


@contextmanager
def closing_server(server):
    yield server.start()
    server.stop()


def _asked(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()
