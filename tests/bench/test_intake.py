"""`./run bench intake` runs to its end, asks everything and judges it; never how fast it was."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from bench.intake.clients import Asked
from bench.intake.finding import NAMES, Waits
from bench.intake.report import GOALS, KINDS, Result, Run, as_text, judged_by
from tests.backends import Servers
from tests.bench.running import run


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.timeout(600)
def test_a_quick_run_asks_both_doors_and_every_size_and_judges_each_goal(
    servers: Servers, tmp_path: Path
) -> None:
    target = tmp_path / "bench.json"
    done = run(servers, "intake", "--quick", "--reads", "20", "--json", str(target))
    assert done.returncode == 0, done.stderr  # an answer that is not as it should be is an error
    result = json.loads(target.read_text(encoding="utf-8"))
    assert all(goal["met"] is not None for goal in result["goals"])
    for goal in result["goals"]:
        assert goal["what"] in done.stdout
    assert result["door"]["product"]["web_cpu_ms"] > 0
    assert result["reads"].keys() == set(KINDS)
    assert result["waits"].keys() == {"postgresql", "sqlite"}


def asked(*waits: float, seconds: float = 1.0) -> Asked:
    return Asked(len(waits), seconds, sorted(waits))


def measured(*, ours: float = 1.0, many: float = 1.0, slowest: float = 99.0) -> Result:
    """Two rounds, the second of a machine that has become three times as slow."""
    result = Result({"few": 1, "many": 2})
    for slow in (1.0, 3.0):
        for name, share in (("product", ours), ("minimal", 1.0)):
            one = asked(slow * share, seconds=slow * share)
            result.full[name].append(Run(one, slow * share, slow))
            result.paced[name].append(one)
        for kind in KINDS:
            result.reads[kind]["few"].append(asked(1.0, seconds=slow))
            result.reads[kind]["many"].append(asked(1.0, seconds=slow * many))
    kinds = {f"search: {name}": Waits([1.0], [1.0]) for name in NAMES}
    kinds[f"search: {NAMES[-1]}"] = Waits([slowest], [1.0])
    result.waits = {"postgresql": kinds, "sqlite": dict(kinds)}
    return result


def met(result: Result) -> dict[str, bool | None]:
    return {each["name"]: each["met"] for each in judged_by(result)["goals"]}


def test_ratios_are_taken_inside_each_round_so_a_slow_machine_misses_no_goal() -> None:
    assert met(measured()) == {goal.name: True for goal in GOALS}


def test_each_kind_of_slowness_misses_its_own_goals() -> None:
    door = {"accepted", "p99", "p99 paced"}
    for result, missed in (
        (measured(ours=1.7), door),
        (measured(many=1.2), set(KINDS)),
        (measured(slowest=101.0), {"names postgresql", "names sqlite"}),
    ):
        assert {name for name, ok in met(result).items() if not ok} == missed


def test_what_was_left_out_is_not_judged() -> None:
    told: dict[str, Any] = judged_by(Result({"few": 1, "many": 2}))
    assert {goal["met"] for goal in told["goals"]} == {None}
    assert "not measured" in as_text(told)


def test_waits_tell_the_middle_and_the_end() -> None:
    values = [float(number) for number in range(100)]
    told = Waits(values, values).as_json()
    assert told["clock_p50_ms"] == pytest.approx(median(values), abs=1)
    assert told["cpu_p99_ms"] == 99.0
