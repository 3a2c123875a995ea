"""./run and ./test: what they do on a first and on a second start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.__main__ import workers

PROJECT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ("run", "test", "deploy/dev/venv.sh", "requirements.lock", "requirements-dev.lock")

# Stands in for the interpreter of .venv: writes down what it was asked, makes no packages.
FAKE_PYTHON = """#!/bin/sh
printf '%s\\n' "$*" >>"$(dirname "$0")/asked"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in SCRIPTS:
        target = tmp_path / "một cửa" / name  # a blank and marks in the path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, target)
    python = tmp_path / "một cửa" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)
    return tmp_path / "một cửa"


def start(checkout: Path, script: str, *arguments: str) -> list[str]:
    """Run a script; what the environment's interpreter was asked since the last time."""
    asked = checkout / ".venv" / "bin" / "asked"
    asked.unlink(missing_ok=True)
    subprocess.run([checkout / script, *arguments], check=True, capture_output=True, cwd="/")
    return asked.read_text().splitlines()


def tools_of(folder: Path, *names: str) -> Path:
    """A folder for PATH that has these programs of the machine and no others."""
    tools = folder / "bin"
    tools.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    return tools


def test_a_first_start_installs_the_hashed_lock_and_a_second_calls_no_pip(checkout: Path):
    first = start(checkout, "run", "demo", "--seed", "7")
    assert any("pip install" in line and "--require-hashes" in line for line in first)
    assert start(checkout, "run", "demo", "--seed", "7") == ["-P -m services demo --seed 7"]


def test_a_changed_lock_is_installed_again(checkout: Path):
    start(checkout, "run")
    with (checkout / "requirements.lock").open("a") as lock:
        lock.write("# one line more\n")
    assert any("pip install" in line for line in start(checkout, "run"))
    assert len(start(checkout, "run")) == 1


def test_a_moved_checkout_is_installed_again(checkout: Path):
    start(checkout, "run")
    moved = checkout.rename(checkout.with_name("moved"))
    assert any("pip install" in line for line in start(moved, "run"))


def test_what_test_installs_serves_run_as_well(checkout: Path):
    assert any("requirements-dev.lock" in line for line in start(checkout, "test"))
    assert start(checkout, "test", "-x") == ["-m tests.servers -x"]
    assert start(checkout, "run", "--help") == ["-P -m services --help"]


def test_a_second_start_calls_two_small_programs_and_our_code(checkout: Path, tmp_path: Path):
    """What makes it quick, on any machine: no pip, no second interpreter, nothing to look up."""
    start(checkout, "run")
    tools = tools_of(tmp_path, "sh", "dirname", "cksum")
    asked = checkout / ".venv" / "bin" / "asked"
    asked.unlink()
    done = subprocess.run(
        [checkout / "run"], capture_output=True, text=True, env={"PATH": str(tools)}
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert asked.read_text().splitlines() == ["-P -m services"]


def test_a_failed_installation_is_not_taken_for_a_good_one(checkout: Path):
    python = checkout / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\ncase "$*" in *"pip install"*) exit 1 ;; esac\n')
    failed = subprocess.run([checkout / "run"], capture_output=True, text=True)
    assert failed.returncode == 1
    assert "could not be installed" in failed.stderr
    assert not (checkout / ".venv" / ".lienthong-run").exists()


def test_without_a_python_that_is_new_enough_it_says_so(checkout: Path, tmp_path: Path):
    shutil.rmtree(checkout / ".venv")
    tools = tools_of(tmp_path, "sh", "cksum", "dirname", "id", "grep", "rm")
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        [checkout / "run"], capture_output=True, text=True, env={"PATH": str(tools)}
    )
    assert done.returncode == 1
    assert "needs Python 3.11" in done.stderr


def test_without_venv_and_without_rights_it_prints_the_one_line_to_type(
    checkout: Path, tmp_path: Path
):
    shutil.rmtree(checkout / ".venv")
    tools = tools_of(tmp_path, "sh", "cksum", "dirname", "grep", "rm")
    for name, text in {
        "id": "echo 1000",
        "python3": 'case "$*" in *ensurepip*) exit 1 ;; *print*) echo python3.11-venv ;; esac',
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    done = subprocess.run(
        [checkout / "run"], capture_output=True, text=True, env={"PATH": str(tools)}
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].strip() == "sudo apt-get install -y python3.11-venv"


def test_every_package_that_run_needs_is_pinned_alike_for_the_tests():
    def pins(name: str) -> set[str]:
        text = (PROJECT / name).read_text(encoding="utf-8")
        return set(re.findall(r"^([A-Za-z0-9_.\-\[\]]+==[^\s;\\]+)", text, re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_no_lock_names_a_package_index():
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        text = (PROJECT / name).read_text(encoding="utf-8")
        assert "://" not in text


def test_the_scripts_can_be_started():
    for name in ("run", "test", ".ci/run"):
        assert os.access(PROJECT / name, os.X_OK)


@pytest.mark.parametrize(
    "arguments",
    [
        ["-n", "3"],
        ["-n3"],
        ["--numprocesses=1"],
        ["-p", "no:xdist"],
        ["--pdb"],
        ["-s", "tests/messaging"],
    ],
    ids=" ".join,
)
def test_who_says_how_pytest_runs_is_obeyed(arguments: list[str]):
    assert workers(arguments) == []


def test_several_workers_share_the_tests_otherwise():
    for arguments in ([], ["tests/kernel", "-x", "--color=no"], ["-k", "servers"]):
        option, count = workers(arguments)
        assert option == "-n"
        assert 2 <= int(count) <= 4
