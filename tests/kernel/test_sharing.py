"""How workers share the tests: by file, and nothing is lost when one of them dies."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from shared.settings import PROJECT
from tests.servers.sharing import LONG, rank, share

CONFTEST = """
from tests.servers.sharing import Sharing

def pytest_xdist_make_scheduler(config, log):
    return Sharing(config, log)
"""
DEADLY = """
import os

def test_before(): pass
def test_deadly(): os._exit(1)
def test_after(): pass
"""


def test_a_file_stays_with_one_worker_and_only_its_back_ends_part():
    file = "tests/store/test_ledgers.py"
    assert share(f"{file}::test_a") == share(f"{file}::test_b[phone]") == file
    assert share(f"{file}::test_a[servers]") == share(f"{file}::test_b[servers-1280]")
    assert share(f"{file}::test_a[servers]") != share(f"{file}::test_a[embedded]")
    assert share(f"{file}::test_a[two servers-x]") == file


def test_the_rooms_that_take_longest_are_there_and_go_first():
    assert all((PROJECT / "tests" / room).is_dir() for room in LONG)
    assert rank("tests/bench/test_bench.py") < rank("tests/promises/x.py servers")
    assert rank("tests/promises/x.py") < rank("tests/kernel/test_text.py")


def test_a_worker_that_dies_costs_the_one_test_and_the_run_ends(tmp_path: Path):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_deadly.py").write_text(DEADLY)
    for number in range(3):
        (tmp_path / f"test_good_{number}.py").write_text("def test_good(): pass\n")
    command = [sys.executable, "-m", "pytest", "-n", "2", "-c", tmp_path / "pytest.ini", tmp_path]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=280)
    assert re.search(r"1 failed, 5 passed in ", done.stdout), done.stdout + done.stderr
    assert "crashed while running 'test_deadly.py::test_deadly'" in done.stdout
