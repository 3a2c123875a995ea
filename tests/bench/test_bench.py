"""The benchmark runs to its end, everything arrives, and its file has every figure; never a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends import Servers
from tests.docs.clone import Clone

PROJECT = Path(__file__).resolve().parents[2]
CONTESTANTS = {"bare", "product", "embedded", "bare minimum"}
DOSSIERS, PACED = 60, 10


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.timeout(600)
def test_a_quick_run_carries_every_dossier_and_writes_every_figure(
    servers: Servers, tmp_path: Path
) -> None:
    target = tmp_path / "bench.json"
    arguments = ["--quick", "--dossiers", str(DOSSIERS), "--paced", str(PACED), "--preload", "20"]
    done = Clone(tmp_path).type(  # what measures needs no package that only the tests have
        "./run", "bench", *arguments, "--json", str(target),
        LIENTHONG_TEST_AMQP_URL=servers.amqp_url,
        LIENTHONG_TEST_AMQP_MANAGEMENT_URL=servers.management_url,
        LIENTHONG_TEST_DATABASE_URL=servers.database_url,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr  # a dossier that does not arrive is an error
    result = json.loads(target.read_text(encoding="utf-8"))
    assert result["ratio_to_bare"] > 0
    assert result["embedded_ratio_to_bare"] > 0
    assert result["latency_ms"].keys() == CONTESTANTS
    assert result["cpu_ms_per_dossier"].keys() == CONTESTANTS
    assert {"intake work", "routing work", "notify work", "submit", "city"} <= (
        result["rss_mb"].keys()
    )
    for name in CONTESTANTS:
        assert result["raw"][name]["dossiers"] == [DOSSIERS]
        assert result["raw"][name]["paced_dossiers"] == [PACED]
        assert result["latency_ms"][name].keys() == {
            "agency_p50", "agency_p99", "message_p50", "message_p99"
        }  # fmt: skip
        assert name in done.stdout
    assert result["preloaded"]["dossiers"] == 20
    assert result["preloaded"]["rows"]["routing"]["tasks"] == 20
    assert all(goal["met"] is not None for goal in result["goals"])
    for goal in result["goals"]:
        assert goal["what"] in done.stdout


def test_help_tells_the_options_of_the_benchmark() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services", "bench", "--help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    for option in ("--dossiers", "--rounds", "--preload", "--quick", "--json"):
        assert option in done.stdout
