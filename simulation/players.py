"""The agencies of a simulated city: each takes its tasks and answers when its plan says so.

Lives here: carrying plans out over the agencies' links. What an agency decides is a `Manner`, handed
in: drawn by chance for the demonstration, read from a log for `replay`. Must not: services' insides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from partner import Message
from shared.kernel.clock import Clock
from simulation.agenda import Agenda
from simulation.links import AgencyLink


@dataclass(frozen=True, slots=True)
class Planned:
    """One answer that an agency means to give at `at` (aware UTC)."""

    at: datetime
    kind: str
    data: Mapping[str, Any]


class Manner(Protocol):
    """How agencies behave: the answers to a task, in the order in which they will be given."""

    def answers(self, agency: str, task: Mapping[str, Any], /) -> Sequence[Planned]: ...

    def after_papers(self, agency: str, task: Mapping[str, Any], /) -> Sequence[Planned]: ...


@dataclass(slots=True)
class _Desk:
    """What one agency remembers of one task."""

    task: Mapping[str, Any]
    plan: list[Planned] = field(default_factory=list)
    closed: bool = False
    paused: bool = False
    asked: bool = False


class Agencies:
    """All agencies of the city; `look` takes what reached them and enters their plans."""

    def __init__(
        self, links: Iterable[AgencyLink], agenda: Agenda, manner: Manner, clock: Clock
    ) -> None:
        self._links = {link.code: link for link in links}
        self._agenda = agenda
        self._manner = manner
        self._clock = clock
        self._desks: dict[str, _Desk] = {}

    def look(self) -> int:
        """Take in what has arrived; the number of messages taken."""
        taken = 0
        for code in sorted(self._links):
            for message in self._links[code].collect():
                self._take(code, message)
                taken += 1
        return taken

    def _take(self, code: str, message: Message) -> None:
        task = message.task
        if message.kind == "assigned":
            if task not in self._desks:
                self._desks[task] = _Desk(message.data)
                self._enter(code, task, self._manner.answers(code, message.data))
            return
        desk = self._desks.get(task)
        if desk is None or desk.closed:
            return
        if message.kind == "cancelled":
            desk.closed = True
        elif message.kind == "answer_refused":
            self._refused(code, desk)
        elif message.kind == "changed":
            self._changed(code, desk, message.data)

    def _refused(self, code: str, desk: _Desk) -> None:
        """Papers that may not be asked for are done without."""
        if desk.asked:
            desk.asked = False
            task = str(desk.task["task"])
            self._enter(code, task, self._manner.after_papers(code, desk.task))

    def _changed(self, code: str, desk: _Desk, data: Mapping[str, Any]) -> None:
        if data["change"] == "paused":
            desk.paused = True
            return
        was_paused, desk.paused = desk.paused, False
        if desk.asked:
            desk.asked = False
            self._enter(code, str(data["task"]), self._manner.after_papers(code, desk.task))
        elif was_paused:
            self._next(code, str(data["task"]))

    def _enter(self, code: str, task: str, plan: Sequence[Planned]) -> None:
        desk = self._desks[task]
        desk.plan.extend(plan)
        self._next(code, task)

    def _next(self, code: str, task: str) -> None:
        """One answer at a time: what comes after it is entered when it has been given."""
        desk = self._desks[task]
        if desk.plan:
            at = max(desk.plan[0].at, self._clock.now())
            self._agenda.at(at, lambda: self._give(code, task))

    def _give(self, code: str, task: str) -> None:
        desk = self._desks[task]
        if desk.closed or desk.paused or not desk.plan or desk.plan[0].at > self._clock.now():
            return
        planned = desk.plan.pop(0)
        self._links[code].answer(task, planned.kind, planned.data)
        if planned.kind == "supplement_needed":
            desk.asked, desk.plan = True, []
        desk.closed = planned.kind in ("completed", "refused", "not_ours", "sent_back")
        self._next(code, task)
