"""docs/agencies.md is true: its program runs, its examples fit the contract, its commands exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from partner.__main__ import parser
from partner.reading import read_message
from shared.events.envelope import decode
from shared.events.names import wire
from shared.events.registry import KINDS
from tests.partner.conftest import CityBroker

PROJECT = Path(__file__).resolve().parent.parent.parent
DOC = (PROJECT / "docs" / "agencies.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)


def test_the_thirty_lines_run_against_a_real_broker(broker: CityBroker, tmp_path: Path):
    (program,) = blocks("python")
    code = [line for line in program.splitlines() if line.strip()]
    assert len(code) <= 32
    file = tmp_path / "agency.py"
    file.write_text(program, encoding="utf-8")
    env = os.environ | {
        "PARTNER_AGENCY": broker.agency,
        "PARTNER_URL": broker.url(),
        "PARTNER_STORE": str(tmp_path / "agency.db"),
        "PYTHONPATH": str(PROJECT),
    }
    broker.assign(1)
    broker.assign(2, papers=[])
    broker.assign(3, kind="cancelled", task="task-1", reason="Công dân rút hồ sơ")
    agency = subprocess.Popen([sys.executable, str(file)], env=env)
    try:
        answers: list[str] = []
        for _ in range(600):
            answers += [method.routing_key for method, _, _ in broker.answers()]
            if len(answers) >= 4 and broker.waiting() == 0:
                break
            broker._connection.process_data_events(time_limit=0.05)
    finally:
        agency.terminate()
        assert agency.wait(15) == 0
    kinds = [key.rsplit(".", 1)[1] for key in answers]
    assert kinds == ["taken", "completed", "taken", "supplement_needed"]


def test_the_envelopes_shown_fit_the_contract():
    shown = [decode(text.encode()) for text in blocks("json")]
    assert [each.type for each in shown] == [wire("task.assigned"), wire("answer.completed")]
    for envelope in shown:
        assert set(envelope.data) <= set(envelope.event().__struct_fields__)
    assert shown[1].subject == shown[0].data["task"]


def test_the_kit_reads_every_golden_sample_of_what_agencies_are_sent():
    samples = [
        PROJECT / "shared" / "events" / "samples" / f"{name.removeprefix('vn.lienthong.')}.json"
        for name, kind in KINDS.items()
        if kind.way == "tasks"
    ]
    assert samples
    for sample in samples:
        message = read_message(sample.read_bytes())
        assert f"task.{message.kind}.v1" in sample.name
        assert message.sequence > 0
        assert message.task == message.data.get("task", "-")


def test_every_field_of_every_task_and_answer_is_told():
    for kind in KINDS.values():
        if kind.way not in ("tasks", "answers"):
            continue
        assert f"`{kind.name.removeprefix('answer.')}`" in DOC, kind.name
        for field in kind.cls.__struct_fields__:
            assert f"`{field}`" in DOC, f"{kind.name}: {field}"


def test_the_findings_shown_are_what_the_check_says(broker: CityBroker, capsys):
    from partner.__main__ import main

    env = {
        "PARTNER_AGENCY": broker.agency,
        "PARTNER_URL": broker.url(),
        "PARTNER_STORE": ":memory:",
    }
    assert main(["check"], env) == 0
    said = capsys.readouterr().out.replace(broker.agency, "cong-an-cao-lanh")
    (shown,) = re.findall(r"^```\n(tốt .*?)^```$", DOC, re.MULTILINE | re.DOTALL)
    lines = [re.sub(r"\d+", "N", line) for line in said.splitlines()]
    assert [re.sub(r"\d+", "N", line) for line in shown.splitlines()][2:] == lines[2:]


def test_every_command_shown_is_one_that_exists():
    lines = [line.partition(" # ")[0] for line in blocks("sh")[0].splitlines()]
    typed = [shlex.split(line)[3:] for line in lines if line.startswith("python -m partner")]
    assert len(typed) == 22
    for arguments in typed:
        parser({}).parse_args(arguments)
