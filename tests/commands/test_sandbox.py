"""The sandbox of an agency: a city that keeps handing it tasks, and nothing else to set up."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared.catalogue import load
from shared.settings import PROJECT
from simulation.applicants import cases

THEN, AGENCY = "cong-an-phuong-1", "cong-an-phuong-cao-lanh"
DAY = date(2022, 3, 14)


def test_there_is_something_to_do_for_every_agency_that_a_step_names():
    catalogue = load(PROJECT / "catalogue")
    idle = {
        agency.code for agency in catalogue.agencies(DAY) if not cases(catalogue, agency.code, DAY)
    }
    named = {
        catalogue.agency_for(step.role, office.territory, DAY).code
        for procedure in catalogue.procedures(DAY)
        for office in catalogue.offices(DAY)
        if catalogue.office_handles(office.code, procedure, DAY)
        for step in procedure.steps[:1]
    }
    assert not idle & named
    for case in cases(catalogue, THEN, DAY):
        assert catalogue.office_handles(case.office, catalogue.procedure(case.procedure, DAY), DAY)


class Sandbox:
    """A sandbox that runs, and the agency's side of its door."""

    def __init__(self, folder: Path) -> None:
        self.told = folder / "told.txt"
        options = ["--every", "1", "--no-queue", "--data", str(folder / "city")]
        with self.told.open("wb") as told:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services", "sandbox", AGENCY, *options],
                env=os.environ | {"LIENTHONG_PORT": "0"},
                cwd=PROJECT,
                stdout=told,
                stderr=subprocess.STDOUT,
            )

    def settings(self) -> dict[str, str]:
        return dict(re.findall(r"(PARTNER_\w+)=(\S+)", self.told.read_text("utf-8")))

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        own = self.settings()
        asked = urllib.request.Request(
            f"{own['PARTNER_DOOR']}/api/v1/tasks{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {own['PARTNER_DOOR_KEY']}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(asked, timeout=20) as reply:
            return json.load(reply)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path)
    yield made
    made.process.kill()
    made.process.wait()


def until(true: Any, seconds: float = 90) -> Any:
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.2)
    return found


@pytest.mark.slow
def test_tasks_keep_coming_and_an_answer_is_taken_without_any_server(sandbox: Sandbox):
    until(lambda: "Ctrl-C" in sandbox.told.read_text("utf-8"))
    assert "PARTNER_URL" not in sandbox.settings()
    first = until(lambda: sandbox.ask("?state=open")["items"])[0]
    verdict = sandbox.ask(
        f"/{first['task']}/answers",
        {"answer_id": "a-1", "kind": "refused", "reason": "Không đủ điều kiện"},
    )
    assert verdict["applied"]
    until(lambda: len(sandbox.ask("")["items"]) >= 3)
    sandbox.process.send_signal(signal.SIGTERM)
    assert sandbox.process.wait(20) == 0


def test_an_agency_that_is_not_there_is_answered_with_those_that_are():
    said = subprocess.run(
        [sys.executable, "-m", "services", "sandbox", "khong-co"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.returncode == 2
    assert "khong-co" in said.stderr
    assert AGENCY in said.stderr
