"""One step of a procedure, as the city writes it, and what it can say beside its order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.kernel.calendar import Duration

#: A wait is nobody's work: so long the matter is posted, or objections may come.
StepKind = Literal["task", "payment", "wait"]
Silence = Literal["none", "consent"]


@dataclass(frozen=True, slots=True)
class OtherTime:
    """A time in place of the usual one where all holds that is said: way of filing, case, branch.

    The case is an answer of the declaration: its field (a choice) `field` says `value`.
    """

    time: Duration
    channel: str | None = None
    field: str | None = None
    value: str | None = None
    branch: str | None = None

    def holds(self, channel: str, form: Mapping[str, Any], branches: Collection[str]) -> bool:
        """Whether a dossier is one of those it is for."""
        return (
            self.channel in (None, channel)
            and (self.field is None or form.get(self.field) == self.value)
            and (self.branch is None or self.branch in branches)
        )


@dataclass(frozen=True, slots=True)
class Back:
    """An agency may send the dossier back to an earlier step, at most so often."""

    to: str
    most: int


@dataclass(frozen=True, slots=True)
class Verification:
    """An agency may open an extra verification that the law gives time of its own, at most so often."""

    time: Duration
    most: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A branch that the step's own officer may choose; `time`: what the law adds to the promise then."""

    code: str
    name: str
    time: Duration | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the graph: who acts (role), after what, within what, seeing which form fields.

    A step of a branch that was not chosen is left out, and what comes `after` it does not wait.
    `silence="consent"`: no answer by the due instant counts as agreement. `pauses_clock`: while
    it is open the legal time stands still. `after_result`: it runs once the result is there and
    the citizen does not wait for it. `place`: the field that names the ward whose agency acts, where
    that is not the receiving office's. `chooses`: whoever completes it says which of these branches
    the dossier takes.
    """

    code: str
    name: str
    role: str
    kind: StepKind
    after: tuple[str, ...]
    budget: Duration | None
    shares: tuple[str, ...]
    branch: str | None
    silence: Silence
    after_result: bool
    pauses_clock: bool
    results: tuple[str, ...]
    max_extensions: int
    other_times: tuple[OtherTime, ...] = ()
    back: Back | None = None
    verification: Verification | None = None
    place: str | None = None
    chooses: tuple[Choice, ...] = ()

    def choice(self, branch: str) -> Choice | None:
        """One of the branches that its officer may choose, None for any other."""
        return next((each for each in self.chooses if each.code == branch), None)

    def time(
        self, channel: str, form: Mapping[str, Any], branches: Collection[str]
    ) -> Duration | None:
        """Its part of the legal time for a dossier like this."""
        found = (o.time for o in self.other_times if o.holds(channel, form, branches))
        return next(found, self.budget)
