"""The goals of the product's speed, each held against what was measured: met or not met.

One place says what is to be reached; the printed report, the file and the test read it from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

# Roles of a benchmark that are no part of the product.
STRANGERS: Final = frozenset({"agency", "mail"})
# Dossiers of a run that says how full databases compare with empty ones.
LONG_RUN: Final = 10_000
Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be reached: at least or at most `bar` of what `measured` finds in a result."""

    name: str
    what: str
    bar: float
    at_least: bool
    measured: Callable[[Result], float | None]
    unit: str = ""

    def judged(self, result: Result) -> dict[str, Any]:
        """As the file tells it; `met` is None for what this run did not measure."""
        value = self.measured(result)
        met = None
        if value is not None:
            met = value >= self.bar if self.at_least else value <= self.bar
        return {
            "name": self.name,
            "what": self.what,
            "goal": f"at {'least' if self.at_least else 'most'} {self.bar:g}{self.unit}",
            "measured": value,
            "met": met,
        }


def at_path(*path: str) -> Callable[[Mapping[str, Any]], float | None]:
    """What stands in a result under these names, one within the other."""

    def found(result: Mapping[str, Any]) -> float | None:
        value: Any = result
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return None if value is None else float(value)

    return found


def _most(which: str) -> Callable[[Result], float | None]:
    def found(result: Result) -> float | None:
        own = [mb for role, mb in result[which].items() if role not in STRANGERS]
        return max(own, default=None)

    return found


def _flat(result: Result) -> float | None:
    """Only of runs that are long enough to say it."""
    preloaded = result.get("preloaded")
    if preloaded is None or preloaded["run"] < LONG_RUN:
        return None
    return float(preloaded["ratio_to_empty"])


def _latency(which: str) -> Callable[[Result], float | None]:
    return lambda result: float(result["latency_ratios_to_bare"][which])


_TO_AGENCY: Final = "time to the agency's queue"
GOALS: Final = (
    Goal(
        "servers", "rate on servers, of bare's", 0.55, True, lambda result: result["ratio_to_bare"]
    ),
    Goal(
        "embedded",
        "rate of the embedded city, of bare's",
        0.40,
        True,
        lambda result: result["embedded_ratio_to_bare"],
    ),
    Goal("cpu", "CPU of one dossier, of bare's", 1.8, False, lambda r: r["cpu_ratio_to_bare"]),
    Goal(
        "latency",
        f"median {_TO_AGENCY} at the fixed rate, of bare's",
        1.2,
        False,
        _latency("paced_p50"),
    ),
    Goal(
        "latency p99",
        f"p99 of the {_TO_AGENCY} at the fixed rate, of bare's",
        1.5,
        False,
        _latency("paced_p99"),
    ),
    Goal(
        "busy latency",
        f"median {_TO_AGENCY} at 80 % of the own rate, of bare's",
        1.2,
        False,
        _latency("busy_p50"),
    ),
    Goal(
        "busy latency p99",
        f"p99 of the {_TO_AGENCY} at 80 % of the own rate, of bare's",
        1.5,
        False,
        _latency("busy_p99"),
    ),
    Goal("memory", "memory of the largest process", 110.0, False, _most("rss_mb"), " MB"),
    Goal(
        "steady",
        "growth of the fastest growing process from the third to the last quarter of a run",
        1.5,
        False,
        _most("rss_growth_mb"),
        " MB",
    ),
    Goal("flat", "rate with full databases, of the rate with empty ones", 0.95, True, _flat),
)


def judged(result: Result, goals: Iterable[Goal] = GOALS) -> list[dict[str, Any]]:
    """Every goal with what was measured and whether that meets it."""
    return [goal.judged(result) for goal in goals]


def told(goals: list[dict[str, Any]]) -> list[str]:
    """One line for each goal."""
    words = {True: "met", False: "NOT MET", None: "not measured"}
    lines = []
    for goal in goals:
        value = "" if goal["measured"] is None else f"{goal['measured']:g}, "
        lines.append(f"  {words[goal['met']]:<12}  {goal['what']}: {value}goal {goal['goal']}")
    return lines
