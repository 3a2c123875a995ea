"""All runs of the contestants, their medians, and their ratios to bare round by round.

What disturbs the machine disturbs the runs of one round alike, so a ratio is taken inside each
round, and the median of those is told. How figures look in print is report.py's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.contest import Run, Submitted, percentile


def _delay(share: int) -> Callable[[Run], float]:
    return lambda run: percentile(run.tasks_ms, share / 100)


def in_turn(ours: list[Run], theirs: list[Run], figure: Callable[[Run], float]) -> float:
    """The median of the rounds' ratios of one figure."""
    return round(
        median(figure(own) / figure(other) for own, other in zip(ours, theirs, strict=True)), 3
    )


@dataclass
class Figures:
    """All runs of one contestant: at full speed, at a fixed rate, and at most of its own rate."""

    name: str
    full: list[Run] = field(default_factory=list)
    paced: list[Run] = field(default_factory=list)
    busy: list[Run] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Dossiers a second to the last task and the last message of all, median."""
        return median(run.rate for run in self.full)

    @property
    def rate_to_task(self) -> float:
        """Dossiers a second from the first submission to the last task on a queue, median."""
        return median(run.dossiers / run.seconds_to_tasks for run in self.full)

    @property
    def rate_to_message(self) -> float:
        """The same to the last message handed to the channel."""
        return median(run.dossiers / run.seconds_to_messages for run in self.full)

    def ratio_to(self, other: Figures) -> float:
        """The smaller of the two rates' ratios to another contestant's, median of the rounds."""
        to_task = in_turn(other.full, self.full, lambda run: run.seconds_to_tasks / run.dossiers)
        to_message = in_turn(
            other.full, self.full, lambda run: run.seconds_to_messages / run.dossiers
        )
        return min(to_task, to_message)

    def cpu_ratio_to(self, other: Figures) -> float:
        """CPU of one dossier, of another contestant's."""
        return in_turn(self.full, other.full, lambda run: run.cpu_ms)

    def latency_ratios_to(self, other: Figures) -> dict[str, float]:
        """To the agency's queue, at the fixed rate and at most of each one's own rate."""
        return {
            f"{name}_p{share}": in_turn(
                getattr(self, which),
                getattr(other, which),
                _delay(share),
            )
            for name, which in (("paced", "paced"), ("busy", "busy"))
            for share in (50, 99)
        }

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of all processes and servers for one dossier, median."""
        return median(run.cpu_ms for run in self.full)

    def latency(self, which: str = "paced") -> dict[str, float]:
        """Milliseconds at the fixed rate or `busy`, medians of the rounds' percentiles."""
        runs: list[Run] = getattr(self, which)
        return {
            f"{where}_p{share}": round(
                median(percentile(getattr(run, delays), share / 100) for run in runs), 1
            )
            for where, delays in (("agency", "tasks_ms"), ("message", "messages_ms"))
            for share in (50, 99)
        }

    def by_role(self, which: str, digits: int) -> dict[str, float]:
        """CPU or memory of each process, median."""
        runs: list[dict[str, float]] = [getattr(run, which) for run in self.full]
        return {name: round(median(run[name] for run in runs), digits) for name in runs[0]}

    def raw(self) -> dict[str, Any]:
        """Every run as it was."""
        return {
            "rates": [round(run.rate, 1) for run in self.full],
            "dossiers": [run.dossiers for run in self.full],
            "seconds_to_accept": [round(run.seconds_to_accept, 3) for run in self.full],
            "seconds_to_tasks": [round(run.seconds_to_tasks, 3) for run in self.full],
            "seconds_to_messages": [round(run.seconds_to_messages, 3) for run in self.full],
            "cpu_ms_per_dossier": [round(run.cpu_ms, 3) for run in self.full],
            "paced_dossiers": [run.dossiers for run in self.paced],
            "busy_dossiers": [run.dossiers for run in self.busy],
        }


@dataclass
class Preloaded:
    """The product with many dossiers already in its databases, in turn with one on empty ones."""

    dossiers: int
    seconds_to_fill: float
    rows: Mapping[str, Mapping[str, int]]
    empty: Figures = field(default_factory=lambda: Figures("empty"))
    full: Figures = field(default_factory=lambda: Figures("full"))

    def as_json(self) -> dict[str, Any]:
        """As the file tells it."""
        pair = {"empty": self.empty, "full": self.full}
        return {
            "dossiers": self.dossiers,
            "seconds_to_fill": round(self.seconds_to_fill, 1),
            "dossiers_per_second": {name: round(each.rate, 1) for name, each in pair.items()},
            "run": self.full.full[0].dossiers,
            "ratio_to_empty": in_turn(self.full.full, self.empty.full, lambda run: run.rate),
            "cpu_ms_per_dossier": {name: round(each.cpu_ms, 2) for name, each in pair.items()},
            "cpu_ms_by_process": {
                name: each.by_role("cpu_ms_per_dossier", 3) for name, each in pair.items()
            },
            "rss_mb": self.full.by_role("rss_mb", 1),
            "rows": self.rows,
            "raw": {name: each.raw() for name, each in pair.items()},
        }


def submitted(runs: Mapping[str, list[Submitted]]) -> dict[str, Any]:
    """The submissions alone, as the file tells them."""
    rates = {name: [run.dossiers / run.seconds for run in each] for name, each in runs.items()}
    return {
        "dossiers_per_second": {name: round(median(each), 1) for name, each in rates.items()},
        "ratio_to_bare": round(
            median(p / b for p, b in zip(rates["product"], rates["bare"], strict=True)), 3
        ),
        "cpu_ms_by_process": {
            name: {
                role: round(median(run.cpu_ms_per_dossier[role] for run in each), 3)
                for role in each[0].cpu_ms_per_dossier
            }
            for name, each in runs.items()
        },
    }
