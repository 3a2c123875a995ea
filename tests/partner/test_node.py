"""A consumer in another language, written from docs/agencies.md alone, against a real broker.

Needs node and npm, and once the network for its one package: with the long tests, not in every run.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backends import Servers
from tests.partner.conftest import CityBroker, until

PROJECT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = PROJECT / "docs" / "examples" / "node"

pytestmark = [pytest.mark.slow, pytest.mark.long]

Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with its package, installed from the lock file."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("NOT RUN: node and npm are not here (apt install nodejs npm)")
    folder = tmp_path_factory.mktemp("node")
    for name in ("agency.mjs", "package.json", "package-lock.json"):
        shutil.copy(EXAMPLE / name, folder)
    subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=120)
    return folder / "agency.mjs"


@pytest.fixture
def start(program: Path, broker: CityBroker, tmp_path: Path) -> Iterator[Start]:
    begun: list[subprocess.Popen[bytes]] = []
    env = os.environ | {
        "PARTNER_AGENCY": broker.agency,
        "PARTNER_URL": broker.url(),
        "PARTNER_STORE": str(tmp_path / "agency.jsonl"),
    }

    def run() -> subprocess.Popen[bytes]:
        with (tmp_path / "told.txt").open("ab") as told:
            begun.append(
                subprocess.Popen(["node", str(program)], env=env, stdout=told, stderr=told)
            )
        return begun[-1]

    yield run
    for each in begun:
        each.kill()
        each.wait()


class Answers:
    """What has come in so far, by task."""

    def __init__(self, broker: CityBroker) -> None:
        self._broker = broker
        self.all: list[dict[str, Any]] = []

    def look(self) -> list[tuple[str, str]]:
        """(task, kind) of each answer, a repeat under the same id left out, in order."""
        for method, properties, envelope in self._broker.answers():
            assert properties.user_id == self._broker.agency
            assert envelope["type"].split(".")[-2] == method.routing_key.rpartition(".")[2]
            self.all.append(envelope)
        once = {each["id"]: each for each in self.all}
        return [(each["data"]["task"], each["type"].split(".")[-2]) for each in once.values()]

    def until(self, many: int) -> list[tuple[str, str]]:
        until(lambda: len(self.look()) >= many)
        return self.look()


def test_it_answers_its_first_tasks_and_is_not_stopped_by_what_it_cannot_read(
    broker: CityBroker, start: Start, tmp_path: Path
):
    broker.put(b"\xff\xfe no JSON")
    broker.put(b'{"id": 5}')
    broker.assign(1)
    broker.assign(2, papers=[])
    broker.assign(1)  # a repeat
    broker.assign(
        3,
        kind="answer_refused",
        answer_id="a-1",
        rule="too_long",
        place="reason",
        vi="Dài",
        en="Long",
    )
    broker.assign(4, kind="something_new")
    agency = start()
    assert Answers(broker).until(4) == [
        ("task-1", "taken"),
        ("task-1", "completed"),
        ("task-2", "taken"),
        ("task-2", "supplement_needed"),
    ]
    until(lambda: broker.waiting() == 0)
    agency.send_signal(signal.SIGTERM)
    assert agency.wait(15) == 0
    told = (tmp_path / "told.txt").read_text("utf-8")
    assert "a-1 refused: too_long reason" in told
    assert told.count("cannot be read") == 2


def test_it_loses_nothing_by_kills_and_broken_lines(broker: CityBroker, start: Start):
    agency, answers = start(), Answers(broker)
    for number in range(1, 41):
        broker.assign(number)
        if number % 10 == 0:
            agency.kill()
            agency.wait()
            agency = start()
        elif number % 7 == 0:
            broker.close_connections()
    found = answers.until(80)
    assert sorted(found) == sorted(
        (f"task-{number}", kind) for number in range(1, 41) for kind in ("taken", "completed")
    )


def test_it_reads_again_after_its_queue_was_made_anew(
    broker: CityBroker, start: Start, tmp_path: Path
):
    start()
    told = tmp_path / "told.txt"
    until(lambda: told.exists() and "reading" in told.read_text("utf-8"))
    broker.delete_queue()
    time.sleep(0.5)
    broker.make_queue()
    broker.assign(1)
    assert Answers(broker).until(2) == [("task-1", "taken"), ("task-1", "completed")]


def test_it_has_its_certificate(program: Path, servers: Servers, tmp_path: Path):
    out = tmp_path / "certificate.json"
    trial = [sys.executable, "-m", "services", "conformance", "--out", str(out)]
    subprocess.run([*trial, "--", "node", str(program)], cwd=PROJECT, check=True, timeout=280)
    assert json.loads(out.read_text("utf-8"))["passed"]


def test_the_lock_file_names_no_registry():
    lock = json.loads((EXAMPLE / "package-lock.json").read_text("utf-8"))
    assert all("integrity" in each for name, each in lock["packages"].items() if name)
    assert "://" not in (EXAMPLE / "package-lock.json").read_text("utf-8")
