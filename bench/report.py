"""The figures of a benchmark: medians over the rounds, ratios to bare, for people and for JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.contest import Run, percentile
from bench.goals import judged, told


@dataclass
class Figures:
    """All runs of one contestant: at full speed, and at a fixed rate."""

    name: str
    full: list[Run] = field(default_factory=list)
    paced: list[Run] = field(default_factory=list)

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
        """The smaller of the two rates' ratios to another contestant's."""
        to_task = self.rate_to_task / other.rate_to_task
        return round(min(to_task, self.rate_to_message / other.rate_to_message), 3)

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of all processes and servers for one dossier, median."""
        return median(run.cpu_ms for run in self.full)

    def latency(self) -> dict[str, float]:
        """Milliseconds at the fixed rate, medians of the rounds' percentiles."""
        return {
            "agency_p50": self._middle("tasks_ms", 0.50),
            "agency_p99": self._middle("tasks_ms", 0.99),
            "message_p50": self._middle("messages_ms", 0.50),
            "message_p99": self._middle("messages_ms", 0.99),
        }

    def _middle(self, which: str, share: float) -> float:
        return round(median(percentile(getattr(run, which), share) for run in self.paced), 1)

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
            "ratio_to_empty": round(self.full.rate / self.empty.rate, 3),
            "cpu_ms_per_dossier": {name: round(each.cpu_ms, 2) for name, each in pair.items()},
            "cpu_ms_by_process": {
                name: each.by_role("cpu_ms_per_dossier", 3) for name, each in pair.items()
            },
            "rss_mb": self.full.by_role("rss_mb", 1),
            "rows": self.rows,
            "raw": {name: each.raw() for name, each in pair.items()},
        }


def as_json(
    figures: Mapping[str, Figures], *, rate: float, preloaded: Preloaded | None
) -> dict[str, Any]:
    """What `--json` writes."""
    bare, product, embedded = figures["bare"], figures["product"], figures["embedded"]
    result: dict[str, Any] = {
        "ratio_to_bare": product.ratio_to(bare),
        "embedded_ratio_to_bare": embedded.ratio_to(bare),
        "ratios_to_bare": {name: each.ratio_to(bare) for name, each in figures.items()},
        "dossiers_per_second": {
            name: {
                "to_task": round(each.rate_to_task, 1),
                "to_message": round(each.rate_to_message, 1),
            }
            for name, each in figures.items()
        },
        "latency_ms": {name: each.latency() for name, each in figures.items()},
        "latency_rate_per_second": rate,
        "latency_ratio_to_bare": round(
            product.latency()["agency_p50"] / bare.latency()["agency_p50"], 2
        ),
        "cpu_ms_per_dossier": {name: round(each.cpu_ms, 2) for name, each in figures.items()},
        "cpu_ms_by_process": {
            name: each.by_role("cpu_ms_per_dossier", 3) for name, each in figures.items()
        },
        "rss_mb": product.by_role("rss_mb", 1) | embedded.by_role("rss_mb", 1),
        "rss_growth_mb": product.by_role("rss_growth_mb", 1) | embedded.by_role("rss_growth_mb", 1),
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.platform(),
        },
        "raw": {name: each.raw() for name, each in figures.items()},
    }
    if preloaded is not None:
        result["preloaded"] = preloaded.as_json()
    result["goals"] = judged(result)
    return result


def as_text(result: Mapping[str, Any]) -> str:
    """What is printed."""
    columns = ("agency_p50", "agency_p99", "message_p50", "message_p99")
    head = ["", "to task", "to message", "of bare", "CPU ms"]
    head += [name.replace("_", " ") for name in columns]
    rows = [
        [
            name,
            f"{rate['to_task']:.0f}/s",
            f"{rate['to_message']:.0f}/s",
            f"{result['ratios_to_bare'][name]:.2f}",
            f"{result['cpu_ms_per_dossier'][name]:.2f}",
            *(f"{result['latency_ms'][name][column]:.1f}" for column in columns),
        ]
        for name, rate in result["dossiers_per_second"].items()
    ]
    lines = [
        *_table([head, *rows]),
        "",
        "(dossiers a second until the task of each is on a queue and the message of each handed over;",
        "of bare: the smaller of the two ratios)",
        f"(agency, message: milliseconds at {result['latency_rate_per_second']:g} dossiers/s)",
        "CPU ms for one dossier by process:",
    ]
    for name, parts in result["cpu_ms_by_process"].items():
        shares = ", ".join(f"{role} {ms:.2f}" for role, ms in parts.items())
        lines.append(f"  {name}: {shares}")
    memory = ", ".join(
        f"{role} {mb:.0f} ({result['rss_growth_mb'][role]:+.1f})"
        for role, mb in result["rss_mb"].items()
    )
    lines.append(f"memory in MB (growth in the last quarter of the run): {memory}")
    if "preloaded" in result:
        lines.append(_of_preloaded(result["preloaded"]))
    return "\n".join([*lines, "", "goals:", *told(result["goals"])])


def _of_preloaded(more: Mapping[str, Any]) -> str:
    rate, cpu = more["dossiers_per_second"], more["cpu_ms_per_dossier"]
    return (
        f"with {more['dossiers']} dossiers already there: {rate['full']:.0f} dossiers/s, in turn"
        f" with empty databases {rate['empty']:.0f}: {more['ratio_to_empty']:.2f} of empty"
        f" (CPU ms for one dossier {cpu['full']:.2f}, empty {cpu['empty']:.2f};"
        f" filled in {more['seconds_to_fill']:.0f} s)"
    )


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
