"""Looking at services, their brokers and their loops: one list of lines, whoever shows it.

`lienthong status` and the operators' page both call it. Only reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.database import Store
from shared.messaging import Bus
from shared.messaging.overview.broker import of_broker
from shared.messaging.overview.loops import of_loops
from shared.messaging.overview.service import of_service
from shared.messaging.standing import LEVELS, PARTS, Line, Matters

__all__ = ["Part", "arranged", "look", "of_broker", "of_loops", "of_service"]


@dataclass(frozen=True, slots=True)
class Part:
    """One service as it is looked at; `bus` is None where its messages are in another process."""

    store: Store
    matters: Matters
    bus: Bus | None


def look(
    parts: Mapping[str, Part],
    loops: Mapping[str, str] | None = None,
    seconds: Mapping[str, float] | None = None,
) -> list[Line]:
    """Everything about these services and, where they run in this process, its loops.

    `seconds`: how long those that fail have been failing.
    """
    lines: list[Line] = []
    buses: dict[Bus, dict[str, Sequence[str]]] = {}
    for name, part in parts.items():
        found, queues = of_service(name, part.store, part.matters)
        lines += found
        if part.bus is not None:
            buses.setdefault(part.bus, {})[name] = queues
    for bus, services in buses.items():
        lines += of_broker(bus, services)
    return arranged(lines + of_loops(loops or {}, seconds=seconds))


def arranged(lines: Iterable[Line]) -> list[Line]:
    """In the order of the parts, each thing once; in each part what somebody must do comes first."""
    order = list(PARTS)
    once = {(line.part, line.name, line.said, line.act): line for line in lines}
    return sorted(
        once.values(), key=lambda line: (order.index(line.part), -LEVELS.index(line.level))
    )
