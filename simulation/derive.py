"""Derives the figures that shape the simulated month from a municipal event log.

Lives here: reading the log's rows and counting. Must not: the simulation itself, or any fact of Cao
Lãnh. Only the derived figures are kept in the project (`figures.yaml`), never the log:

    python -m simulation.derive receipt-700.csv > simulation/figures.yaml
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

SOURCE = (
    "J.C.A.M. Buijs, receipt phase of permit applications at a Dutch municipality (CoSeLoG), "
    "first 700 cases, 4TU.ResearchData, doi 10.4121/uuid:a07386a5-7be3-4367-9535-70bc9e77dbe6; "
    "figures derived, the log itself is not part of this project"
)
CHANNELS = {
    "Internet": "online",
    "e-mail": "online",
    "Desk": "direct",
    "Intern": "direct",
    "Post": "postal",
}
# Clicks of one officer follow each other within minutes; a hand-over to somebody else takes longer.
HANDOVER_HOURS = 0.1
BUDGET_QUANTILE = 0.9
QUANTILES = tuple(range(0, 101, 5))


def read_cases(path: Path) -> dict[str, list[Mapping[str, str]]]:
    """Rows of the log by case, in the file's order."""
    cases: dict[str, list[Mapping[str, str]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            cases.setdefault(row["case"], []).append(row)
    return cases


def quantile(ordered: Sequence[float], share: float) -> float:
    """Value below which `share` (0..1) of the ordered numbers lie (nearest rank)."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _gaps(cases: Iterable[Sequence[Mapping[str, str]]]) -> list[float]:
    hours = []
    for rows in cases:
        times = [datetime.fromisoformat(row["timestamp"]) for row in rows]
        for earlier, later in pairwise(times):
            gap = (later - earlier).total_seconds() / 3600
            if gap >= HANDOVER_HOURS:
                hours.append(gap)
    return sorted(hours)


def derive(path: Path) -> dict[str, Any]:
    """Hour-of-week arrivals, channel mix and the shape of step durations of a log."""
    cases = read_cases(path)
    first = [rows[0] for rows in cases.values()]
    starts = [datetime.fromisoformat(row["timestamp"]) for row in first]
    week = Counter((at.weekday(), at.hour) for at in starts)
    mix = Counter(CHANNELS[row["channel"]] for row in first)
    gaps = _gaps(cases.values())
    budget = quantile(gaps, BUDGET_QUANTILE)
    return {
        "source": SOURCE,
        "cases": len(cases),
        "arrivals_by_weekday_and_hour": {
            day: {hour: week[day, hour] for hour in range(24) if week[day, hour]}
            for day in range(7)
            if any(week[day, hour] for hour in range(24))
        },
        "channel_share": {name: round(mix[name] / len(cases), 4) for name in sorted(mix)},
        "step_duration": {
            "what": (
                "quantiles of the hours between two activities of one case handled by different "
                f"hands (over {HANDOVER_HOURS} h), as a share of their {BUDGET_QUANTILE:.0%} "
                "quantile"
            ),
            "budget_hours": round(budget, 2),
            "share_of_budget": {q: round(quantile(gaps, q / 100) / budget, 4) for q in QUANTILES},
        },
    }


if __name__ == "__main__":
    yaml.safe_dump(derive(Path(sys.argv[1])), sys.stdout, allow_unicode=True, sort_keys=False)
