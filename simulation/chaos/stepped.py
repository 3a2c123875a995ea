"""`lienthong <words>` with a clock that can be put forward and back: `python -m simulation.chaos.stepped`.

The same command in every other way. The one thing by which a process knows the time, its `RealClock`,
is off by the seconds that the file named in CHAOS_CLOCK holds; pauses go on by the machine's steady
clock, as they do where an operator puts a clock right.
"""

from __future__ import annotations

import os
import runpy
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from shared.kernel.clock import RealClock

NAME: Final = "CHAOS_CLOCK"
_FRESH_SECONDS: Final = 0.2


def write(file: Path, seconds: int) -> None:
    """Put the clock of a process forward or back, against the machine's."""
    new = file.with_suffix(".new")
    new.write_text(f"{seconds}\n", encoding="ascii")
    new.replace(file)


def stepped(file: Path, now: Callable[[RealClock], datetime]) -> Callable[[RealClock], datetime]:
    """`now`, off by what the file says."""
    known: tuple[float, timedelta] = (float("-inf"), timedelta(0))

    def off(clock: RealClock) -> datetime:
        nonlocal known
        if time.monotonic() - known[0] > _FRESH_SECONDS:
            known = time.monotonic(), timedelta(seconds=int(file.read_text(encoding="ascii")))
        return now(clock) + known[1]

    return off


if __name__ == "__main__":
    RealClock.now = stepped(Path(os.environ[NAME]), RealClock.now)  # type: ignore[method-assign,assignment]
    runpy.run_module("services", run_name="__main__", alter_sys=True)
