"""rules.yaml: what holds for the whole city, by day, and its faults."""

from __future__ import annotations

from datetime import date

import pytest

from shared.catalogue import Catalogue, load
from shared.kernel.calendar import Duration
from tests.catalogue.conftest import MARCH_2022, Spoiled

RULES = "rules.yaml"


def test_the_city_reminds_one_working_day_before_and_closes_what_nobody_answered(city: Catalogue):
    rule = city.papers_rule(MARCH_2022)
    assert rule is not None
    assert (rule.remind_before, rule.unanswered) == (Duration(1, "working_day"), "close")
    assert "{respond_by}" in rule.reason.vi
    assert "{respond_by}" in rule.reason.en
    assert city.papers_rule(date(2020, 1, 1)) is None


def test_the_city_hands_an_untaken_task_over_again_after_half_a_working_day(city: Catalogue):
    rule = city.untaken_rule(MARCH_2022)
    assert rule is not None
    assert rule.repeat_after == Duration(4, "working_hour")
    assert city.untaken_rule(date(2020, 1, 1)) is None


def test_a_rule_may_change_from_a_day_on(spoiled: Spoiled):
    text = (spoiled.folder / RULES).read_text(encoding="utf-8")
    text, mark, untaken = text.partition("untaken_tasks:")
    head, _, first = text.partition("  - valid_from: 2021-01-01\n")
    later = first.replace("unanswered: close", "unanswered: keep").replace(
        "    remind_before: {value: 1, unit: working_day}\n", ""
    )
    first = "  - valid_from: 2021-01-01\n    valid_to: 2022-06-30\n" + first
    spoiled.write(RULES, head + first + "  - valid_from: 2022-07-01\n" + later + mark + untaken)
    rules = load(spoiled.folder)
    before, after = rules.papers_rule(MARCH_2022), rules.papers_rule(date(2022, 7, 1))
    assert before is not None
    assert after is not None
    assert (before.unanswered, after.unanswered) == ("close", "keep")
    assert after.remind_before is None


@pytest.mark.parametrize(
    ("old", "new", "place", "en"),
    [
        ("unanswered: close", "unanswered: drop", "unanswered", "'drop' is not known here"),
        ('{respond_by}"\n      en', '{respondby}"\n      en', "reason", "did you mean 'respond_by'"),
        ("unit: working_day}", 'unit: same_day, cutoff: "15:00"}', "remind_before", "some time"),
        ("valid_from: 2021-01-01", "valid_from: soon", "valid_from", "is no date"),
        ("    next_step:", "    nextstep:", "next_step", "is missing"),
        ("after: {value: 4, unit: working_hour}", 'after: {value: 0, unit: same_day, cutoff: "15:00"}', "repeat_after", "how long"),
        ("    repeat_after:", "    repeatafter:", "repeat_after", "how long"),
        ("    apologise_after:", "    apologise:", "apologise_after", "how long"),
        ("new_date: {value: 2", 'new_date: {value: 0, unit: same_day, cutoff: "15:00"} # ', "new_date", "how long"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(spoiled: Spoiled, old: str, new: str, place: str, en: str):
    spoiled.replace(RULES, old, new)
    told = [fault for fault in spoiled.faults() if fault.place.startswith(RULES)]
    assert any(place in fault.place and en in fault.en for fault in told), told


def test_a_city_without_the_file_is_told_to_write_it(spoiled: Spoiled):
    (spoiled.folder / RULES).unlink()
    assert [fault.place for fault in spoiled.faults()] == [RULES, RULES]  # papers, dates
