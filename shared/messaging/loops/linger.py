"""How long a loop rests between steps, so that a busy one does many things in each.

A step is a transaction or two: ten things in one cost little more than one. So a loop whose steps
are small may spend only a share of the time on them; what comes while it rests is gathered. The
dearer a step is here and now, the longer the rest: a slow or busy machine gathers more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# A rest is never shorter: what one act makes comes in twos and threes.
SHORTEST_SECONDS: Final = 0.005


@dataclass(frozen=True, slots=True)
class Pace:
    """How a process's loops rest: no step of `full` things or more is followed by a rest."""

    full: int
    longest: float  # seconds
    share: float  # of the time that a loop may be at work while its steps are not full

    def rest(self, done: int, cost: float) -> float:
        """Seconds to rest after a step that did `done` things at the `cost` of so many; 0: go on."""
        if done == 0 or done >= self.full:
            return 0.0
        return min(max(SHORTEST_SECONDS, cost / self.share - cost), self.longest)


# Services in processes of their own. Each stop of the way rests, so a dossier pays it five times:
# rests of 0.2 s saved a twentieth of the CPU and made four times bare's way to an agency of it.
APART: Final = Pace(full=20, longest=0.05, share=0.2)
# All loops in one process take turns in one interpreter: together they may keep it half busy.
TOGETHER: Final = Pace(full=50, longest=0.2, share=0.05)
