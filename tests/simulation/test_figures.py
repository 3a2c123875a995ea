"""The derived figures: what is kept is what the log gives, and draws follow it."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest
import yaml

from shared.kernel.clock import to_vn
from simulation.derive import derive
from simulation.figures import FILE, load_figures
from tests.simulation.the_log import LOG, needs_log


@needs_log
def test_the_kept_figures_are_what_the_log_gives() -> None:
    assert yaml.safe_load(FILE.read_text(encoding="utf-8")) == derive(LOG)


def test_the_kept_figures_name_their_source_and_add_up() -> None:
    figures = load_figures()
    assert "doi 10.4121" in figures.source
    assert sum(figures.arrivals.values()) == 700
    assert sum(figures.channels.values()) == pytest.approx(1, abs=0.001)
    shares = [share for _, share in figures.shape]
    assert shares == sorted(shares)


def test_arrivals_keep_to_the_hours_of_the_log_and_to_the_days_asked_for() -> None:
    figures = load_figures()
    first, last = date(2022, 3, 1), date(2022, 3, 31)
    arrivals = [to_vn(at) for at in figures.draw_arrivals(Random(1), first, last, 400)]
    assert arrivals == sorted(arrivals)
    assert all(first <= at.date() <= last for at in arrivals)
    assert all((at.weekday(), at.hour) in figures.arrivals for at in arrivals)


def test_most_steps_stay_within_their_budget_and_a_tenth_does_not() -> None:
    figures, rng = load_figures(), Random(7)
    shares = [figures.draw_share(rng) for _ in range(4000)]
    late = sum(share > 1 for share in shares) / len(shares)
    assert 0.07 < late < 0.13
    assert max(shares) <= 3.0
