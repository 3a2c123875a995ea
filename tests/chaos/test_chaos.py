"""`lienthong chaos` itself, from a fresh clone: LIENTHONG_CHAOS_SECONDS of everything, and every promise held.

It starts servers of its own where their programs are here, so that nobody waits for it; else it runs
in a place of its own on those of the test run.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
from pathlib import Path

import pytest

from tests.backends import Servers
from tests.docs.clone import Clone
from tests.servers.postgres import binaries
from tests.servers.rabbit import script

pytestmark = [pytest.mark.slow, pytest.mark.servers]
SECONDS = float(os.environ.get("LIENTHONG_CHAOS_SECONDS", "25"))


def _settings(servers: Servers) -> dict[str, str]:
    if binaries() is not None and script() is not None:
        return {}
    return {
        "LIENTHONG_TEST_AMQP_URL": servers.amqp_url,
        "LIENTHONG_TEST_AMQP_MANAGEMENT_URL": servers.management_url,
        "LIENTHONG_TEST_DATABASE_URL": servers.database_url,
    }


@pytest.mark.timeout(1000 + 2 * SECONDS)
def test_whatever_happens_nothing_is_lost_told_twice_or_passed_over_in_silence(
    servers: Servers, tmp_path: Path
):
    seed = secrets.randbelow(1_000_000)
    target = tmp_path / "chaos.json"
    done = Clone(tmp_path).type(
        "./run", "chaos", "--minutes", str(SECONDS / 60), "--seed", str(seed),
        "--json", str(target), "--keep", str(tmp_path / "kept"), **_settings(servers),
    )  # fmt: skip
    assert done.returncode == 0, f"seed {seed}\n{done.stdout}\n{done.stderr}"
    told = json.loads(target.read_text(encoding="utf-8"))
    assert told["good"] is True
    assert told["findings"] == []
    assert told["seed"] == seed
    assert all(each["done"] == each["well"] for each in told["acts"].values())
    assert told["counts"]["dossiers filed"] > SECONDS / 10
    assert f"seed {seed}" in done.stdout
    journal = (tmp_path / "kept" / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert sum("expected" in json.loads(line) for line in journal) > SECONDS / 3


@pytest.mark.long
@pytest.mark.timeout(300)
def test_it_ends_clean_when_it_is_told_to(servers: Servers, tmp_path: Path):
    clone = Clone(tmp_path)
    running = subprocess.Popen(
        ["./run", "chaos", "--minutes", "5", "--seed", "1", "--keep", str(tmp_path / "kept")],
        cwd=clone.folder, env=clone.env | _settings(servers), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        for line in running.stdout:
            if "acts begin" in line:
                break
        running.send_signal(signal.SIGINT)
        rest, _ = running.communicate(timeout=120)
        assert running.returncode == 130, rest
        assert "journal, logs" in rest
    finally:
        running.kill()
        running.wait()
    left = [
        each
        for each in Path("/proc").glob("[0-9]*/environ")
        if str(tmp_path).encode() in _bytes(each)
    ]
    assert left == []


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
