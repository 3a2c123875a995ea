"""The kit's city as real processes: the same people at the same doors, over HTTP and AMQP."""

from __future__ import annotations

import json
import signal
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.__main__ import cli
from shared.kernel.clock import to_vn
from shared.settings import PROJECT, SERVICES, Settings
from simulation.kit import RunningCity, filing, run_city, service_process
from simulation.kit.processes import DidNotRun
from tests.backends import ServersBackend
from tests.migrating import migrate

BIRTH, WARD = "2.000986", "ubnd-phuong-cao-lanh"

pytestmark = [pytest.mark.slow]


def test_one_process_serves_everybody_over_http_and_ends_well(tmp_path: Path):
    with run_city(tmp_path, options=["--autopilot", "--delay", "0"]) as city:
        desk = city.desk(WARD)
        receipt = desk.file(filing(city.procedure(BIRTH), today=to_vn(city.now()).date()))
        city.until(lambda: desk.status(receipt.code) == 9)
        city.until(lambda: len(city.sent(receipt.code)) == 2)
        status, page = city.processes["serve"].ops("/")
        assert (status, "routing.deadlines" in page) == (200, True), (
            "all three services on one page"
        )
        assert receipt.code in city.citizen(receipt.code, receipt.word).page()
        with city.agency(city.agencies_of(BIRTH, WARD)[0]) as agency:
            assert [task.dossier for task in agency.tasks(closed=True)] == [receipt.code]
        assert receipt.code in city.operator().browser().get("/tin-nhan").text
        assert city.stop() == {"serve": 0}


def test_on_servers_every_service_has_processes_of_its_own(on_servers: ServersBackend):
    for service in SERVICES:
        on_servers.migrated(service, partial(migrate, service))
    with run_city(
        on_servers.data_dir,
        database={name: on_servers.settings(name).database_url for name in SERVICES},
        broker=on_servers.amqp_url(),
        apart=True,
        env={"LIENTHONG_SECRET_KEY": "a key for tests alone, it opens no door"},
    ) as city:
        desk = city.desk(WARD)
        code = desk.submit(BIRTH).code
        for name in city.agencies_of(BIRTH, WARD):
            with city.agency(name, way="queue") as agency:
                city.until(lambda agency=agency: agency.tasks(code) != [])
                agency.grant(agency.tasks(code)[0])
        city.until(lambda: desk.status(code) == 9)
        city.until(lambda: len(city.sent(code)) == 2)
        assert stands(on_servers, city) == (0, [])
        assert set(city.stop().values()) == {0}
        exit_code, acts = stands(on_servers, city)
        assert exit_code == 1
        assert "routing.answers" in acts, "nobody reads it any more"


def stands(on_servers: ServersBackend, city: RunningCity) -> tuple[int, list[str]]:
    """`lienthong status` as an operator types it beside the processes: its exit, and who must act."""
    env = {
        f"LIENTHONG_{name.upper()}_DATABASE_URL": on_servers.settings(name).database_url
        for name in SERVICES
    }
    ports = [each.ops_port for each in city.processes.values()]
    env["LIENTHONG_AMQP_URL"] = on_servers.amqp_url()
    env["LIENTHONG_STATUS_DOORS"] = " ".join(f"http://127.0.0.1:{port}" for port in ports)
    done = CliRunner().invoke(cli, ["status", "--json"], env=env)
    lines = json.loads(done.output)["lines"]
    return done.exit_code, [each["name"] for each in lines if each["level"] == "act"]


def test_a_process_that_cannot_run_says_so_at_once_and_where_to_look(tmp_path: Path):
    settings = Settings(
        service="routing", data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'r.db'}"
    )
    with service_process(settings, "work") as work:
        with pytest.raises(DidNotRun, match=r"routing work ended; see routing-work\.log"):
            work.wait_until_ready()
        assert work.wait() == 2
        assert "memory bus lives inside one process" in work.log.read_text(encoding="utf-8")


def test_a_process_is_killed_at_the_end_of_its_block(tmp_path: Path):
    env = {
        "LIENTHONG_DATA_DIR": str(tmp_path),
        "LIENTHONG_CATALOGUE_DIR": str(PROJECT / "catalogue"),
    }
    with run_city(tmp_path, env=env) as city:
        serve = city.processes["serve"]
        assert serve.alive
    assert serve.wait() == -signal.SIGKILL
