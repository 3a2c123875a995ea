"""What a procedure asks of routing: its steps and the order between them.

Here live the step graph and the questions that can be asked of it without knowing any dossier.
Not here: how far a dossier has come (case.py), files of the catalogue, calendars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from shared.catalogue.step import Back, Choice, Verification
from shared.events.parts import Step
from shared.kernel.calendar import Duration
from shared.kernel.errors import BrokenCatalogue, Fault

StepKind = Literal["task", "payment", "wait"]


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step of a procedure, as the catalogue version in force at reception wrote it."""

    code: str
    name: str
    role: str
    kind: StepKind = "task"
    after: tuple[str, ...] = ()
    budget: Duration | None = None
    shares: tuple[str, ...] = ()
    branch: str | None = None
    consent_by_silence: bool = False
    after_result: bool = False
    pauses_clock: bool = False
    results: tuple[str, ...] = ()
    max_extensions: int = 1
    back: Back | None = None
    verification: Verification | None = None
    place: str | None = None
    chooses: tuple[Choice, ...] = ()

    @property
    def part(self) -> Step:
        """The step as events name it."""
        return Step(code=self.code, name=self.name)


@dataclass(frozen=True, slots=True)
class Plan:
    """The part of a procedure version that routing works with."""

    code: str
    version: int
    name: str
    steps: tuple[StepPlan, ...]
    restart_after_supplement: bool = False
    max_supplement_rounds: int | None = None

    def step(self, code: str) -> StepPlan | None:
        """One step, None where there is no such step."""
        return next((step for step in self.steps if step.code == code), None)


@dataclass(frozen=True, slots=True)
class Route:
    """The steps that one choice of branches leads through, every step after its predecessors.

    `partial_joins` open with whatever was granted; every other join needs all its predecessors.
    """

    plan: Plan
    steps: tuple[StepPlan, ...]
    index: Mapping[str, StepPlan]
    before: Mapping[str, tuple[str, ...]]
    partial_joins: frozenset[str]
    leaves: frozenset[str]

    @property
    def shared_fields(self) -> frozenset[str]:
        """Every form field that some step may see, whichever branches are still chosen."""
        left = {each.code for step in self.steps for each in step.chooses}
        for step in self.plan.steps:
            left.update(each.code for each in step.chooses if step.branch in left)
        may_come = (step for step in self.plan.steps if step.branch in left)
        return frozenset(field for step in (*self.steps, *may_come) for field in step.shares)

    def from_on(self, code: str) -> tuple[str, ...]:
        """A step and all that comes after it, however far: what is done again once it is."""
        found = {code}
        for step in self.steps:
            if found.intersection(self.before[step.code]):
                found.add(step.code)
        return tuple(step.code for step in self.steps if step.code in found)

    def leads_to_payment(self, code: str) -> bool:
        """Whether the citizen pays next what this step works out."""
        return any(s.kind == "payment" and code in self.before[s.code] for s in self.steps)


def route(plan: Plan, branches: Iterable[str]) -> Route:
    """Lay out the steps for the branches that citizen and officers chose; a cycle is BrokenCatalogue."""
    wanted = frozenset(branches)
    every = {step.code: step for step in plan.steps}
    chosen = {c: s for c, s in every.items() if s.branch is None or s.branch in wanted}
    before = {code: _predecessors(step, every, chosen) for code, step in chosen.items()}
    steps = _in_order(plan, chosen, before)
    counted_before = {code for step in steps if not step.after_result for code in before[step.code]}
    return Route(
        plan=plan,
        steps=steps,
        index=chosen,
        before=before,
        partial_joins=frozenset(
            s.code for s in steps if _is_partial_join(s, chosen, before[s.code])
        ),
        leaves=frozenset(
            s.code for s in steps if not s.after_result and s.code not in counted_before
        ),
    )


def _predecessors(
    step: StepPlan, every: Mapping[str, StepPlan], chosen: Mapping[str, StepPlan]
) -> tuple[str, ...]:
    """A branch nobody chose is looked through: what stood before it stands before its followers."""
    found: dict[str, None] = {}
    queue, seen = list(step.after), set[str]()
    while queue:
        code = queue.pop(0)
        if code in seen or code not in every:
            continue
        seen.add(code)
        if code in chosen:
            found[code] = None
        else:
            queue.extend(every[code].after)
    return tuple(found)


def _in_order(
    plan: Plan, chosen: Mapping[str, StepPlan], before: Mapping[str, tuple[str, ...]]
) -> tuple[StepPlan, ...]:
    ordered: dict[str, StepPlan] = {}
    while len(ordered) < len(chosen):
        ready = [
            step
            for code, step in chosen.items()
            if code not in ordered and all(p in ordered for p in before[code])
        ]
        if not ready:
            raise BrokenCatalogue(
                (
                    Fault(
                        f"{plan.code} {plan.version}",
                        "các bước vòng tròn, không bước nào bắt đầu được",
                        "the steps form a cycle: none of them can begin",
                    ),
                )
            )
        ordered.update((step.code, step) for step in ready)
    return tuple(ordered.values())


def _is_partial_join(
    step: StepPlan, chosen: Mapping[str, StepPlan], before: tuple[str, ...]
) -> bool:
    """A step without a result of its own, after several that have one, only gathers them.

    It opens with whatever was granted: the citizen gets the finished part even when one branch
    failed. Every other join needs all of its predecessors.
    """
    return not step.results and len(before) > 1 and all(chosen[code].results for code in before)
