"""The examples of docs/catalogue.md are put into the city, and the check has nothing against them."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from shared.catalogue import load

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "catalogue.md"
EXAMPLE = re.compile(r"<!-- (file|add to): (\S+) -->\n```yaml\n(.*?)```", re.DOTALL)


@pytest.fixture
def guided(spoiled):
    found = EXAMPLE.findall(GUIDE.read_text(encoding="utf-8"))
    assert len(found) == 6
    for how, file, text in found:
        path = spoiled.folder / file
        before = path.read_text(encoding="utf-8") if how == "add to" else ""
        path.write_text(before + text, encoding="utf-8")
    return spoiled


def test_every_example_of_the_guide_is_a_whole_catalogue_entry(guided):
    assert guided.faults() == []
    city = load(guided.folder)
    assert city.procedure("9.000001", date(2026, 1, 1)).fee.amount_vnd == 8000
    assert city.agency_for("home_affairs_archive", "29866", date(2026, 1, 1)).reach == "amqp"
    assert city.hours()["office-summer"].clock.nominal_day_minutes == 480
    assert city.form("receipt", date(2026, 1, 1), ["tax"]).number == "01/TB"
    rule = city.papers_rule(date(2026, 1, 1))
    assert rule is not None
    assert rule.next_step.en == "File again at {office}"


def test_the_guide_names_every_key_of_a_step_and_every_value_of_a_message():
    text = GUIDE.read_text(encoding="utf-8")
    for word in (
        "role",
        "budget",
        "shares",
        "branch",
        "silence",
        "pauses_clock",
        "after_result",
        "max_extensions",
        "{lookup}",
        "{next_step}",
        "{amount}",
        "{name}",
        "{respond_by}",
    ):
        assert word in text
