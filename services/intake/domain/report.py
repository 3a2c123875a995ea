"""Form II.06a: what offices received, resolved and have in hand over a period; counting only.

Definitions: official form II.06a/VPCP/KSTT (Thông tư 01/2020/TT-VPCP). Judged by the finish instant
(status 9, or the withdrawal or stop after reception), in dates, against the promise moved by lawful
pauses alone: an extension with an apology does not make a late dossier punctual.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime

from services.intake.domain.dossier import Pause
from services.intake.domain.lateness import late
from services.intake.domain.statuses import Status
from shared.kernel.clock import to_vn


@dataclass(frozen=True, slots=True)
class History:
    """What the report needs of one received dossier; no personal data."""

    office: str
    field: str
    channel: str
    status: Status
    received_at: datetime
    promised_at: datetime
    finished_at: datetime | None
    pauses: tuple[Pause, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """One row of the form; received_total = resolved_total + in_progress_total, always."""

    received_online: int = 0
    received_other: int = 0
    carried_over: int = 0
    resolved_early: int = 0
    resolved_on_time: int = 0
    resolved_late: int = 0
    in_progress_in_time: int = 0
    in_progress_late: int = 0

    @property
    def received_total(self) -> int:
        """Received in the period and carried over from before."""
        return self.received_online + self.received_other + self.carried_over

    @property
    def resolved_total(self) -> int:
        """Finished within the period."""
        return self.resolved_early + self.resolved_on_time + self.resolved_late

    @property
    def in_progress_total(self) -> int:
        """Not finished at the end of the period."""
        return self.in_progress_in_time + self.in_progress_late

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)))


@dataclass(frozen=True, slots=True)
class Row:
    """The counts of one office in one field of procedures."""

    office: str
    field: str
    counts: Counts


def report(
    histories: Iterable[History], start: datetime, end: datetime, *, now: datetime | None = None
) -> tuple[Row, ...]:
    """The rows for the half-open period [start, end), by office and field in their order.

    Only what had happened before `end` counts, so a past period gives the same answer for ever.
    A period that is still running is judged `now`: what is due tomorrow is not late today.
    """
    totals: dict[tuple[str, str], Counts] = {}
    for history in histories:
        counted = count(history, start, end, now=now)
        if counted is not None:
            key = (history.office, history.field)
            totals[key] = totals.get(key, Counts()) + counted
    return tuple(Row(office, field, totals[office, field]) for office, field in sorted(totals))


def count(
    history: History, start: datetime, end: datetime, *, now: datetime | None = None
) -> Counts | None:
    """One dossier's place in the form, None if it does not belong to the period."""
    finished = history.finished_at
    if history.received_at >= end or (finished is not None and finished < start):
        return None
    if history.received_at < start:
        counts = Counts(carried_over=1)
    elif history.channel == "online":
        counts = Counts(received_online=1)
    else:
        counts = Counts(received_other=1)
    if finished is None or finished >= end:
        return _in_progress(history, end if now is None else min(end, now), counts)
    return _resolved(history, finished, counts)


def _in_progress(history: History, end: datetime, counts: Counts) -> Counts:
    # Waiting for the citizen counts as in time, unless the date had passed when the wait began.
    since = min((p.since for p in history.pauses if _running(p, end)), default=None)
    if late(adjusted_due_at(history, end), end, stopped_since=since):
        return replace(counts, in_progress_late=1)
    return replace(counts, in_progress_in_time=1)


def _resolved(history: History, finished: datetime, counts: Counts) -> Counts:
    due = adjusted_due_at(history, finished)
    if late(due, finished, finished_at=finished):
        return replace(counts, resolved_late=1)
    # Withdrawn and stopped dossiers count as on time: nobody worked faster than promised.
    early = to_vn(finished).date() < to_vn(due).date()
    if early and history.status in (Status.RESOLVED, Status.RETURNED):
        return replace(counts, resolved_early=1)
    return replace(counts, resolved_on_time=1)


def _running(pause: Pause, at: datetime) -> bool:
    return pause.since < at and (pause.until is None or pause.until >= at)


def adjusted_due_at(history: History, at: datetime) -> datetime:
    """The date that bound the office at an instant: the promise, moved by the pauses over by then."""
    due = history.promised_at
    for pause in history.pauses:
        if pause.until is not None and pause.until <= at and pause.adjusted_due_after is not None:
            due = pause.adjusted_due_after
    return due
