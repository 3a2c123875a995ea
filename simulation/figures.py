"""The figures of the simulated month: those derived from a real log, and those chosen by us.

Lives here: reading `figures.yaml` (derived, with its source) and drawing from it. What no log tells
(how often an agency asks for papers, which share of citizens nobody reaches) stands in `Habits` and
is labelled as chosen, not measured.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import yaml

from shared.kernel.clock import VN

FILE = Path(__file__).with_name("figures.yaml")


@dataclass(frozen=True, slots=True)
class Habits:
    """Shares (0..1) and days chosen for the demonstration; no source measures them for Cao Lãnh."""

    unreachable: float = 0.04
    desk_refuses: float = 0.03
    desk_asks_papers: float = 0.03
    agency_asks_papers: float = 0.05
    agency_refuses: float = 0.03
    agency_silent: float = 0.012
    agency_wants_time: float = 0.02
    agency_not_ours: float = 0.01
    agency_sends_back: float = 0.3  # where its task allows it, as the next
    agency_verifies: float = 0.2
    agency_knows_whose: float = 0.5  # of those that say it is not theirs
    head_refuses_time: float = 0.25  # of requests for more time
    head_apologises: float = 0.5  # of missed promises; the others the clock apologises for
    citizen_withdraws: float = 0.01
    citizen_never_replies: float = 0.1
    call_unanswered: float = 0.25  # of an officer's calls
    call_wrong_number: float = 0.05
    days_for_papers: int = 5  # working days that whoever asks for papers gives
    slips: float = 0.01  # a form handed in with a fault, refused by intake, then mended


@dataclass(frozen=True, slots=True)
class Figures:
    """Derived figures: arrivals by hour of the week, channel mix, shape of step durations."""

    source: str
    arrivals: Mapping[tuple[int, int], int]
    channels: Mapping[str, float]
    shape: tuple[tuple[float, float], ...]  # (quantile 0..1, share of the step's budget)

    def draw_channel(self, rng: Random) -> str:
        return rng.choices(list(self.channels), list(self.channels.values()))[0]

    def draw_share(self, rng: Random, longest: float = 3.0) -> float:
        """How much of its budget a step takes (1.0 = all of it), linear between quantiles."""
        at = rng.random()
        marks = [mark for mark, _ in self.shape]
        right = min(bisect_right(marks, at), len(marks) - 1)
        (low, a), (high, b) = self.shape[right - 1], self.shape[right]
        return min(a + (b - a) * (at - low) / (high - low), longest)

    def draw_arrivals(self, rng: Random, first: date, last: date, count: int) -> list[datetime]:
        """`count` instants (UTC) from `first` to `last`, both included, by hour of the week."""
        slots = [
            (day, hour)
            for day in (first + timedelta(n) for n in range((last - first).days + 1))
            for hour in range(24)
            if self.arrivals.get((day.weekday(), hour))
        ]
        weights = [self.arrivals[day.weekday(), hour] for day, hour in slots]
        picked = rng.choices(slots, weights, k=count)
        return sorted(
            datetime.combine(day, time(hour), VN).astimezone(UTC)
            + timedelta(seconds=rng.randrange(3600))
            for day, hour in picked
        )


def load_figures(path: Path = FILE) -> Figures:
    """Read the derived figures kept with the project."""
    raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Figures(
        source=raw["source"],
        arrivals={
            (day, hour): count
            for day, hours in raw["arrivals_by_weekday_and_hour"].items()
            for hour, count in hours.items()
        },
        channels=raw["channel_share"],
        shape=tuple(
            (mark / 100, share) for mark, share in raw["step_duration"]["share_of_budget"].items()
        ),
    )
