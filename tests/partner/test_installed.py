"""The kit is installed by itself: nothing of the city's comes along, and it needs pika alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
PROOF = "import partner, partner.client, partner.check; print(partner.__file__)"


@pytest.mark.slow
def test_the_kit_alone_is_installed_and_its_command_runs(tmp_path: Path):
    folder = tmp_path / "partner"
    shutil.copytree(PROJECT / "partner", folder, ignore=shutil.ignore_patterns("__pycache__"))
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True, timeout=120)
    install = [venv / "bin" / "pip", "install", "-q", "--disable-pip-version-check", folder]
    subprocess.run(install, check=True, timeout=200, cwd=tmp_path)
    listed = subprocess.run(
        [venv / "bin" / "pip", "list", "--format=freeze", "--disable-pip-version-check"],
        check=True, timeout=60, capture_output=True, text=True,
    ).stdout  # fmt: skip
    own = {line.partition("==")[0] for line in listed.split()} - {"pip", "setuptools", "wheel"}
    assert own == {"lienthong-partner", "pika"}
    store = tmp_path / "partner.db"
    said = subprocess.run(
        [venv / "bin" / "partner", "--agency", "bhxh-cao-lanh", "--store", store, "list"],
        timeout=60, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    proof = subprocess.run(
        [venv / "bin" / "python", "-c", PROOF],
        check=True, timeout=60, capture_output=True, text=True, cwd="/",
    ).stdout  # fmt: skip
    assert proof.startswith(str(venv))
