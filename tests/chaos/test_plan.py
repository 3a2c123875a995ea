"""A seed repeats all that the driver does; nothing befalls what is in trouble already."""

from __future__ import annotations

from collections import defaultdict

from simulation.chaos.plan import CLOCKED, FAULTS, LINES, MALFORMED, PROCESSES, RUDE, plan

HALF_AN_HOUR = 1800.0


def test_a_seed_repeats_the_acts_and_another_draws_others():
    assert plan(7, HALF_AN_HOUR) == plan(7, HALF_AN_HOUR)
    assert plan(7, HALF_AN_HOUR) != plan(8, HALF_AN_HOUR)


def test_half_an_hour_does_everything_to_everybody():
    drawn = plan(7, HALF_AN_HOUR)
    assert all(0 < each.at < HALF_AN_HOUR for each in drawn)
    faults = [each.what for each in drawn if each.act == "fault"]
    assert {each["line"] for each in faults} == set(LINES)
    assert {each["kind"] for each in faults} == set(FAULTS)
    assert {each.what["process"] for each in drawn if each.act == "kill"} == set(PROCESSES)
    assert {each.what["process"] for each in drawn if each.act == "clock"} == set(CLOCKED)
    assert {each.what["kind"] for each in drawn if each.act == "rude"} == set(RUDE)
    assert {each.what["kind"] for each in drawn if each.act == "malformed"} == set(MALFORMED)


def test_nothing_befalls_what_is_in_trouble_already():
    until: dict[str, float] = defaultdict(float)
    for each in plan(3, HALF_AN_HOUR):
        if each.act in ("fault", "kill", "stop"):
            name = each.what.get("line") or each.what["process"]
            assert each.at > until[name]
            until[name] = each.at + each.what["seconds"]
