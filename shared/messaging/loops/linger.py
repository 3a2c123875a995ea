"""How long a loop rests between steps, so that at high rates a step holds many things.

A step is a transaction or two: ten things in one cost little more than one. What comes seldom is
done at once; the more comes in a second, the longer a loop lets it gather.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

# Things a second below which resting gathers too little to be worth the delay, and from which on
# a loop rests in full.
SPARSE_PER_SECOND: Final = 50.0
DENSE_PER_SECOND: Final = 200.0
SHORT_REST_SECONDS: Final = 0.005


@dataclass(frozen=True, slots=True)
class Pace:
    """What a rest is meant to gather (a step of this size gains little by growing), and its end."""

    step: int
    longest: float  # seconds


# Services in processes of their own. Each stop of the way rests, so a dossier pays it five times:
# rests of 0.2 s saved a twentieth of the CPU and made four times bare's way to an agency of it.
APART: Final = Pace(step=20, longest=0.05)
# All loops in one process take turns in one interpreter; there a step's own cost weighs more.
TOGETHER: Final = Pace(step=50, longest=0.2)

# Over how long the rate is judged. That less comes is believed sooner than that more does: who
# comes after a flood must not wait for what will not follow.
_RISING_SECONDS: Final = 0.5
_FALLING_SECONDS: Final = 0.1


class Linger:
    """The rate of one loop and the rest it earns; times in seconds of any steady clock."""

    def __init__(self, pace: Pace = APART) -> None:
        self._pace = pace
        self.per_second = 0.0
        self._ended_at: float | None = None

    def rest(self, done: int, now: float) -> float:
        """How long to rest after a step that ended at `now` and did `done` things; 0: go on."""
        self._learn(done, now)
        pace = self._pace
        if done == 0 or done >= pace.step:
            return 0.0
        dense = DENSE_PER_SECOND - SPARSE_PER_SECOND
        share = min(1.0, max(0.0, (self.per_second - SPARSE_PER_SECOND) / dense))
        gather = pace.step / self.per_second if self.per_second else pace.longest
        return max(SHORT_REST_SECONDS, share * min(gather, pace.longest))

    def _learn(self, done: int, now: float) -> None:
        if self._ended_at is not None and now > self._ended_at:
            passed = now - self._ended_at
            change = done / passed - self.per_second
            memory = _RISING_SECONDS if change > 0 else _FALLING_SECONDS
            self.per_second += (1.0 - math.exp(-passed / memory)) * change
        self._ended_at = now
