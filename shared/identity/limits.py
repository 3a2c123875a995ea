"""Rate limits for the doors that anybody may try: signing in and looking up.

The counters live in the memory of one process; several processes allow as many times more.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

View = TypeVar("View", bound=Callable[..., Any])
MARK: Final = "__limit__"
_REMEMBERED: Final = 10_000  # callers; the one longest unheard of is forgotten first


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `times` requests of one caller within `seconds`, counted per name."""

    name: str
    times: int
    seconds: float


def limited(
    name: str, *, times: int, seconds: float, methods: tuple[str, ...] = ()
) -> Callable[[View], View]:
    """Mark a view: the guard counts its requests per caller and answers 429 beyond the limit."""

    def mark(view: View) -> View:
        setattr(view, MARK, (Limit(name, times, seconds), frozenset(methods)))
        return view

    return mark


@dataclass(slots=True)
class Limiter:
    """A moving window per limit and caller; thread safe."""

    now: Callable[[], float] = time.monotonic
    _seen: OrderedDict[tuple[str, str], deque[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, limit: Limit, caller: str) -> float:
        """Count one request; 0 where it may pass, else the seconds until the next one may."""
        at = self.now()
        with self._lock:
            times = self._seen.setdefault((limit.name, caller), deque())
            self._seen.move_to_end((limit.name, caller))
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            while times and times[0] <= at - limit.seconds:
                times.popleft()
            if len(times) >= limit.times:
                return times[0] + limit.seconds - at
            times.append(at)
            return 0.0
