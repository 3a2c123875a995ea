"""What routing says happened, and what it orders agencies to do: plain values.

Facts are in the past tense and go to everybody; orders go to one agency's queue. Not here: wire
names and envelopes (messaging/outgoing.py). All instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.routing.domain.plan import Ref


@dataclass(frozen=True, slots=True)
class DossierStarted:
    """The first tasks were handed over."""

    dossier: str
    procedure: Ref
    started_at: datetime


@dataclass(frozen=True, slots=True)
class StepOpened:
    """A step was handed to an agency."""

    dossier: str
    step: Ref
    agency: Ref
    task: str
    opened_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class StepAnswered:
    """An agency's answer (or its silence) was taken into the journey; outcome None: still open."""

    dossier: str
    step: Ref
    agency: Ref
    task: str
    answer: str
    outcome: str | None
    result_code: str | None
    document: str | None
    reason: str | None
    late: bool
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class SupplementRequested:
    """An agency needs papers of the citizen; the clock stands."""

    dossier: str
    round: int
    step: str
    agency: Ref
    items: tuple[str, ...]
    reason: str
    respond_by: datetime | None
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class SupplementDropped:
    """Nobody waits for the papers of this round any more."""

    dossier: str
    round: int
    step: str | None
    reason: str
    dropped_at: datetime


@dataclass(frozen=True, slots=True)
class ClockStopped:
    """A step outside the legal time is open; the dossier's clock stands."""

    dossier: str
    step: Ref
    agency: Ref
    stopped_at: datetime


@dataclass(frozen=True, slots=True)
class ClockResumed:
    """No step outside the legal time is open any more; intake states the date that follows."""

    dossier: str
    resumed_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentRequested:
    """The citizen has to pay; the clock stands."""

    dossier: str
    step: str
    agency: Ref
    amount_vnd: int | None
    reference: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class DossierExtended:
    """Apology with a new date `due_at` (form 04); `promised_at` stays the first promise."""

    dossier: str
    agency: Ref
    reason: str
    promised_at: datetime
    due_at: datetime
    extended_at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step decided."""

    step: str
    agency: Ref
    outcome: str
    result_code: str | None
    document: str | None
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class DossierResolved:
    """Every counted step has ended and at least one of them was decided."""

    dossier: str
    results: tuple[StepResult, ...]
    resolved_at: datetime


@dataclass(frozen=True, slots=True)
class DossierStopped:
    """The dossier goes back unsolved (form 05), with a reason and what to do next."""

    dossier: str
    reason: str
    next_step: str
    agency: Ref | None
    step: str | None
    stopped_at: datetime


@dataclass(frozen=True, slots=True)
class DeadlineNear:
    """A deadline is 24 h, or 4 working hours, away."""

    dossier: str
    scope: Literal["dossier", "step"]
    step: str | None
    agency: Ref | None
    task: str | None
    due_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class DeadlineMissed:
    """A deadline has passed without an answer."""

    dossier: str
    scope: Literal["dossier", "step"]
    step: str | None
    agency: Ref | None
    task: str | None
    due_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class TaskAssigned:
    """Order: do this step. `form` holds the fields that the step shares and no others."""

    task: str
    dossier: str
    agency: str
    procedure: Ref
    step: Ref
    assigned_at: datetime
    due_at: datetime
    form: Mapping[str, Any] = field(repr=False)
    papers: tuple[Mapping[str, Any], ...]
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """Order: the task stands (no deadline then), goes on, has new papers, a deadline or a note."""

    task: str
    dossier: str
    agency: str
    change: Literal["paused", "resumed", "supplemented", "due"]
    due_at: datetime | None
    changed_at: datetime
    note: str | None = None
    form: Mapping[str, Any] = field(default_factory=dict, repr=False)
    papers: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class TaskCancelled:
    """Order: stop, nobody waits for this any more."""

    task: str
    dossier: str
    agency: str
    reason: str
    cancelled_at: datetime


Fact = (
    DossierStarted
    | StepOpened
    | StepAnswered
    | SupplementRequested
    | SupplementDropped
    | ClockStopped
    | ClockResumed
    | PaymentRequested
    | DossierExtended
    | DossierResolved
    | DossierStopped
    | DeadlineNear
    | DeadlineMissed
)
Order = TaskAssigned | TaskChanged | TaskCancelled
