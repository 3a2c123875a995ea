"""How several workers of pytest share one run: by file, so that nothing in a file is split.

Fixtures that live for a module (a city, a browser) are made once, and tests of a file keep their
order. Only the two back ends of a file may go to two workers: they share nothing.
"""

from __future__ import annotations

from typing import Any, Final

from xdist.scheduler import LoadScopeScheduling

BACK_ENDS: Final = ("embedded", "servers")
# What takes longest goes first, so that no worker has a long file left when the others are done.
LONG: Final = (
    "bench", "chaos", "promises", "simulation", "smoke", "journeys", "embedded", "docs", "intake",
    "web", "messaging",
)  # fmt: skip


class Sharing(LoadScopeScheduling):  # type: ignore[misc]
    """Hands a worker one file after the other, or the half of it on one back end."""

    def _split_scope(self, nodeid: str) -> str:
        return share(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        self.workqueue.move_to_end(min(self.workqueue, key=rank), last=False)
        super()._assign_work_unit(node)

    def remove_node(self, node: Any) -> str | None:
        """Share out what a dead worker left; the test that it died of is told and not repeated."""
        left = {name: unit for name, unit in self.assigned_work.pop(node).items() if open_(unit)}
        if not left:
            return None
        died_of = open_(next(iter(left.values())))[0]
        next(iter(left.values()))[died_of] = True
        self.workqueue.update({name: unit for name, unit in left.items() if open_(unit)})
        for other in self.assigned_work:
            self._reschedule(other)
        return died_of

    def _reschedule(self, node: Any) -> None:
        """Keep a worker in work: it starts a test only when it knows the next one or the end.

        The original hands out one unit at a time; after a crash that may be a single test, and the
        worker would wait for ever.
        """
        if node.shutting_down:
            return
        while self.workqueue and self._pending_of(self.assigned_work[node]) <= 2:
            self._assign_work_unit(node)
        if not self.workqueue:
            node.shutdown()


def rank(unit: str) -> int:
    """The place of a unit's room in the order of the run."""
    room = unit.partition("/")[2].partition("/")[0]
    return LONG.index(room) if room in LONG else len(LONG)


def open_(unit: dict[str, bool]) -> list[str]:
    """The tests of a unit that are not done."""
    return [nodeid for nodeid, done in unit.items() if not done]


def share(nodeid: str) -> str:
    """The part of the run that a test belongs to."""
    file, _, test = nodeid.partition("::")
    parameters = test.partition("[")[2].rstrip("]").split("-")
    back_end = next((name for name in BACK_ENDS if name in parameters), "")
    return f"{file} {back_end}".rstrip()
