"""A dossier's journey as routing keeps it: the case and the tasks that were handed over.

Here live the values and what can be read off them. Not here: how they change (journey.py,
answers.py, waiting.py, deadlines.py) and where they are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from services.routing.domain.plan import Route, StepPlan
from shared.events.parts import Agency, Office, Paper, ProcedureName
from shared.events.types import Outcome
from shared.kernel.calendar import Duration, WorkingCalendar

TaskState = Literal["assigned", "taken", "paused", "answered", "cancelled"]
CaseState = Literal["live", "resolved", "stopped", "withdrawn"]
StepState = Literal["waiting", "open", "done", "failed", "unreachable", "cancelled"]

OPEN_STATES: frozenset[str] = frozenset({"assigned", "taken", "paused"})
ENDED: frozenset[str] = frozenset({"done", "failed", "unreachable", "cancelled"})


@dataclass(frozen=True, slots=True)
class Alarms:
    """A deadline and the warnings before it that have not been given yet (UTC instants).

    `apology_at`: when the city apologises by itself for a promise that was missed.
    """

    due_at: datetime
    day_at: datetime | None = None
    hours_at: datetime | None = None
    missed: bool = False
    apology_at: datetime | None = None

    @property
    def next_at(self) -> datetime | None:
        """When the next of them is due, None when all have been given."""
        told = (self.day_at, self.hours_at, self.apology_at)
        waiting = [at for at in told if at is not None]
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
    """One step as it was handed over: the truth of what an agency was given and said.

    `wish`: until when its agency asks for time, while the head has not decided. `repeat_at`: when it is handed over again, as nobody has it, or its lifetime ends; `fetched_at`: seen at the web door.
    `number`: 1 for the first task of its step; another one each time that the step is handed on.
    A `placing` is on the coordination list: no agency has it, the receiving office must name one.
    A `wait` is nobody's: its agency is where the matter waits, until the date that it has.
    `named`: the agency that its own said is competent. `verifications`: so many were opened.
    `branch`: the one that its agency chose. `undone`: the dossier was sent back to this step or to one before it, and it stands for no step.
    `expired_at`: then its hand-over's lifetime ended, and nobody there had it.
    """

    id: str
    step: str
    kind: Literal["task", "payment", "placing", "wait"]
    agency: Agency
    state: TaskState
    opened_at: datetime
    alarms: Alarms | None = None
    taken_at: datetime | None = None
    officer: str | None = field(default=None, repr=False)
    paused_at: datetime | None = None
    asked: bool = False
    pending: PapersWanted | None = None
    extensions: int = 0
    wish: datetime | None = None
    closed_by: (
        Literal[
            "completed",
            "refused",
            "silence",
            "lapsed",
            "paid",
            "transferred",
            "moved",
            "sent_back",
            "elapsed",
        ]
        | None
    ) = None
    closed_at: datetime | None = None
    outcome: Outcome | Literal["paid", "elapsed"] | None = None
    result_code: str | None = None
    document: str | None = None
    file: str | None = None
    reason: str | None = None
    amount_vnd: int | None = None
    late: bool = False
    repeat_at: datetime | None = None
    repeats: int = 0
    fetched_at: datetime | None = None
    number: int = 1
    named: str | None = None
    expired_at: datetime | None = None
    verifications: int = 0
    undone: bool = False
    branch: str | None = None

    @property
    def is_expired(self) -> bool:
        """Whether the lifetime of its hand-over has ended, and its agency still says nothing."""
        nobody = self.fetched_at is None and self.state == "assigned"
        return nobody and self.expired_at is not None

    @property
    def is_handed_on(self) -> bool:
        """Whether another agency got its step: this one was not competent, or is no more."""
        return self.closed_by in ("transferred", "moved")

    @property
    def is_unseen(self) -> bool:
        """Whether it counts as not handed over until its agency takes or fetches it."""
        return self.repeat_at is not None or self.is_expired

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
        running = self.state in ("assigned", "taken")
        alarm = self.alarms.next_at if running and self.alarms is not None else None
        repeat = self.repeat_at if self.is_open else None
        return min((at for at in (alarm, repeat) if at is not None), default=None)

    @property
    def verdict(self) -> Outcome | None:
        """What the agency decided; a payment and a wait decide nothing."""
        match self.outcome:
            case "paid" | "elapsed":
                return None
            case decided:
                return decided

    @property
    def step_state(self) -> StepState:
        """What became of the step that this task stands for."""
        if self.is_open:
            return "open"
        if self.state == "cancelled":
            return "cancelled"
        return "failed" if self.outcome == "refused" else "done"


@dataclass(frozen=True, slots=True)
class Case:
    """How far one dossier has come. `due_at` is the date intake stated last (UTC).

    `clock_stopped_at`: since then a step outside the legal time is open. `dates_awaited`: so many
    times intake has been told of something that moves the date and has not yet stated it anew.
    `corrected`: fields of the form that the desk has mended, and when it last did (UTC).
    `tasks` are those that stand for their steps now, by step; `handed_on` those of before, by id:
    handed on to another agency, or done again after the dossier was sent back. `channel`: None in
    cases of before it was kept.
    """

    dossier: str
    procedure: ProcedureName
    version: int
    office: Office
    branches: tuple[str, ...]
    opened_at: datetime
    promised_at: datetime
    due_at: datetime
    state: CaseState = "live"
    form: Mapping[str, Any] = field(default_factory=dict, repr=False)
    corrected: Mapping[str, datetime] = field(default_factory=dict)
    papers: tuple[Paper, ...] = ()
    tasks: Mapping[str, Task] = field(default_factory=dict)
    handed_on: Mapping[str, Task] = field(default_factory=dict)
    rounds: int = 0
    waiting_papers: bool = False
    respond_by: datetime | None = None
    extensions: int = 0
    clock_stopped_at: datetime | None = None
    dates_awaited: int = 0
    alarms: Alarms | None = None
    closed_at: datetime | None = None
    channel: str | None = None

    @property
    def ways(self) -> tuple[str, ...]:
        """The branches that it takes: the citizen's, and those that officers have chosen so far."""
        chosen = (task.branch for task in self.tasks.values() if task.branch is not None)
        return (*self.branches, *sorted(chosen))

    @property
    def desk(self) -> Agency:
        """The receiving office as events name an agency."""
        return Agency(code=self.office.code, name=self.office.name)

    @property
    def waiting_for_citizen(self) -> bool:
        """Whether the clock is stopped because the citizen must act."""
        return self.waiting_papers or any(
            task.kind == "payment" and task.is_open for task in self.tasks.values()
        )

    @property
    def latest(self) -> datetime:
        """The latest instant of anything that has happened here (UTC)."""
        tasks = self.tasks.values()
        instants = [(t.opened_at, t.taken_at, t.paused_at, t.closed_at) for t in tasks]
        own = (self.opened_at, self.clock_stopped_at, self.closed_at)
        return max(at for each in (own, *instants) for at in each if at is not None)

    @property
    def next_at(self) -> datetime | None:
        """When the clock has something to say about the dossier itself (UTC)."""
        if self.state != "live":
            return None
        if self.waiting_for_citizen or self.clock_stopped_at is not None or self.dates_awaited:
            return None  # the date in force will still move
        return None if self.alarms is None else self.alarms.next_at

    def sent_back(self, step: str) -> int:
        """How often a step's agency has sent the dossier back."""
        return sum(t.step == step and t.closed_by == "sent_back" for t in self.handed_on.values())

    def verified(self, step: str) -> int:
        """How many extra verifications a step's agencies have opened, whoever has it now."""
        before = sum(t.verifications for t in self.handed_on.values() if t.step == step)
        return before + (self.tasks[step].verifications if step in self.tasks else 0)

    def task(self, task_id: str) -> Task | None:
        """The task with this id, None if this case never had it."""
        now = (task for task in self.tasks.values() if task.id == task_id)
        return next(now, None) or self.handed_on.get(task_id)


@dataclass(frozen=True, slots=True)
class DateRules:
    """How long before a date its warnings come, and what follows a missed promise; None: nothing."""

    near: Duration | None = None
    soon: Duration | None = None
    apologise_after: Duration | None = None
    new_date: Duration | None = None


class Directory(Protocol):
    """Who is competent for what, and when they work; built from the catalogue for one case."""

    def responsible(self, role: str, place: str | None = None) -> tuple[Agency, bool]:
        """The agency for a role; False when nobody is and the receiving office coordinates.

        `place`: the name of the ward that it lies in, where that decides and not the receiving office.
        """

    def competent(
        self, role: str, named: str | None = None, place: str | None = None
    ) -> Sequence[Agency]:
        """Who may have a role's work here: whoever is `named` and holds the role, then the rules'."""

    def agency(self, code: str) -> Agency | None:
        """An agency of this day, None where there is none of this code."""

    def calendar(self, agency: str) -> WorkingCalendar:
        """The working calendar of an agency or office."""

    def patience(self, agency: str) -> Duration | None:
        """After so long an untaken task is looked at for the first time; None: never."""

    def dates(self) -> DateRules:
        """What the city lays down for dates that are near or missed."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a case is judged by: its route, who is competent, the instant (UTC) and new ids.

    `receipted`: the id of the file that a receipt is for, None where it is not this task's. `queued`:
    whether an agency has a queue now, on which a task can be put again.
    """

    route: Route
    directory: Directory
    now: datetime
    new_id: Callable[[], str]
    receipted: Callable[[str, str], str | None] = lambda _receipt, _task: None
    queued: Callable[[str], bool] = lambda _agency: True


def step_states(case: Case, route: Route) -> dict[str, StepState]:
    """What has become of every chosen step, predecessors first.

    Steps that were never handed over are derived and never stored: `waiting` while they may still
    open, `unreachable` once a failed predecessor has closed the way, `cancelled` once the dossier
    was withdrawn or stopped.
    """
    over = case.state in ("withdrawn", "stopped")
    found: dict[str, StepState] = {}
    for step in route.steps:
        task = case.tasks.get(step.code)
        if task is not None:
            found[step.code] = task.step_state
        elif _shut(step, route, found):
            found[step.code] = "unreachable"
        else:
            found[step.code] = "cancelled" if over else "waiting"
    return found


def further_answers(case: Case, step: StepPlan) -> tuple[str, ...]:
    """What a task of this step may be answered beside the usual: by the catalogue, and the counts."""
    back, extra = step.back, step.verification
    return (
        *(["sent_back"] if back and case.sent_back(step.code) < back.most else []),
        *(["verification_needed"] if extra and case.verified(step.code) < extra.most else []),
    )


def _shut(step: StepPlan, route: Route, found: Mapping[str, StepState]) -> bool:
    before = [found[code] for code in route.before[step.code]]
    if step.code in route.partial_joins:
        return all(state in ENDED for state in before) and "done" not in before
    return any(state in ("failed", "unreachable") for state in before)


def ready(step: StepPlan, route: Route, found: Mapping[str, StepState]) -> bool:
    """Whether a waiting step may be handed over now."""
    if found[step.code] != "waiting":
        return False
    before = [found[code] for code in route.before[step.code]]
    if step.code in route.partial_joins:
        return all(state in ENDED for state in before)
    return all(state == "done" for state in before)
