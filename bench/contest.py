"""One contestant carries dossiers: how many a second, how late, at what cost.

The same measuring for all: what a contestant is made of is its own module's business.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from bench.crew import Crew
from bench.gauge import MemoryWatch, used
from bench.schedule import Accepted, Order
from bench.servers import Place, Servers

# Without any progress for so long, dossiers are lost and the run is over.
STALLED_SECONDS = 60.0


class Contestant(Protocol):
    """A running pipeline: which role of its crew takes orders, and which keep the two logs."""

    name: str
    crew: Crew
    place: Place
    submitter: str
    task_log: str
    message_log: str
    task_word: str
    message_word: str


class Lost(RuntimeError):
    """Not every dossier arrived."""


@dataclass(frozen=True)
class Run:
    """What one run showed; times in seconds, memory in MB."""

    dossiers: int
    seconds_to_tasks: float
    seconds_to_messages: float
    seconds_to_accept: float
    cpu_ms_per_dossier: dict[str, float]
    rss_mb: dict[str, float]
    rss_growth_mb: dict[str, float]
    tasks_ms: list[float] = field(repr=False, default_factory=list)
    messages_ms: list[float] = field(repr=False, default_factory=list)

    @property
    def rate(self) -> float:
        """Dossiers a second from the first submission until task and message of the last."""
        return self.dossiers / max(self.seconds_to_tasks, self.seconds_to_messages)

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of all processes and servers for one dossier."""
        return sum(self.cpu_ms_per_dossier.values())


def carry(contestant: Contestant, servers: Servers | None, order: Order) -> Run:
    """Submit the dossiers ordered and wait until each one's task and message have arrived."""
    crew, tally = contestant.crew, contestant.crew.tally
    tasks_before, messages_before = tally.counts()
    pids = crew.pids()
    before = used(servers, pids)
    with MemoryWatch(pids) as memory:
        began = time.monotonic()
        crew.tell(contestant.submitter, order)
        task_end, message_end = _wait(
            crew, tasks_before + order.count, messages_before + order.count
        )
    after = used(servers, pids)
    accepted: list[Accepted] = crew.answer(contestant.submitter)
    tasks = crew.ask(contestant.task_log, (contestant.task_word, tasks_before))
    messages = crew.ask(contestant.message_log, (contestant.message_word, messages_before))
    due = {code: at for part in accepted for code, at in part.due}
    return Run(
        dossiers=order.count,
        seconds_to_tasks=task_end - began,
        seconds_to_messages=message_end - began,
        seconds_to_accept=max(part.done for part in accepted) - began,
        cpu_ms_per_dossier={
            name: seconds * 1000 / order.count for name, seconds in after.since(before).items()
        },
        rss_mb=memory.peak(),
        rss_growth_mb=memory.growth(),
        tasks_ms=_delays(due, tasks),
        messages_ms=_delays(due, messages),
    )


@dataclass(frozen=True)
class Submitted:
    """Submissions alone, with nobody at work behind the door."""

    dossiers: int
    seconds: float
    cpu_ms_per_dossier: dict[str, float]


def submit(contestant: Contestant, servers: Servers, order: Order) -> Submitted:
    """Submit the dossiers ordered and wait until the last one is accepted."""
    pids = contestant.crew.pids()
    before = used(servers, pids)
    began = time.monotonic()
    accepted: list[Accepted] = contestant.crew.ask(contestant.submitter, order, timeout=3600.0)
    cpu = used(servers, pids).since(before)
    return Submitted(
        order.count,
        max(part.done for part in accepted) - began,
        {name: seconds * 1000 / order.count for name, seconds in cpu.items()},
    )


def _wait(crew: Crew, tasks: int, messages: int) -> tuple[float, float]:
    """When the last task and the last message came (monotonic seconds)."""
    task_end = message_end = 0.0
    last, moved_at = (-1, -1), time.monotonic()
    while not (task_end and message_end):
        counts, now = crew.tally.counts(), time.monotonic()
        if counts != last:
            last, moved_at = counts, now
        if counts[0] >= tasks and not task_end:
            task_end = now
        if counts[1] >= messages and not message_end:
            message_end = now
        if now - moved_at > STALLED_SECONDS:
            crew.check()
            raise Lost(f"{counts} of {(tasks, messages)} tasks and messages arrived, then none")
        time.sleep(0.002)
    return task_end, message_end


def _delays(due: dict[str, float], log: Iterable[tuple[str, float]]) -> list[float]:
    """Milliseconds from when a dossier was to be submitted; the first arrival of each counts."""
    first: dict[str, float] = {}
    for code, at in log:
        first.setdefault(code, at)
    missing = due.keys() - first.keys()
    if missing:
        raise Lost(f"{len(missing)} dossiers never arrived")
    return sorted((first[code] - at) * 1000 for code, at in due.items())


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of all do not exceed; `values` sorted."""
    return values[min(len(values) - 1, int(len(values) * share))]
