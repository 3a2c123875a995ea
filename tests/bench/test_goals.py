"""The goals of speed are held against what was measured, in the file and in print."""

from __future__ import annotations

from typing import Any

from bench.goals import GOALS, judged, told
from bench.sheet import Sheet


def measured(**changes: Any) -> dict[str, Any]:
    result = {
        "ratio_to_bare": 0.36,
        "embedded_ratio_to_bare": 0.26,
        "latency_ratio_to_bare": 1.3,
        "rss_mb": {"agency": 400.0, "city": 140.0, "submit": 90.0},
        "rss_growth_mb": {"agency": 60.0, "city": 1.0, "submit": 0.5},
        "preloaded": {"ratio_to_empty": 0.97},
    }
    return {**result, **changes}


def met(result: dict[str, Any]) -> dict[str, bool | None]:
    return {each["name"]: each["met"] for each in judged(result)}


def test_all_goals_are_met_by_what_meets_them_and_the_strangers_memory_does_not_count() -> None:
    assert met(measured()) == {goal.name: True for goal in GOALS}


def test_each_goal_is_missed_alone() -> None:
    missing: dict[str, dict[str, Any]] = {
        "servers": {"ratio_to_bare": 0.349},
        "embedded": {"embedded_ratio_to_bare": 0.24},
        "latency": {"latency_ratio_to_bare": 2.1},
        "memory": {"rss_mb": {"city": 151.0}},
        "steady": {"rss_growth_mb": {"city": 9.0}},
        "flat": {"preloaded": {"ratio_to_empty": 0.89}},
    }
    assert missing.keys() == {goal.name for goal in GOALS}
    for name, change in missing.items():
        assert [each for each, ok in met(measured(**change)).items() if not ok] == [name]


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    result = measured()
    del result["preloaded"]
    assert met(result)["flat"] is None
    assert "not measured" in told(judged(result))[-1]


def test_a_line_says_what_was_measured_and_what_was_wanted() -> None:
    line = told(judged(measured(ratio_to_bare=0.28)))[0]
    assert "NOT MET" in line
    assert "0.28" in line
    assert "at least 0.35" in line


def test_a_sheet_gives_back_its_lines_from_any_of_them_on() -> None:
    sheet = Sheet()
    lines = [("000.01.H20-261123-0001", 1.5), ("a", 2.5), ("hồ sơ", 3.5)]
    for code, at in lines:
        sheet.note(code, at)
    assert len(sheet) == 3
    for start in range(4):
        assert list(sheet.since(start)) == lines[start:]
