"""The bad day of a program: one that does as docs/agencies.md says passes, one that does not is told why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulation.conformance.day import TRIALS
from simulation.conformance.report import digest
from tests.backends import Servers
from tests.partner.test_docs import blocks

PROJECT = Path(__file__).resolve().parent.parent.parent

TRIAL = [sys.executable, "-m", "services", "conformance"]

CARELESS = """
import json, os, uuid, pika
agency = os.environ["PARTNER_AGENCY"]
line = pika.BlockingConnection(pika.URLParameters(os.environ["PARTNER_URL"]))
channel = line.channel()
def answer(task, kind, **data):
    body = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": f"/agencies/{agency}",
            "type": f"vn.lienthong.answer.{kind}.v1", "subject": task,
            "time": "2022-03-14T08:15:00Z", "data": {"task": task, **data}}
    channel.basic_publish("agency.answers", f"answer.{agency}.{kind}", json.dumps(body),
                          pika.BasicProperties(user_id=agency))
def on(_channel, _method, _properties, body):
    message = json.loads(body)
    if message["type"].endswith("assigned.v1"):
        task = message["data"]["task"]
        answer(task, "completed", outcome="granted", result_code="KQ.G01.000001")
        if task == "first":
            answer(task, "completed")
channel.basic_consume(f"agency.{agency}.tasks", on, auto_ack=True)
channel.start_consuming()
"""


def tried(program: Path, servers: Servers, patience: int) -> tuple[int, str, dict[str, Any]]:
    """Exit code, words and certificate of a trial of this program."""
    out = program.with_suffix(".json")
    said = subprocess.run(
        [
            *TRIAL,
            "--patience",
            str(patience),
            "--out",
            str(out),
            "--",
            sys.executable,
            str(program),
        ],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert out.exists(), said.stderr[-2000:]
    return said.returncode, said.stdout, json.loads(out.read_text("utf-8"))


@pytest.mark.slow
def test_the_thirty_lines_of_the_docs_conform(servers: Servers, tmp_path: Path):
    program = tmp_path / "agency.py"
    program.write_text(blocks("python")[0], encoding="utf-8")
    code, told, certificate = tried(program, servers, 60)
    assert code == 0, told
    assert certificate["passed"]
    assert [trial["name"] for trial in certificate["trials"]] == [name for name, *_ in TRIALS]
    assert certificate["sha256"] == digest(certificate)
    assert digest({**certificate, "passed": False}) != certificate["sha256"]


@pytest.mark.slow
@pytest.mark.long
def test_a_careless_program_is_told_what_it_does_wrong(servers: Servers, tmp_path: Path):
    program = tmp_path / "agency.py"
    program.write_text(CARELESS, encoding="utf-8")
    code, told, certificate = tried(program, servers, 8)
    assert code == 1
    assert "KHÔNG ĐẠT" in told
    failed = {trial["name"] for trial in certificate["trials"] if not trial["passed"]}
    assert {"repeats", "odd-messages", "no-results", "broken-line", "contract"} <= failed
    assert "first-task" not in failed
    assert not certificate["passed"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [((), "COMMAND"), (("--agency", "khong-co", "--", "true"), "khong-co")],
)
def test_what_is_typed_wrongly_is_named(arguments: tuple[str, ...], word: str):
    said = subprocess.run(
        [*TRIAL, *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.returncode == 2
    assert word in said.stderr


def test_a_program_that_is_not_there_is_named(servers: Servers):
    said = subprocess.run(
        [*TRIAL, "--", "/khong/co"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert said.returncode not in (0, 1)
    assert "/khong/co" in said.stderr
    assert "Traceback" not in said.stderr
