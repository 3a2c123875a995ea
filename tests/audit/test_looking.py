"""Who did it and who looked: every door notes it, in the city's own code and in real processes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from click.testing import CliRunner

from services.__main__ import cli
from services.commands import stores
from services.intake.app import MIGRATIONS
from shared.database import make_engine
from shared.database.migrate import upgrade
from shared.identity import audit
from shared.identity.audit import keeper
from shared.identity.audit.tables import LOG
from shared.kernel.errors import InvalidInput
from simulation.kit import City, open_city, run_city
from tests.backends import Backend
from tests.embedded.townsfolk import TODAYS_OFFICE

BIRTH = "2.000986"
OFFICE = "ubnd-phuong-1"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with open_city(tmp_path) as made:
        yield made


def acts(city: City, service: str) -> list[Any]:
    """What was noted at a service, once it is written."""
    built = city.built.services[service]
    for loop in built.beside:
        loop.close()
    with built.store.read() as connection:
        return list(connection.execute(sa.select(LOG).order_by(LOG.c.position)).all())


def told(row: Any) -> tuple[str, str, str]:
    return row.act, row.things, row.outcome


def test_a_desk_is_noted_for_what_it_files_sees_and_tries_to_see(city: City) -> None:
    desk = city.desk(OFFICE)
    code = desk.submit(BIRTH).code
    desk.status(code)
    desk.timeline(code)
    desk.ask("GET", "/dossiers")
    desk.ask("GET", "/dossiers", query={"text": "Nguyễn Thị Không Có"})
    assert city.desk("ubnd-phuong-2").ask("GET", f"/dossiers/{code}").status == 404
    page = desk.browser()
    page.get(f"/ho-so/{code}")
    rows = acts(city, "intake")
    found = [told(row) for row in rows]
    for act, outcome in (
        ("POST /api/v1/dossiers", "201"),
        ("GET /api/v1/dossiers/<string:code>", "200"),
        ("GET /api/v1/dossiers/<string:code>/timeline", "200"),
        ("GET /api/v1/dossiers", "200"),
        ("GET /api/v1/dossiers/<string:code>", "404"),
        ("GET /ho-so/<string:code>", "200"),
    ):
        assert (act, code, outcome) in found
    assert ("POST /dang-nhap", "", "303") in found
    assert found.count(("GET /api/v1/dossiers", code, "200")) == 1, "an empty list shows nothing"
    assert {row.actor.partition(":")[0] for row in rows} == {"officer"}
    assert len({row.actor for row in rows}) == 3, "two keys, and a person at the pages"
    assert {row.place for row in rows} == {"api 127.0.0.0/24", "page 127.0.0.0/24"}
    assert not [row for row in rows if "/lienthong/" in row.act or "tra-cuu" in row.act]


def test_citizens_agencies_and_operators_are_noted_and_nothing_personal_is(city: City) -> None:
    receipt = city.desk(OFFICE).submit(BIRTH)
    city.rest()
    code = receipt.code
    city.citizen(code, receipt.word).page()
    agency = city.agency(city.agencies_of(BIRTH, OFFICE)[0])
    (task,) = agency.tasks(code)
    agency.take(task.id, "Lê Thị Hoa")
    operator = city.operator()
    (message, *_) = operator.messages(dossier=code)
    operator.ask("GET", f"/messages/{message['id']}")
    citizens = [row for row in acts(city, "intake") if row.actor == "citizen"]
    assert [told(row) for row in citizens] == [("POST /tra-cuu", code, "200")]
    routing, notify = acts(city, "routing"), acts(city, "notify")
    assert {row.actor for row in routing} == {f"agency:{agency.code}"}
    assert any(task.id in row.things.split() for row in routing)
    assert any(row.act.startswith("POST") and row.act.endswith("answers") for row in routing)
    assert {row.actor.partition(":")[0] for row in notify} == {"operator"}
    assert any(message["id"] in row.things.split() and code in row.things for row in notify)
    everything = str([*acts(city, "intake"), *routing, *notify])
    for private in (receipt.word, "Hoa", "0907", "84907", "@"):
        assert private not in everything


def test_operators_see_a_citizens_words_only_by_an_act_that_is_written_down(city: City) -> None:
    receipt = city.desk(OFFICE).submit(BIRTH)
    city.rest()
    sent = city.sent(receipt.code)[0]
    page = city.operator().browser()
    address = f"/tin-nhan/{sent.id}"
    assert receipt.word not in page.get(address).text
    assert "Xem nội dung" in page.get(address).text
    for reason in ("", "abc", " " * 20):
        refused = page.post(f"{address}/noi-dung", {"reason": reason}, page=address)
        assert refused.status == 422
        assert "Ghi lý do" in refused.text
        assert receipt.word not in refused.text
    assert not [row for row in acts(city, "notify") if row.act == "reveal message"]
    shown = page.post(f"{address}/noi-dung", {"reason": "công dân gọi hỏi"}, page=address)
    assert shown.status == 200
    assert receipt.word in shown.text
    [row] = [row for row in acts(city, "notify") if row.act == "reveal message"]
    assert (row.reason, row.things) == ("công dân gọi hỏi", f"{sent.id} {receipt.code}")
    assert row.actor.startswith("operator:")


def test_what_cannot_be_written_down_is_not_shown(city: City) -> None:
    store = city.built.notify.store
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE access_log")
    receipt = city.desk(OFFICE).submit(BIRTH)
    city.rest()
    sent = city.sent(receipt.code)[0]
    page = city.operator().browser()
    address = f"/tin-nhan/{sent.id}"
    answer = page.post(f"{address}/noi-dung", {"reason": "công dân gọi hỏi"}, page=address)
    assert answer.status == 500
    assert receipt.word not in answer.text
    city.built.notify.beside[0]._waiting.clear()  # nothing can be written at the close


# --- the operator's commands ------------------------------------------------------------------


@pytest.fixture
def run(backend: Backend, monkeypatch: pytest.MonkeyPatch):
    for service in ("intake", "routing", "notify"):
        url = backend.settings(service).database_url
        monkeypatch.setenv(f"LIENTHONG_{service.upper()}_DATABASE_URL", url)
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(backend.data_dir))

    def typed(*arguments: str) -> Any:
        return CliRunner().invoke(cli, arguments)

    assert typed("migrate").exit_code == 0
    return typed


def test_acts_at_the_shell_are_shown_checked_and_found_by_what_they_touched(run) -> None:
    made = run("keys", "create", "--service", "intake", "--for", OFFICE).stdout
    key = made.split("_")[1]
    run("keys", "renew", key, "--service", "intake")
    run("keys", "revoke", key, "--service", "intake")
    shown = run("audit", "show", "--service", "intake", "--thing", key).output
    assert [line.split("  ")[4] for line in shown.splitlines()] == [
        "revoke key",
        "renew key",
        "create key",
    ]
    assert run("audit", "show", "--service", "intake", "--thing", key[:-1]).output == ""
    everything = run("audit", "show").output
    assert everything.count("audit show") == 2, "who looks at who looked is noted as well"
    checked = run("audit", "verify")
    assert checked.exit_code == 0
    assert "nguyên vẹn / whole" in checked.output
    assert run("audit", "verify", "--told", f"3:{'0' * 64}").exit_code == 2
    broken = run("audit", "verify", "--service", "intake", "--told", f"3:{'0' * 64}")
    assert broken.exit_code == 1
    assert "seal 3, which was told, is not there" in broken.output
    assert run("audit", "prune", "--service", "intake", "--days", "1").exit_code == 0


def test_every_act_at_the_shell_is_done_by_whoever_types_it(run) -> None:
    why = ("--who", "lan", "--why", "thử")
    run("keys", "create", "--service", "intake", "--for", OFFICE)
    assert run("prune", "--service", "intake", "--yes", *why).exit_code == 0
    assert run("resend", "--service", "intake", "--since", "2h", *why).exit_code == 0
    shown = run("audit", "show", "--service", "intake").output.splitlines()
    acts, actors = zip(
        *((line.split("  ")[4], line.split("  ")[2].strip()) for line in shown), strict=True
    )
    assert {"prune", "resend", "create key"} <= set(acts)
    assert set(actors) == {f"operator:{stores.operator().id}"}


def test_a_reason_is_asked_for_before_a_fact_is_revealed(run) -> None:
    refused = run("messages", "show", "x", "--reveal")
    assert refused.exit_code != 0
    with pytest.raises(InvalidInput):
        audit.reveal(None, "x", [], reason="vì", actor=None)  # type: ignore[arg-type]


# --- real processes ---------------------------------------------------------------------------


def looks(file: Path) -> int:
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        wanted = "SELECT count(*) FROM access_log WHERE act LIKE 'GET /api/v1/dossiers/%'"
        return int(connection.execute(wanted).fetchone()[0])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["told", "killed"])
def test_a_process_that_is_told_to_stop_loses_no_look_and_a_killed_one_a_second(
    tmp_path: Path, how: signal.Signals
) -> None:
    with run_city(tmp_path) as city:
        desk = city.desk(TODAYS_OFFICE)
        code = desk.submit(BIRTH).code
        for _ in range(20):
            desk.status(code)
        if how is signal.SIGKILL:
            city.until(lambda: looks(tmp_path / "intake.db") >= 20)
            for _ in range(5):
                desk.status(code)
        process = city.processes["serve"]
        process.send(how)
        process.wait()
        assert looks(tmp_path / "intake.db") >= 20
        if how is signal.SIGTERM:
            assert looks(tmp_path / "intake.db") == 20


def test_the_keeper_seals_by_itself_and_tells_each_seal(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = city.built.intake.store
    own = next(loop for loop in city.built.intake.loops if loop.name == "intake.keeper")
    assert own.step(0) == 0, "not before a minute has passed"
    city.desk(OFFICE).submit(BIRTH)
    count = len(acts(city, "intake"))
    later = time.monotonic() + keeper.SEAL_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with structlog.testing.capture_logs() as lines:
        assert own.step(0) == 1
    [line] = [line for line in lines if line["event"] == "access.sealed"]
    found = audit.verify(store, told=audit.Seal(line["seal"], 0, line["digest"]))
    assert (found.faults, found.rows, found.unsealed) == ([], count, 0)


# --- files ------------------------------------------------------------------------------------


def test_everything_that_is_made_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    words = ["demo", "--dossiers", "1", "--data", str(folder), "--json", str(tmp_path / "r.json")]
    script = f"import os; os.umask(0o022); from services.__main__ import main; main({words!r})"
    env = {name: text for name, text in os.environ.items() if "LIENTHONG" not in name}
    subprocess.run([sys.executable, "-c", script], check=True, env=env, capture_output=True)
    made = [folder, *folder.rglob("*"), tmp_path / "r.json"]
    assert len(made) > 6
    assert [str(each) for each in made if each.stat().st_mode & 0o077] == []


def test_a_database_is_the_owners_whatever_the_umask_and_an_old_one_becomes_so(
    tmp_path: Path,
) -> None:
    before = os.umask(0o000)
    try:
        file = tmp_path / "intake.db"
        for old in (False, True):
            if old:
                file.chmod(0o644)
            engine = make_engine(f"sqlite:///{file}")
            upgrade(engine, MIGRATIONS)
            with engine.begin() as connection:
                connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS x (y)")
                modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
            assert set(modes) >= {"intake.db", "intake.db-wal"}
            assert set(modes.values()) == {0o600}
            engine.dispose()
    finally:
        os.umask(before)
