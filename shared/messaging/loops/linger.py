"""How long a loop rests between steps, so that at high rates a step holds many things.

A step is a transaction or two: ten things in one cost little more than one. What comes seldom is
done at once; the more comes in a second, the longer a loop lets it gather.
"""

from __future__ import annotations

import math
from typing import Final

# Things a second below which resting gathers too little to be worth the delay, and from which on
# a loop rests in full.
SPARSE_PER_SECOND: Final = 50.0
DENSE_PER_SECOND: Final = 200.0
# A step of this size gains nothing more by growing; what a rest is meant to gather.
LARGE_STEP: Final = 50
SHORT_REST_SECONDS: Final = 0.005
LONGEST_REST_SECONDS: Final = 0.2
# Over how long the rate is judged. That less comes is believed sooner than that more does: who
# comes after a flood must not wait for what will not follow.
_RISING_SECONDS: Final = 0.5
_FALLING_SECONDS: Final = 0.1


class Linger:
    """The rate of one loop and the rest it earns; times in seconds of any steady clock."""

    def __init__(self) -> None:
        self.per_second = 0.0
        self._ended_at: float | None = None

    def rest(self, done: int, now: float) -> float:
        """How long to rest after a step that ended at `now` and did `done` things; 0: go on."""
        self._learn(done, now)
        if done == 0 or done >= LARGE_STEP:
            return 0.0
        dense = DENSE_PER_SECOND - SPARSE_PER_SECOND
        share = min(1.0, max(0.0, (self.per_second - SPARSE_PER_SECOND) / dense))
        gather = LARGE_STEP / self.per_second if self.per_second else LONGEST_REST_SECONDS
        return max(SHORT_REST_SECONDS, share * min(gather, LONGEST_REST_SECONDS))

    def _learn(self, done: int, now: float) -> None:
        if self._ended_at is not None and now > self._ended_at:
            passed = now - self._ended_at
            change = done / passed - self.per_second
            memory = _RISING_SECONDS if change > 0 else _FALLING_SECONDS
            self.per_second += (1.0 - math.exp(-passed / memory)) * change
        self._ended_at = now
