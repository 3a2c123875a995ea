"""The goals of speed are held against what was measured, in the file and in print."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from bench.contest import Run
from bench.figures import Figures
from bench.goals import GOALS, judged, told
from bench.schedule import Order, carry_out
from bench.sheet import Sheet

LATENCIES = {"paced_p50": 1.1, "paced_p99": 1.4, "busy_p50": 1.2, "busy_p99": 1.5}


def measured(**changes: Any) -> dict[str, Any]:
    result = {
        "ratio_to_bare": 0.56,
        "embedded_ratio_to_bare": 0.41,
        "cpu_ratio_to_bare": 1.75,
        "latency_ratios_to_bare": LATENCIES,
        "rss_mb": {"agency": 400.0, "mail": 300.0, "city": 105.0, "submit": 90.0},
        "rss_growth_mb": {"agency": 60.0, "city": 1.0, "submit": 0.5},
        "preloaded": {"ratio_to_empty": 0.97, "run": 10_000},
    }
    return {**result, **changes}


def met(result: dict[str, Any]) -> dict[str, bool | None]:
    return {each["name"]: each["met"] for each in judged(result)}


def test_all_goals_are_met_by_what_meets_them_and_the_strangers_memory_does_not_count() -> None:
    assert met(measured()) == {goal.name: True for goal in GOALS}


def test_each_goal_is_missed_alone() -> None:
    missing: dict[str, dict[str, Any]] = {
        "servers": {"ratio_to_bare": 0.549},
        "embedded": {"embedded_ratio_to_bare": 0.39},
        "cpu": {"cpu_ratio_to_bare": 1.81},
        "latency": {"latency_ratios_to_bare": LATENCIES | {"paced_p50": 1.21}},
        "latency p99": {"latency_ratios_to_bare": LATENCIES | {"paced_p99": 1.51}},
        "busy latency": {"latency_ratios_to_bare": LATENCIES | {"busy_p50": 1.21}},
        "busy latency p99": {"latency_ratios_to_bare": LATENCIES | {"busy_p99": 1.51}},
        "memory": {"rss_mb": {"city": 111.0}},
        "steady": {"rss_growth_mb": {"city": 9.0}},
        "flat": {"preloaded": {"ratio_to_empty": 0.94, "run": 10_000}},
    }
    assert missing.keys() == {goal.name for goal in GOALS}
    for name, change in missing.items():
        assert [each for each, ok in met(measured(**change)).items() if not ok] == [name]


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    result = measured()
    del result["preloaded"]
    assert met(result)["flat"] is None
    assert "not measured" in told(judged(result))[-1]


def test_a_short_run_does_not_say_how_full_databases_compare() -> None:
    short = measured(preloaded={"ratio_to_empty": 0.5, "run": 9_999})
    assert met(short)["flat"] is None


def a_run(*, seconds: float, cpu: float, delays: list[float]) -> Run:
    return Run(100, seconds, seconds / 2, seconds, {"submit": cpu}, {}, {}, delays, delays)


def test_ratios_are_taken_inside_each_round_and_their_median_is_told() -> None:
    """A machine that slows down for one round moves both, and moves no ratio."""
    slow = (1.0, 3.0, 10.0)
    bare = Figures("bare", [a_run(seconds=s, cpu=s, delays=[s, s, 9 * s]) for s in slow])
    more = zip(slow, (4, 2, 3), strict=True)
    ours = [a_run(seconds=2 * s, cpu=s * k, delays=[s * k, s * k, 9 * s]) for s, k in more]
    product = Figures("product", ours, ours, ours)
    bare.paced = bare.busy = bare.full
    assert product.ratio_to(bare) == 0.5
    assert product.cpu_ratio_to(bare) == 3
    assert product.latency_ratios_to(bare) == {
        "paced_p50": 3, "paced_p99": 1, "busy_p50": 3, "busy_p99": 1
    }  # fmt: skip


def test_at_a_rate_dossiers_are_due_one_after_the_other_whoever_submits_them() -> None:
    order = Order(first=5, count=9, rate=1000.0, threads=2)
    parts = carry_out(order, str)
    due = sorted((at, code) for part in parts for code, at in part.due)
    assert [code for _, code in due] == [str(number) for number in range(5, 14)]
    steps = [later - sooner for (sooner, _), (later, _) in pairwise(due)]
    assert steps == pytest.approx([0.001] * 8)


def test_a_line_says_what_was_measured_and_what_was_wanted() -> None:
    line = told(judged(measured(ratio_to_bare=0.28)))[0]
    assert "NOT MET" in line
    assert "0.28" in line
    assert "at least 0.55" in line


def test_a_sheet_gives_back_its_lines_from_any_of_them_on() -> None:
    sheet = Sheet()
    lines = [("000.01.H20-261123-0001", 1.5), ("a", 2.5), ("hồ sơ", 3.5)]
    for code, at in lines:
        sheet.note(code, at)
    assert len(sheet) == 3
    for start in range(4):
        assert list(sheet.since(start)) == lines[start:]
