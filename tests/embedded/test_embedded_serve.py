"""`lienthong serve` as a newcomer types it: doors, keys shown once, a clean stop."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.commands.first_keys import busiest, first_keys
from services.commands.first_people import first_people
from services.commands.welcome import KEYS_FILE, examples, keep_keys
from services.embedded.city import open_city
from services.embedded.serve import city_settings
from services.intake.usecases import sign_in
from shared.catalogue import load
from shared.identity.passes import ROLES
from shared.kernel.clock import FixedClock
from shared.settings import PROJECT, SERVICES
from simulation.kit import City as KitCity
from simulation.kit import filing
from tests.embedded.townsfolk import INTERLINKED, OFFICE, desk_of, unsent
from tests.ports import free_ports_in_a_row

DOOR = re.compile(r" · (desk|agency|operator)\b")
KEY = re.compile(r"(lt_\w+)  (.+)")
PERSON = re.compile(r" {4}(\w+) +((?:\w{4}-){2}\w{4})  .+: .+")
LAST_LINE = "Dừng: Ctrl-C."


@dataclass
class Served:
    """A running `serve` and what it printed before it was ready."""

    process: "subprocess.Popen[str]"
    port: int
    lines: list[str] = field(default_factory=list)

    @property
    def keys(self) -> list[tuple[str, str, str]]:
        """(key, kind, holder) as printed: each under the door that it opens."""
        found, kind = [], ""
        for line in self.lines:
            if door := DOOR.search(line):
                kind = door[1]
            if key := KEY.search(line):
                found.append((key[1], kind, key[2].strip()))
        return found

    @property
    def people(self) -> list[tuple[str, str]]:
        """(sign-in name, password) as printed."""
        return [(one[1], one[2]) for line in self.lines if (one := PERSON.fullmatch(line.rstrip()))]

    def ask(self, door: int, path: str, key: str = "", body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port + door}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def stop(self, how: signal.Signals) -> float:
        """Ask it to stop; the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(how)
        assert self.process.wait(timeout=15) == 0
        return time.monotonic() - began


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Served]:
    port = free_ports_in_a_row(3)
    environment = {n: v for n, v in os.environ.items() if not n.startswith("LIENTHONG_")}
    environment["LIENTHONG_LOG_LEVEL"] = "error"
    environment["LIENTHONG_COURTESY"] = "off"  # by night too
    process = subprocess.Popen(
        [sys.executable, "-m", "services", "serve", "--port", str(port), "--data", str(folder),
         *options],
        cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        one = Served(process, port)
        assert process.stdout is not None
        for line in process.stdout:
            one.lines.append(line)
            if LAST_LINE in line:
                break
        yield one
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.mark.slow
def test_a_newcomer_serves_the_city_files_a_dossier_and_stops_it(tmp_path: Path):
    with served(tmp_path, "--autopilot", "--delay", "0") as city:
        assert f"http://127.0.0.1:{city.port}/dang-nhap" in "".join(city.lines)
        for door, name in enumerate(SERVICES):
            ready = city.ask(door, "/readyz")
            assert (ready["ready"], ready["service"]) == (True, name)
        assert [login for login, _ in city.people] == ["hoa", "binh", "minh", "lan", "duc", "an"]
        desk = next(
            k
            for k, kind, holder in city.keys
            if kind == "desk" and holder.endswith("Phường Cao Lãnh")
        )
        operator = next(key for key, kind, _ in city.keys if kind == "operator")
        today = datetime.now(UTC).date()
        body = filing(load(PROJECT / "catalogue").procedure(INTERLINKED, today), 1, today=today)
        code = city.ask(0, "/api/v1/dossiers", desk, body)["code"]
        wait_until(lambda: city.ask(0, f"/api/v1/dossiers/{code}", desk)["status"]["number"] == 9)
        wait_until(lambda: sent(city, operator, code) == 2)
        assert city.stop(signal.SIGTERM) < 10

    with served(tmp_path) as city:
        assert city.keys == [], "keys are shown once"
        assert city.people == [], "and so are passwords"
        assert str(tmp_path / KEYS_FILE) in "".join(city.lines), "and kept where it says"
        assert sent(city, operator, code) == 2, "and they stay valid"
        assert city.stop(signal.SIGINT) < 10


def sent(city: Served, operator: str, code: str) -> int:
    found = city.ask(2, f"/api/v1/messages?dossier={code}&state=sent", operator)
    return len(found["messages"])


def wait_until(so: Any) -> None:
    end = time.monotonic() + 60
    while not so():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_door_that_is_taken_is_told_in_one_line(tmp_path: Path):
    port = free_ports_in_a_row(3) + 2
    with socket.create_server(("127.0.0.1", port)):
        environment = {n: v for n, v in os.environ.items() if not n.startswith("LIENTHONG_")}
        done = subprocess.run(
            [sys.executable, "-m", "services", "serve", "--port", str(port - 2), "--data", tmp_path],
            cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_each_door_has_its_own_port_and_the_folder_given_goes_before_the_environment(
    tmp_path: Path,
):
    env = {"LIENTHONG_PORT": "9000", "LIENTHONG_DATA_DIR": "/nowhere"}
    settings = city_settings(tmp_path, None, env)
    assert [one.port for one in settings.values()] == [9000, 9001, 9002]
    assert {one.data_dir for one in settings.values()} == {tmp_path}
    assert [one.port for one in city_settings(None, None, {}).values()] == [8080, 8081, 8082]
    assert [one.port for one in city_settings(None, 7000, env).values()] == [7000, 7001, 7002]


def test_keys_are_made_for_every_desk_and_agency_once_and_never_printed_in_a_repr(tmp_path: Path):
    city = open_city(tmp_path, clock=FixedClock(datetime(2022, 3, 14, 2, tzinfo=UTC)))
    try:
        city.migrate()
        made = first_keys(city)
        offices = {office.code for office in city.catalogue.offices(city.clock.now().date())}
        assert {key.bound_to for key in made if key.kind == "desk"} == offices
        assert {key.kind for key in made} == {"desk", "agency", "operator"}
        assert all(key.text not in repr(made) for key in made)
        assert first_keys(city) == []
    finally:
        city.close()


def test_a_few_keys_are_shown_and_a_file_that_only_its_owner_reads_holds_all(tmp_path: Path):
    at = datetime(2022, 3, 14, 2, tzinfo=UTC)
    city = open_city(tmp_path, clock=FixedClock(at))
    try:
        city.migrate()
        made = first_keys(city)
        file = keep_keys(tmp_path, made)
        shown = examples(made, city.catalogue, at.date())
    finally:
        city.close()
    assert file is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert all(file.read_text(encoding="utf-8").count(key.text) == 1 for key in made)
    kinds = Counter(key.kind for key in shown)
    assert kinds["desk"] == 2, "the one-stop department and a ward"
    assert kinds["operator"] == 1
    assert 1 <= kinds["agency"] <= 3
    ward = city.catalogue.agency(next(k for k in shown if k.bound_to == OFFICE).bound_to)
    assert {k.bound_to for k in shown if k.kind == "agency"} <= set(
        busiest(city.catalogue, ward, at.date())
    ), "who acts on what that ward takes in"
    assert keep_keys(tmp_path, []) == file
    assert keep_keys(tmp_path / "elsewhere", []) is None


def test_the_first_people_are_one_of_each_role_and_may_sign_in(tmp_path: Path):
    city = open_city(tmp_path, clock=FixedClock(datetime(2022, 3, 14, 2, tzinfo=UTC)))
    try:
        city.migrate()
        made = first_people(city)
        assert first_people(city) == []
        file = keep_keys(tmp_path, [], made)
        assert file is not None
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        kept = file.read_text(encoding="utf-8")
        roles = set()
        for each in made:
            assert f"{each.login}  {each.password}  " in kept
            assert each.password not in repr(each)
            person = sign_in.known(city.intake.store, each.login)
            assert sign_in.check(person, each.password)
            assert person is not None
            roles |= {place.role for place in person.places}
        assert roles == set(ROLES)
    finally:
        city.close()


def test_a_simulated_month_can_be_entered_afterwards(tmp_path: Path):
    clock = FixedClock(datetime(2022, 3, 14, 2, tzinfo=UTC))
    city = open_city(tmp_path, clock=clock)
    try:
        city.migrate()
        KitCity(city).links()
        KitCity(city).desk(OFFICE)
        assert {key.kind for key in first_keys(city)} == {"desk", "agency", "operator"}
        assert first_keys(city) == []
    finally:
        city.close()


def test_where_nobody_can_read_the_agencies_queues_they_do_not_fill_the_memory(tmp_path: Path):
    city = open_city(
        tmp_path, clock=FixedClock(datetime(2022, 3, 14, 2, tzinfo=UTC)), bus_url="memory://unread"
    )
    try:
        city.migrate()
        codes = city.catalogue.agency_codes()
        desk_of(city, OFFICE).submit(INTERLINKED)
        city.pump()
        assert any(city.unanswered_by(code) for code in codes)
        assert sum(city.bus.depth(f"agency.{code}.tasks") for code in codes) == 0
        assert unsent(city) == 0
    finally:
        city.close()
