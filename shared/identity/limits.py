"""Limits that are counted in the memory of one process; several processes allow as many times more.

Of callers where nothing can be guessed (a key has 160 bits), and of keys: what each may ask in a
minute and at once. A row in the ledger for each request would cost more than most requests do.
Look-up words can be guessed: their tries are counted in a table (services/intake).
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


class Full(Exception):
    """A key asks for more than its share; `seconds` until it may ask again."""

    def __init__(self, seconds: float, share: str) -> None:
        super().__init__(share)
        self.seconds = seconds
        self.share = share


@dataclass(slots=True)
class _Share:
    left: float
    at: float
    going: int = 0


@dataclass(slots=True)
class Shares:
    """What each key may ask: so many a minute (in a rush, a minute's worth) and so many at once.

    0 is no limit. At once must be fewer than the threads of a door: then one key's slow calls leave
    some to the others.
    """

    per_minute: int = 0
    at_once: int = 0
    now: Callable[[], float] = time.monotonic
    _shares: dict[str, _Share] = field(default_factory=dict)  # as many as there are keys
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, key: str) -> None:
        """Begin a request of a key; Full where it may not. Who enters must `leave`."""
        at = self.now()
        with self._lock:
            share = self._shares.setdefault(key, _Share(float(self.per_minute), at))
            if self.at_once and share.going >= self.at_once:
                raise Full(1.0, "at_once")
            if self.per_minute:
                per_second = self.per_minute / 60
                share.left = min(self.per_minute, share.left + (at - share.at) * per_second)
                share.at = at
                if share.left < 1:
                    raise Full((1 - share.left) / per_second, "per_minute")
                share.left -= 1
            share.going += 1

    def leave(self, key: str) -> None:
        """End a request that was let in."""
        with self._lock:
            self._shares[key].going -= 1
