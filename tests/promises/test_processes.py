"""The promises kept by real processes: a database that goes and comes, and SIGTERM in the middle.

That each command starts, is ready and stops is tried in tests/messaging/test_processes.py.
"""

from __future__ import annotations

import json
import signal
import threading
import time
import urllib.error
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from shared.catalogue import Catalogue
from shared.kernel.clock import RealClock, to_vn
from shared.settings import SERVICES
from tests.backends import Backend, EmbeddedBackend, ServersBackend
from tests.embedded.townsfolk import INTERLINKED, filing, messages
from tests.ports import free_ports_in_a_row
from tests.promises.processes import Process, key_for
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
        work = stack.enter_context(Process(on_servers, "notify", "work", env=env))
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
    body = filing(town.catalogue.procedure(INTERLINKED, today), 1)
    key = key_for(town.city.intake, "desk", "ubnd-phuong-1")
    receipts: list[str] = []
    enough, over = threading.Event(), threading.Event()

    def citizen(web: Process) -> None:
        while not over.is_set():
            try:
                receipts.append(web.post("/api/v1/dossiers", body, key)["code"])
            except (urllib.error.URLError, OSError):
                return  # the door is closed
            if len(receipts) >= 6:
                enough.set()

    with Process(town.backend, "intake", "web", "--server", "waitress") as web:
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
    codes = [town.desk().submit() for _ in range(8)]
    with ExitStack() as stack:
        work = [stack.enter_context(Process(on_servers, name, "work")) for name in SERVICES]
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
    town.desk().submit()
    with Process(on_servers, "intake", "work") as work:
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
    first = free_ports_in_a_row(3)
    env = {"LIENTHONG_OPS_PORT": str(first), "LIENTHONG_DATABASE_URL": ""}
    with Process(embedded, "serve", "--port", str(free_ports_in_a_row(3)), env=env) as served:
        for place, service in enumerate(SERVICES):
            served.ops_port = first + place
            assert json.loads(served.until("/readyz", 200))["service"] == service
            assert json.loads(served.ops("/healthz")[1])["loops"][f"{service}.relay"] == "ok"
            assert f'lienthong_loop_ok{{loop="{service}.relay"}} 1.0' in served.ops("/metrics")[1]
        stop(served)
