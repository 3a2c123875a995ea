"""How long a loop rests between steps, so that a busy one does many things in each.

A step is a transaction or two: ten things in one cost little more than one. So a loop may spend
only a share of the time on its steps; what comes while it rests is gathered. The dearer a step is
here and now, the longer the rest: a slow or busy machine gathers more. A loop that has been idle
has time to its credit, so where little comes nothing is held up (a leaky bucket of time at work,
as ITU-T I.371 counts cells).
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
    credit: float  # seconds of idleness at most that count for work to come


# Services in processes of their own: each stop of the way rests, so a dossier pays it five times.
# Half the rest at a larger share takes 50 to 100 ms off an agency's wait near the full rate, where
# it is 200 to 300, and a fifth off the rate itself.
APART: Final = Pace(full=50, longest=0.2, share=0.125, credit=0.25)
# All loops in one process take turns in one interpreter: together they may keep it half busy.
TOGETHER: Final = Pace(full=50, longest=0.2, share=0.05, credit=0.25)


class Rests:
    """The rests of one loop."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._even_at = float("-inf")  # when the work so far has had no more than its share

    def after(self, done: int, cost: float, now: float) -> float:
        """Seconds to rest after a step that did `done` things and took `cost` seconds; 0: go on.

        `now`: the seconds of a clock that only counts up, at the end of the step.
        """
        if done == 0:
            return 0.0
        pace = self._pace
        even_at = max(self._even_at, now - pace.credit) + cost / pace.share
        self._even_at = min(even_at, now + pace.longest)
        if done >= pace.full:
            return 0.0
        return max(SHORTEST_SECONDS, self._even_at - now)
