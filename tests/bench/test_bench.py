"""The benchmark runs to its end, everything arrives, and its file has every figure; never a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends import Servers
from tests.bench.running import PROJECT, run
from tests.docs.clone import Clone

CONTESTANTS = {"bare", "product", "embedded", "product, by mail", "bare minimum"}
DOSSIERS, PACED = 60, 10


@pytest.mark.long
@pytest.mark.servers
@pytest.mark.timeout(900)
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
        assert PACED <= result["raw"][name]["busy_dossiers"][0] <= DOSSIERS
        assert result["latency_ms"][name].keys() == {
            "agency_p50", "agency_p99", "message_p50", "message_p99"
        }  # fmt: skip
        assert name in done.stdout
    assert result["preloaded"]["dossiers"] == 20
    assert result["preloaded"]["rows"]["routing"]["tasks"] == 20
    counts = result["counts_per_dossier"]
    for name in ("product", "bare"):
        assert counts[name]["events made"] >= 6
        assert counts[name]["messages delivered"] >= 8
        assert counts[name]["rows inserted"] > counts[name]["events made"]
        assert all(each >= 0 for each in counts[name].values())
    assert counts["product"]["socket writes to the broker"] > 0
    assert result["cpu_ms_per_event"].keys() == {"intake work", "routing work", "notify work"}
    assert [goal["name"] for goal in result["goals"] if goal["met"] is None] == ["flat"]
    for goal in result["goals"]:
        assert goal["what"] in done.stdout


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.timeout(300)
def test_the_doors_alone_are_measured_side_by_side(servers: Servers, tmp_path: Path) -> None:
    target = tmp_path / "bench.json"
    arguments = ["--submit-only", "--dossiers", "40", "--rounds", "1", "--json", str(target)]
    done = run(servers, *arguments)
    assert done.returncode == 0, done.stderr
    result = json.loads(target.read_text(encoding="utf-8"))
    assert result["dossiers_per_second"].keys() == {"bare", "product"}
    assert result["cpu_ms_by_process"]["product"].keys() == {"submit", "postgresql", "rabbitmq"}
    assert "submissions alone" in done.stdout


def test_help_tells_the_options_of_the_benchmark() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services", "bench", "--help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    for option in ("--dossiers", "--rounds", "--preload", "--submit-only", "--quick", "--json"):
        assert option in done.stdout
