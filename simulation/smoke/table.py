"""What a smoke run came to, as a short table and the first dossiers that did not come through."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from typing import Final

from shared.kernel.clock import parse_instant
from simulation.smoke.run import MOMENTS, RESOLVED, RETURNED, Carried, Outcome

SHOWN: Final = 5
_WAYS: Final = {"broker": "by the broker", "web": "by the web door"}


def table(outcome: Outcome) -> Iterator[str]:
    """Line by line."""
    found = outcome.dossiers
    yield _row("filed, receipt given", len(found), outcome)
    for agency in outcome.agencies:
        done = sum(agency in dossier.answered for dossier in found)
        yield _row(f"answered by {agency}, {_WAYS[outcome.ways[agency]]}", done, outcome)
    yield _row("resolved", sum(d.status in (RESOLVED, RETURNED) for d in found), outcome)
    yield _row("handed over", sum(dossier.status == RETURNED for dossier in found), outcome)
    for moment in MOMENTS:
        done = sum(dossier.was_told(moment) for dossier in found)
        yield _row(f"citizen told: {moment}", done, outcome)
    if times := [taken.total_seconds() for d in found if (taken := _taken(d)) is not None]:
        yield f"  filed to resolved: median {median(times):.1f} s, slowest {max(times):.1f} s"
    if outcome.waited:
        yield f"  {outcome.waited} requests found a service away and were tried again"
    if outcome.resent:
        yield f"  {outcome.resent} messages were uncertain or held and were sent by order"
    if overtaken := sum(dossier.overtaken for dossier in found):
        yield f"  {overtaken} receipts were overtaken by the result and said no more"
    yield f"  the whole run: {outcome.seconds:.1f} s"


def faults(outcome: Outcome) -> Iterator[str]:
    """Why it is not good, and where the first dossiers stand."""
    if outcome.failure:
        yield f"  {outcome.failure}"
    stuck = [dossier for dossier in outcome.dossiers if not outcome.whole(dossier)]
    for dossier in stuck[:SHOWN]:
        yield f"  {dossier.code}: {_missing(dossier, outcome)}"
    if len(stuck) > SHOWN:
        yield f"  ... and {len(stuck) - SHOWN} more"


def _row(what: str, done: int, outcome: Outcome) -> str:
    mark = "ok" if done == outcome.wanted else "--"
    return f"  {mark}  {what:<48} {done:>5} of {outcome.wanted}"


def _missing(dossier: Carried, outcome: Outcome) -> str:
    parts = [f"status {dossier.status} {dossier.status_name}".rstrip()]
    silent = [agency for agency in outcome.agencies if agency not in dossier.answered]
    if silent:
        parts.append(f"no task answered by {', '.join(silent)}")
    if dossier.status >= RESOLVED:
        parts += [
            f"not told '{moment}' ({dossier.told.get(moment, 'no message')})"
            for moment in MOMENTS
            if not dossier.was_told(moment)
        ]
    return "; ".join(parts)


def _taken(dossier: Carried) -> timedelta | None:
    if dossier.finished_at is None:
        return None
    return parse_instant(dossier.finished_at) - parse_instant(dossier.submitted_at)
