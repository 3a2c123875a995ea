"""What a run came to: a table for people, a file for programs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from simulation.chaos.run import Outcome
from simulation.chaos.verdict import KINDS, Evidence, name_of, verdict_of

_SHOWN = 20


def table(outcome: Outcome) -> Iterator[str]:
    """Line by line: each act, how often, and how many got their verdict."""
    evidence = outcome.evidence
    yield f"  {'act':<44} {'done':>6} {'well':>6}"
    for name, (done, well) in sorted(_rows(evidence).items()):
        mark = "ok" if done == well else "--"
        yield f"  {name:<44} {done:>6} {well:>6}  {mark}"
    yield ""
    for what, count in outcome.counts.items():
        yield f"  {what:<44} {count:>6}"
    yield ""
    for kind in KINDS:
        found = [each for each in outcome.findings if each.kind == kind]
        yield f"  {kind:<44} {len(found):>6}  {'--' if found else 'ok'}"
        for each in found[:_SHOWN]:
            yield f"      {each.what}"
        if len(found) > _SHOWN:
            yield f"      ... and {len(found) - _SHOWN} more"


def _rows(evidence: Evidence) -> dict[str, tuple[int, int]]:
    rows: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for entry in evidence.acts:
        name = name_of(entry)
        if entry.act == "fault":
            name = f"fault: {entry.what['line']}"
        done, well = rows[name]
        rows[name] = done + 1, well + verdict_of(entry, evidence)[0]
    return rows


def plain(outcome: Outcome) -> dict[str, Any]:
    """The same for a program."""
    return {
        "seed": outcome.seed,
        "seconds": outcome.seconds,
        "good": outcome.good,
        "rested_seconds": round(outcome.rested, 1),
        "acts": {
            name: {"done": done, "well": well}
            for name, (done, well) in sorted(_rows(outcome.evidence).items())
        },
        "counts": outcome.counts,
        "findings": [{"kind": each.kind, "what": each.what} for each in outcome.findings],
    }
