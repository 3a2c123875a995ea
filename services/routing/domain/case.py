"""A dossier's journey as routing keeps it: the case and the tasks that were handed over.

Here live the values and what can be read off them. Not here: how they change (journey.py,
answers.py, standstill.py, deadlines.py) and where they are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from services.routing.domain.plan import Ref, Route, StepPlan
from shared.kernel.calendar import WorkingCalendar

TaskState = Literal["assigned", "taken", "paused", "answered", "cancelled"]
CaseState = Literal["live", "resolved", "stopped", "withdrawn"]
Outcome = Literal["granted", "refused", "silent_consent", "paid"]
Fate = Literal["waiting", "open", "done", "failed", "unreachable", "cancelled"]

OPEN_STATES: frozenset[str] = frozenset({"assigned", "taken", "paused"})
FINAL_FATES: frozenset[str] = frozenset({"done", "failed", "unreachable", "cancelled"})


@dataclass(frozen=True, slots=True)
class Alarms:
    """A deadline and the warnings before it that have not been given yet (UTC instants)."""

    due_at: datetime
    day_at: datetime | None = None
    hours_at: datetime | None = None
    missed: bool = False

    @property
    def next_at(self) -> datetime | None:
        """When the next of them is due, None when all have been given."""
        waiting = [at for at in (self.day_at, self.hours_at) if at is not None]
        if not self.missed:
            waiting.append(self.due_at)
        return min(waiting, default=None)


@dataclass(frozen=True, slots=True)
class PapersWanted:
    """What an agency asks the citizen for."""

    items: tuple[str, ...]
    reason: str
    respond_by: datetime | None


@dataclass(frozen=True, slots=True)
class Task:
    """One step as it was handed over: the truth of what an agency was given and said."""

    id: str
    step: str
    kind: Literal["task", "payment"]
    agency: Ref
    state: TaskState
    opened_at: datetime
    alarms: Alarms | None = None
    taken_at: datetime | None = None
    officer: str | None = field(default=None, repr=False)
    paused_at: datetime | None = None
    asked: bool = False
    pending: PapersWanted | None = None
    extensions: int = 0
    closed_by: Literal["completed", "refused", "silence", "lapsed", "paid"] | None = None
    closed_at: datetime | None = None
    outcome: Outcome | None = None
    result_code: str | None = None
    document: str | None = None
    reason: str | None = None
    amount_vnd: int | None = None
    late: bool = False

    @property
    def is_open(self) -> bool:
        """Whether somebody still owes an answer."""
        return self.state in OPEN_STATES

    @property
    def due_at(self) -> datetime | None:
        """The deadline now in force (UTC); a payment has none of ours."""
        return None if self.alarms is None else self.alarms.due_at

    @property
    def next_at(self) -> datetime | None:
        """When the clock has something to say about this task (UTC)."""
        running = self.state in ("assigned", "taken") and self.alarms is not None
        return self.alarms.next_at if running and self.alarms is not None else None

    @property
    def fate(self) -> Fate:
        """What became of the step that this task stands for."""
        if self.is_open:
            return "open"
        if self.state == "cancelled":
            return "cancelled"
        return "failed" if self.outcome == "refused" else "done"


@dataclass(frozen=True, slots=True)
class Office:
    """The desk that received the dossier and the territory its agencies are looked up in."""

    code: str
    name: str
    territory: str

    @property
    def ref(self) -> Ref:
        """The office as facts name it."""
        return Ref(self.code, self.name)


@dataclass(frozen=True, slots=True)
class Received:
    """What routing takes from a received dossier (all instants UTC)."""

    dossier: str
    procedure: str
    version: int
    procedure_name: str
    office: Office
    branches: tuple[str, ...]
    received_at: datetime
    promised_at: datetime
    due_at: datetime
    form: Mapping[str, Any] = field(default_factory=dict, repr=False)
    papers: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """How far one dossier has come. `due_at` is the date intake stated last (UTC).

    `outside_since`: a step outside the legal time is open. `dates_owed`: so many times intake has
    been told of something that moves the date and has not yet stated it anew.
    """

    dossier: str
    procedure: Ref
    version: int
    office: Office
    branches: tuple[str, ...]
    opened_at: datetime
    promised_at: datetime
    due_at: datetime
    state: CaseState = "live"
    form: Mapping[str, Any] = field(default_factory=dict, repr=False)
    papers: tuple[Mapping[str, Any], ...] = ()
    tasks: Mapping[str, Task] = field(default_factory=dict)
    rounds: int = 0
    waiting_papers: bool = False
    respond_by: datetime | None = None
    extensions: int = 0
    outside_since: datetime | None = None
    dates_owed: int = 0
    alarms: Alarms | None = None
    closed_at: datetime | None = None

    @property
    def standing(self) -> bool:
        """Whether the clock is stopped because the citizen must act."""
        return self.waiting_papers or any(
            task.kind == "payment" and task.is_open for task in self.tasks.values()
        )

    @property
    def next_at(self) -> datetime | None:
        """When the clock has something to say about the dossier itself (UTC)."""
        if self.state != "live":
            return None
        if self.waiting_papers:
            return self.respond_by
        if self.standing or self.outside_since is not None or self.dates_owed:
            return None  # the date in force will still move
        return None if self.alarms is None else self.alarms.next_at

    def task(self, task_id: str) -> Task | None:
        """The task with this id, None if this case never had it."""
        return next((task for task in self.tasks.values() if task.id == task_id), None)


class Directory(Protocol):
    """Who is competent for what, and when they work; built from the catalogue for one case."""

    def responsible(self, role: str) -> tuple[Ref, bool]:
        """The agency for a role; False when nobody is and the receiving office coordinates."""

    def calendar(self, agency: str) -> WorkingCalendar:
        """The working calendar of an agency or office."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a case is judged by: its route, who is competent, and where new ids come from."""

    route: Route
    directory: Directory
    new_id: Callable[[], str]


def fates(case: Case, route: Route) -> dict[str, Fate]:
    """What has become of every chosen step, predecessors first.

    Steps that were never handed over are derived and never stored: `waiting` while they may still
    open, `unreachable` once a failed predecessor has closed the way, `cancelled` once the dossier
    was withdrawn or stopped.
    """
    over = case.state in ("withdrawn", "stopped")
    found: dict[str, Fate] = {}
    for step in route.steps:
        task = case.tasks.get(step.code)
        if task is not None:
            found[step.code] = task.fate
        elif _shut(step, route, found):
            found[step.code] = "unreachable"
        else:
            found[step.code] = "cancelled" if over else "waiting"
    return found


def _shut(step: StepPlan, route: Route, found: Mapping[str, Fate]) -> bool:
    before = [found[code] for code in route.before[step.code]]
    if step.code in route.gathering:
        return all(fate in FINAL_FATES for fate in before) and "done" not in before
    return any(fate in ("failed", "unreachable") for fate in before)


def ready(step: StepPlan, route: Route, found: Mapping[str, Fate]) -> bool:
    """Whether a waiting step may be handed over now."""
    if found[step.code] != "waiting":
        return False
    before = [found[code] for code in route.before[step.code]]
    if step.code in route.gathering:
        return all(fate in FINAL_FATES for fate in before)
    return all(fate == "done" for fate in before)
