"""The promises kept by real processes: a database that goes and comes, and SIGTERM in the middle.

That each command starts, is ready and stops is tried in tests/messaging/test_processes.py.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from shared.catalogue import Catalogue
from shared.kernel.clock import RealClock, to_vn
from shared.settings import SERVICES
from simulation.keys import issue_keys
from simulation.kit import Desk, Process, filing, service_process
from simulation.kit.processes import environment
from tests.backends import Backend, EmbeddedBackend, ServersBackend
from tests.embedded.townsfolk import INTERLINKED, TODAYS_OFFICE, messages
from tests.promises.test_away import line_to
from tests.promises.town import Town, check_once, portrait

pytestmark = [pytest.mark.slow]
STOP_SECONDS = 10.0


@pytest.fixture
def today_town(backend: Backend, catalogue: Catalogue) -> Iterator[Town]:
    """A town whose clock shows today, as that of the processes beside it does."""
    made = Town(backend, catalogue, start=RealClock().now())
    yield made
    made.close()


def test_a_work_process_outlives_its_database_and_its_broker(on_servers: ServersBackend):
    settings = on_servers.settings("notify")
    Town(on_servers, _catalogue()).close()  # the databases are made
    with ExitStack() as stack:
        database, database_url = stack.enter_context(line_to(settings.database_url))
        broker, amqp_url = stack.enter_context(line_to(settings.amqp_url))
        env = {"LIENTHONG_DATABASE_URL": database_url, "LIENTHONG_AMQP_URL": amqp_url}
        work = stack.enter_context(service_process(settings, "work", env=env))
        work.wait_until_ready()
        for server in (database, broker):
            server.cut()
            told = json.loads(work.until("/readyz", 503))
            assert told["ready"] is False
            assert work.ops("/healthz")[0] == 200, "away is no reason for a restart"
            server.heal()
            work.wait_until_ready()
        assert "lienthong_inbox_held" in work.ops("/metrics")[1]
        stop(work)
    events = [json.loads(line)["event"] for line in work.log.read_text().splitlines()]
    assert "loop.waiting" in events
    assert "loop.recovered" in events


def test_databases_that_vanish_are_told_in_time_and_healed_alone(
    on_servers: ServersBackend, catalogue: Catalogue
):
    """Every byte is taken and none is answered: no process hangs in it, and none is started anew."""
    town = Town(on_servers, catalogue, start=RealClock().now())
    key = issue_keys(town.city.intake.store, "desk", [TODAYS_OFFICE])[TODAYS_OFFICE]
    with ExitStack() as stack:
        lines, running = [], []
        for name in SERVICES:
            settings = on_servers.settings(name)
            line, url = stack.enter_context(line_to(settings.database_url))
            lines.append(line)
            env = {
                "LIENTHONG_DATABASE_URL": url,
                "LIENTHONG_DATABASE_ANSWER_SECONDS": "4",
                "LIENTHONG_DATABASE_CONNECT_SECONDS": "2",
            }
            kinds = ("work", "web") if name == "intake" else ("work",)
            running += [
                stack.enter_context(service_process(settings, kind, env=env)) for kind in kinds
            ]
        web = running[1]
        for each in running:
            each.wait_until_ready()
        desk = Desk(
            web.door, key, TODAYS_OFFICE, town.procedure, lambda: to_vn(RealClock().now()).date()
        )
        first = desk.submit(INTERLINKED)
        for line in lines:
            line.hole()
        body = filing(town.procedure(INTERLINKED), 1, today=to_vn(RealClock().now()).date())
        began = time.monotonic()
        refused = desk.ask("POST", "/dossiers", body=body, key="while it is gone")
        assert time.monotonic() - began < 30
        assert refused.status == 503
        assert refused.json()["code"] == "database_away"
        for each in running:
            each.until("/readyz", 503)
            began = time.monotonic()
            assert each.ops("/healthz")[0] == 200
            assert each.ops("/readyz")[0] == 503
            assert "lienthong_database_away 1.0" in each.ops("/metrics")[1]
            assert time.monotonic() - began < 10, "a door waited for what it tells of"
        for line in lines:
            line.heal()
        for each in running:
            each.wait_until_ready()
        again = desk.ask("POST", "/dossiers", body=body, key="while it is gone").json()
        codes = {first.code, again["code"]}
        wait_until(lambda: codes <= {m.dossier for m in messages(town.city) if m.sent_at})
        for each in running:
            stop(each)
    town.close()


def _catalogue() -> Catalogue:
    from shared.catalogue import load
    from shared.settings import PROJECT

    return load(PROJECT / "catalogue")


def stop(process: Process) -> None:
    process.send(signal.SIGTERM)
    assert process.wait(STOP_SECONDS) == 0, process.log.read_text()


def test_web_stopped_in_the_middle_of_requests_keeps_every_receipt(today_town: Town):
    town = today_town
    today = to_vn(RealClock().now()).date()
    body = filing(town.catalogue.procedure(INTERLINKED, today), 1, today=today)
    key = issue_keys(town.city.intake.store, "desk", [TODAYS_OFFICE])[TODAYS_OFFICE]
    receipts: list[str] = []
    enough, over = threading.Event(), threading.Event()

    def citizen(web: Process) -> None:
        desk = Desk(web.door, key, TODAYS_OFFICE, town.procedure)
        while not over.is_set():
            try:
                receipts.append(desk.file(body).code)
            except httpx2.TransportError:
                return  # the door is closed
            if len(receipts) >= 6:
                enough.set()

    settings = town.backend.settings("intake")
    with service_process(settings, "web", "--server", "waitress") as web:
        web.wait_until_ready()
        citizens = [threading.Thread(target=citizen, args=(web,)) for _ in range(3)]
        for each in citizens:
            each.start()
        assert enough.wait(60)
        stop(web)
        over.set()
        for each in citizens:
            each.join(30)
    desk = town.desk()
    assert len(set(receipts)) == len(receipts) >= 6
    for code in receipts:
        assert desk.status(code) == 2


def test_all_work_stopped_in_the_middle_leaves_nothing_half_done(
    on_servers: ServersBackend, catalogue: Catalogue
):
    town = Town(on_servers, catalogue, start=RealClock().now())
    codes = [town.desk().submit(INTERLINKED).code for _ in range(8)]
    with ExitStack() as stack:
        work = [
            stack.enter_context(service_process(on_servers.settings(name), "work"))
            for name in SERVICES
        ]
        wait_until(lambda: any(str(one.state) == "sent" for one in messages(town.city)))
        for each in work:
            each.send(signal.SIGTERM)
        for each in work:
            assert each.wait(STOP_SECONDS) == 0, each.log.read_text()
    town.clock.set(RealClock().now())  # what the processes made is not in its future
    town.finish(*codes)
    check_once(town.city, *codes)
    drawn = [portrait(town.city, code, at=False) for code in codes]
    assert drawn == drawn[:1] * len(codes)
    town.close()


def wait_until(done: Any) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_measures_of_a_process_count_what_it_did(
    on_servers: ServersBackend, catalogue: Catalogue
):
    town = Town(on_servers, catalogue, start=RealClock().now())
    town.desk().submit(INTERLINKED)
    with service_process(on_servers.settings("intake"), "work") as work:
        work.wait_until_ready()
        wait_until(lambda: measured(work, "lienthong_facts_sent_total").get("confirmed") == 2.0)
        page = work.ops("/metrics")[1]
        stop(work)
    for name in ("lienthong_outbox_unsent", "lienthong_outbox_oldest_seconds", "lienthong_loop_ok"):
        assert name in page
    town.close()


def measured(work: Process, name: str) -> Mapping[str, float]:
    """Outcome -> value of a counter."""
    found = {}
    for line in work.ops("/metrics")[1].splitlines():
        if line.startswith(f'{name}{{outcome="'):
            label, _, value = line.partition('="')[2].partition('"} ')
            found[label] = float(value)
    return found


def test_the_city_in_one_process_shows_its_health_and_measures_too(
    embedded: EmbeddedBackend, tmp_path: Path
):
    env = environment(embedded.settings("intake")) | {"LIENTHONG_DATABASE_URL": ""}
    with Process(["serve"], env, tmp_path / "serve.log", doors=len(SERVICES)) as served:
        for door, service in enumerate(SERVICES):
            assert json.loads(served.until("/readyz", 200, door))["service"] == service
            assert json.loads(served.ops("/healthz", door)[1])["loops"][f"{service}.relay"] == "ok"
            measures = served.ops("/metrics", door)[1]
            assert f'lienthong_loop_ok{{loop="{service}.relay"}} 1.0' in measures
        stop(served)
