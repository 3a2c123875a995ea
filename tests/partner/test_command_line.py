"""`python -m partner`: what an officer types."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from partner.__main__ import main
from partner.environment import secret
from tests.partner.conftest import CityBroker

SIGNING = ("evidence.py", "signing.py")
PARTNER = Path(__file__).resolve().parent.parent.parent / "partner"


@pytest.fixture
def type_(broker: CityBroker, tmp_path: Path, capsys):
    secret = tmp_path / "url"
    secret.write_text(broker.url() + "\n")
    env = {
        "PARTNER_AGENCY": broker.agency,
        "PARTNER_URL_FILE": str(secret),
        "PARTNER_STORE": str(tmp_path / "agency.db"),
        "PARTNER_WAIT": "0",
    }

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments, env)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_an_officer_takes_looks_and_answers(broker: CityBroker, type_):
    broker.assign(1, 2, 3, 4, 5, 6, 7)
    status, out, _ = type_("watch", "--once")
    assert (status, out.splitlines()[-1]) == (0, "7 taken")
    assert "Tư pháp - hộ tịch" in out
    assert "Nguyễn Văn An" not in out  # form data only where a task is asked for
    assert len(type_("list")[1].splitlines()) == 7
    assert "Nguyễn Văn An" in type_("show", "task-1")[1]
    assert type_("take", "task-1", "--officer", "Lê Thị Hoa")[0] == 0
    assert type_("complete", "task-1", "--result-code", "KQ.G15.000006")[0] == 0
    assert type_("ask", "task-2", "--item", "Giấy chứng sinh", "--reason", "Thiếu")[0] == 0
    assert type_("refuse", "task-3", "--reason", "Không thuộc thẩm quyền")[0] == 0
    until = ("--until", "2022-03-08T17:00+07:00")
    assert type_("more-time", "task-4", "--reason", "Chờ xác minh", *until)[0] == 0
    assert (
        type_("not-ours", "task-5", "--reason", "Khác địa bàn", "--to", "cong-an-phuong-2")[0] == 0
    )
    assert type_("send-back", "task-6", "--reason", "Dưới một nửa đồng ý")[0] == 0
    assert type_("verify", "task-7", "--reason", "Đối chiếu sổ gốc")[0] == 0
    answers = list(broker.answers())
    kinds = [method.routing_key.rsplit(".", 1)[1] for method, _, _ in answers]
    assert kinds == [
        "taken",
        "completed",
        "supplement_needed",
        "refused",
        "more_time_needed",
        "not_ours",
        "sent_back",
        "verification_needed",
    ]
    assert answers[5][2]["data"] == {
        "task": "task-5",
        "reason": "Khác địa bàn",
        "agency": "cong-an-phuong-2",
    }
    assert len(type_("list")[1].splitlines()) == 3
    assert len(type_("list", "--all")[1].splitlines()) == 7


def test_a_missing_number_and_an_answer_not_sent_are_told(broker: CityBroker, type_):
    broker.assign(1, 3)
    type_("watch", "--once")
    assert "1 messages have not come" in type_("list")[1]
    with broker.line() as (proxy, url):
        proxy.cut()
        status, out, _ = type_("--url", url, "take", "task-1")
    assert status == 0
    assert "kept, not sent yet" in out
    assert "1 answers are not sent yet" in type_("list")[1]
    type_("watch", "--once")
    assert len(broker.answers()) == 1


def test_mistakes_are_one_clear_line(type_):
    status, _, err = type_("take", "no-such-task")
    assert (status, err.splitlines()) == (
        2,
        [
            "partner: chưa có nhiệm vụ no-such-task nào tới đây",
            "partner: no task no-such-task has come here",
        ],
    )
    assert main(["list"], {}) == 2


def test_the_help_names_every_command():
    done = subprocess.run(
        [sys.executable, "-m", "partner", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=PARTNER.parent,
    )
    commands = [
        "watch",
        "list",
        "show",
        "take",
        "complete",
        "ask",
        "refuse",
        "more-time",
        "catch-up",
        "reconcile",
        "missed",
        "put-aside",
        "doctor",
        "again",
        "settle",
    ]
    for name in commands:
        assert f"    {name} " in done.stdout


def test_the_kit_needs_nothing_but_python_and_pika():
    allowed = {*sys.stdlib_module_names, "pika", "partner"}
    for file in PARTNER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                used = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                used = {(node.module or "").partition(".")[0]}
            else:
                continue
            if file.name in SIGNING and node.col_offset:  # inside a function: `partner[sign]`
                used -= {"cryptography"}
            assert used <= allowed, f"{file.name} imports {used - allowed}"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_secret_s_file_may_be_one_that_windows_wrote(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "key"
    file.write_text("lt_a_b\r\n", encoding=encoding)
    assert secret("PARTNER_DOOR_KEY", {"PARTNER_DOOR_KEY_FILE": str(file)}) == "lt_a_b"
