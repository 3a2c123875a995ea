"""What the agencies' work does to a dossier at its desk; each function answers one fact of routing.

A fact that comes too late to matter changes nothing: `TooLate` says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.intake.domain.deadline import Rules, stop_clock
from services.intake.domain.dossier import Dossier, Ending, Extension, Standstill, Wait
from services.intake.domain.statuses import Status, move
from services.intake.domain.waits import drop_waits, open_wait, resume_clock, settle


@dataclass(frozen=True, slots=True)
class TooLate:
    """The dossier had already come to its end; `note` is for the timeline, in Vietnamese."""

    note: str


def _over(dossier: Dossier) -> TooLate | None:
    if dossier.status.final or dossier.status is Status.RESOLVED:
        return TooLate(f"Đến muộn: hồ sơ đã ở trạng thái «{dossier.status.vi}».")
    return None


def started(dossier: Dossier) -> Dossier | TooLate:
    """The first step is open: 2 -> 4; a waiting dossier will go on in 4."""
    if (late := _over(dossier)) is not None:
        return late
    if dossier.standing is not Status.RECEIVED:
        return dossier
    if dossier.open_waits:
        return replace(dossier, standing=Status.PROCESSING)
    status = move(dossier.status, Status.PROCESSING, standing=dossier.standing)
    return replace(dossier, standing=Status.PROCESSING, status=status)


def asked(dossier: Dossier, wait: Wait, rules: Rules) -> Dossier | TooLate:
    """An agency asks the citizen for papers or money: 4 -> 5 or 6, the clock may stop."""
    if (late := _over(dossier)) is not None:
        return late
    restart = wait.kind == "supplement" and rules.restart
    return open_wait(dossier, wait, restart=restart)


def request_dropped(
    dossier: Dossier, round_: int, at: datetime, rules: Rules, *, reason: str
) -> Dossier | TooLate:
    """Nobody waits for the papers of that round any more: 5 -> 4, the clock may run again."""
    if (late := _over(dossier)) is not None:
        return late
    waits = tuple(
        replace(w, closed_at=at, dropped=reason)
        if w.open and w.kind == "supplement" and w.round == round_
        else w
        for w in dossier.waits
    )
    return settle(resume_clock(replace(dossier, waits=waits), at, rules))


def clock_stopped(dossier: Dossier, standstill: Standstill) -> Dossier | TooLate:
    """A step that the law does not count is open: the clock stands, the status stays."""
    if (late := _over(dossier)) is not None:
        return late
    return stop_clock(replace(dossier, standstill=standstill), standstill.since, restart=False)


def clock_resumed(dossier: Dossier, at: datetime, rules: Rules) -> Dossier | TooLate:
    """The last such step has ended; the clock runs again unless the citizen must act."""
    if (late := _over(dossier)) is not None:
        return late
    return resume_clock(replace(dossier, standstill=None), at, rules)


def stopped(
    dossier: Dossier, at: datetime, rules: Rules, *, reason: str, next_step: str | None
) -> Dossier | TooLate:
    """The agencies cannot go on: -> 8."""
    if (late := _over(dossier)) is not None:
        return late
    status = move(dossier.status, Status.STOPPED, standing=dossier.standing)
    return replace(
        drop_waits(dossier, at, rules, reason=reason),
        status=status,
        ending=Ending(reason, next_step),
        finished_at=at,
    )


def resolved(
    dossier: Dossier, at: datetime, rules: Rules, results: Sequence[Mapping[str, Any]]
) -> Dossier | TooLate:
    """Every branch has its result: -> 9; a request that was still open falls away."""
    if (late := _over(dossier)) is not None:
        return late
    free = settle(drop_waits(dossier, at, rules))
    return replace(
        free,
        status=move(free.status, Status.RESOLVED, standing=free.standing),
        results=tuple(results),
        finished_at=at,
    )


def extended(dossier: Dossier, extension: Extension) -> Dossier | TooLate:
    """An agency needs more time: a date is added, the first promise stays."""
    if (late := _over(dossier)) is not None:
        return late
    if any(e.number == extension.number for e in dossier.extensions):
        return dossier
    return replace(
        dossier,
        extensions=(*dossier.extensions, extension),
        due_at=extension.due_at,
    )
