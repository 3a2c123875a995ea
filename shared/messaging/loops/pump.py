"""Everything to rest in one thread: how tests, the demonstration and replay move a whole city.

The order is that of the list, so the same start gives the same end to the letter. Nothing here
knows which loops it moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.kernel.errors import LienThongError, Transient
from shared.messaging.loops.loop import Loop

# A city at work moves millions of things, but not in so many rounds without coming to rest.
_ROUNDS = 100_000


class NeverAtRest(LienThongError):
    """Two loops keep each other busy for ever; names those that still moved."""

    default_vi = "Các vòng xử lý không dừng lại."


def pump(loops: Sequence[Loop], *, tolerant: bool = False) -> int:
    """Ask each loop in turn until none has anything to do now; returns the things done.

    With `tolerant`, a broker or database that is away counts as nothing to do; without it the
    error is raised.
    """
    total = 0
    for _ in range(_ROUNDS):
        moved = [(loop, _step(loop, tolerant=tolerant)) for loop in loops]
        done = sum(count for _, count in moved)
        if done == 0:
            return total
        total += done
    busy = ", ".join(loop.name for loop, count in moved if count)
    raise NeverAtRest(f"these loops never came to rest: {busy}")


def _step(loop: Loop, *, tolerant: bool) -> int:
    try:
        return loop.step(0)
    except Transient:
        if not tolerant:
            raise
        return 0


def next_due(loops: Sequence[Loop]) -> datetime | None:
    """The earliest instant (UTC) at which any of them has something to do; None when none has."""
    return min((at for loop in loops if (at := loop.next_due()) is not None), default=None)
