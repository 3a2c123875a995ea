"""The loop of works that come round by steady time: each minute, each day.

By the monotonic clock: a machine's own may be put back by hours. Nobody waits for such work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Round:
    """A work and how often it comes round; it tells how much it did. `first`: after the start."""

    work: Callable[[], int]
    seconds: float
    first: float


class Rounds:
    """Does each work when its time has come round."""

    def __init__(self, name: str, rounds: Sequence[Round]) -> None:
        self.name = name
        self._rounds = rounds
        began = time.monotonic()
        self._at = [began + each.first for each in rounds]
        self._woken = threading.Event()

    def step(self, wait: float) -> int:
        """Do what has come round; how much was done."""
        left = min(self._at) - time.monotonic()
        if self._woken.wait(max(0.0, min(wait, left))):
            self._woken.clear()
        now, done = time.monotonic(), 0
        for place, each in enumerate(self._rounds):
            if now >= self._at[place]:
                done += each.work()
                self._at[place] = now + each.seconds
        return done

    def next_due(self) -> datetime | None:
        """Never by the clock of the city."""
        return None

    def wake(self) -> None:
        """Look at the time again."""
        self._woken.set()

    def close(self) -> None:
        """Nothing is held between steps."""
