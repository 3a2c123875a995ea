"""What the measurements say, for people and for JSON, and the goals that they are held against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from bench.goals import Goal, at_path, judged, told
from bench.intake.clients import Asked
from bench.intake.finding import NAMES, Waits

KINDS: Final = ("look-ups", "searches", "lists")


@dataclass(frozen=True)
class Run:
    """One run at full speed, and the CPU milliseconds that each submission took."""

    asked: Asked
    web_ms: float
    postgres_ms: float

    @property
    def cpu(self) -> float:
        """Both: steadier than a rate where others use the machine."""
        return self.web_ms + self.postgres_ms


def _pairs() -> defaultdict[str, list[Asked]]:
    return defaultdict(list)


@dataclass
class Result:
    """Everything measured; what was left out is empty."""

    sizes: Mapping[str, int]
    full: defaultdict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))
    paced: defaultdict[str, list[Asked]] = field(default_factory=_pairs)
    reads: defaultdict[str, defaultdict[str, list[Asked]]] = field(
        default_factory=lambda: defaultdict(_pairs)
    )
    waits: dict[str, dict[str, Waits]] = field(default_factory=dict)


def _slowest(database: str) -> Callable[[Mapping[str, Any]], float | None]:
    def found(result: Mapping[str, Any]) -> float | None:
        known = result["waits"].get(database)
        if known is None:
            return None
        return max(float(known[f"search: {name}"]["clock_p50_ms"]) for name in NAMES)

    return found


GOALS: Final = (
    Goal("accepted", "accepted/s, of the least app's", 0.6, True, at_path("door", "ratio")),
    Goal("p99", "p99 at full speed, of that app's", 1.5, False, at_path("door", "p99_ratio")),
    Goal(
        "p99 paced",
        "p99 at one rate, of that app's",
        1.5,
        False,
        at_path("door", "paced_p99_ratio"),
    ),
    *(
        Goal(
            kind,
            f"{kind}/s with many, of those with few",
            0.9,
            True,
            at_path("reads", kind, "ratio"),
        )
        for kind in KINDS
    ),
    *(
        Goal(
            f"names {name}",
            f"the slowest search by name, {name}",
            100,
            False,
            _slowest(name),
            " ms",
        )
        for name in ("postgresql", "sqlite")
    ),
)


def judged_by(result: Result) -> dict[str, Any]:
    """What `--json` writes."""
    made: dict[str, Any] = {
        "sizes": dict(result.sizes),
        "door": _door(result) if result.full else {},
        "reads": {kind: _read(each) for kind, each in result.reads.items()},
        "waits": {
            database: {name: each.as_json() for name, each in kinds.items()}
            for database, kinds in result.waits.items()
        },
    }
    made["goals"] = judged(made, GOALS)
    return made


def _door(result: Result) -> dict[str, Any]:
    ours, theirs = result.full["product"], result.full["minimal"]
    paced = result.paced
    return {
        "cpu_ratio": round(median(a.cpu / b.cpu for a, b in zip(ours, theirs, strict=True)), 2),
        "ratio": _in_turn([r.asked for r in ours], [r.asked for r in theirs], lambda a: a.rate),
        "p99_ratio": _in_turn([r.asked for r in ours], [r.asked for r in theirs], _p99),
        "paced_p99_ratio": _in_turn(paced["product"], paced["minimal"], _p99),
        **{
            name: {
                "accepted_per_second": _middle(r.asked.rate for r in runs),
                "p50_ms": _middle(r.asked.at(0.5) for r in runs),
                "p99_ms": _middle(_p99(r.asked) for r in runs),
                "paced_p50_ms": _middle(each.at(0.5) for each in paced[name]),
                "paced_p99_ms": _middle(_p99(each) for each in paced[name]),
                "paced_per_second": _middle(each.rate for each in paced[name]),
                "web_cpu_ms": _middle(r.web_ms for r in runs),
                "postgresql_cpu_ms": _middle(r.postgres_ms for r in runs),
            }
            for name, runs in result.full.items()
        },
    }


def _read(runs: Mapping[str, list[Asked]]) -> dict[str, Any]:
    told_of = {
        name: {
            "per_second": _middle(each.rate for each in asked),
            "p50_ms": _middle(each.at(0.5) for each in asked),
            "p99_ms": _middle(_p99(each) for each in asked),
        }
        for name, asked in runs.items()
    }
    return {**told_of, "ratio": _in_turn(runs["many"], runs["few"], lambda a: a.rate)}


def _p99(asked: Asked) -> float:
    return asked.at(0.99)


def _in_turn(ours: Sequence[Asked], theirs: Sequence[Asked], of: Callable[[Asked], float]) -> float:
    """The median of the ratios inside each round."""
    return round(median(of(a) / of(b) for a, b in zip(ours, theirs, strict=True)), 3)


def _middle(values: Iterable[float]) -> float:
    return round(median(values), 2)


def _of_door(name: str, one: Mapping[str, float]) -> str:
    return (
        f"{name:8} {one['accepted_per_second']:7.1f} accepted/s  p50 {one['p50_ms']:.1f}  "
        f"p99 {one['p99_ms']:.1f} ms;  at {one['paced_per_second']:.0f}/s p50 "
        f"{one['paced_p50_ms']:.1f}  p99 {one['paced_p99_ms']:.1f} ms;  CPU web "
        f"{one['web_cpu_ms']:.2f}, PostgreSQL {one['postgresql_cpu_ms']:.2f} ms"
    )


def as_text(made: Mapping[str, Any]) -> str:
    """For people."""
    lines = [_of_door(name, made["door"][name]) for name in ("product", "minimal") if made["door"]]
    if ratio := made["door"].get("cpu_ratio"):
        lines.append(f"CPU of a submission, of that app's: {ratio}")
    for kind, one in made["reads"].items():
        for name in ("few", "many"):
            each, many = one[name], made["sizes"][name]
            lines.append(
                f"{kind:8} {many:7} dossiers {each['per_second']:7.1f}/s  p50 {each['p50_ms']:.1f}"
                f"  p99 {each['p99_ms']:.1f} ms"
            )
    for database, kinds in made["waits"].items():
        lines.append(f"{database}, {made['sizes']['many']} dossiers, one after the other:")
        for name, each in kinds.items():
            lines.append(
                f"  {name:40} p50 {each['clock_p50_ms']:7.1f}  p99 {each['clock_p99_ms']:7.1f} ms"
                f"   CPU p50 {each['cpu_p50_ms']:6.1f}  p99 {each['cpu_p99_ms']:6.1f}"
            )
    return "\n".join([*lines, "goals:", *told(made["goals"])])
