"""The discrete-event clockwork: what happens next, and everything carried to rest in between.

Lives here: the agenda and the run over it. Must not: what people do (people, players) or the city.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from shared.kernel.clock import FixedClock
from shared.messaging.loops.loop import Loop

Act = Callable[[], object]
TICK = timedelta(seconds=1)


class Agenda:
    """Acts by instant (aware UTC); acts of one instant happen in the order they were entered."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Act]] = []
        self._count = 0

    def at(self, instant: datetime, act: Act) -> None:
        self._count += 1
        heapq.heappush(self._heap, (instant, self._count, act))

    def next_at(self) -> datetime | None:
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: datetime) -> list[Act]:
        acts = []
        while self._heap and self._heap[0][0] <= now:
            acts.append(heapq.heappop(self._heap)[2])
        return acts


class Clockwork:
    """Lets the next thing due happen, carries the city to rest, and only then moves the clock on.

    `rest` carries everything through relay, broker, inboxes and loops until nothing moves and
    returns how much moved; `look` lets the players see what reached them and make plans.
    """

    def __init__(
        self,
        clock: FixedClock,
        agenda: Agenda,
        timed: Iterable[Loop],
        rest: Callable[[], int],
        look: Callable[[], int],
    ) -> None:
        self._clock = clock
        self._agenda = agenda
        self._timed = tuple(timed)
        self._rest = rest
        self._look = look

    def run(self, until: datetime) -> None:
        """Run to `until` (aware UTC): what is due at that very instant still happens."""
        while True:
            moved = self._settle()
            at = self._next()
            if at is None or at > until:
                break
            now = self._clock.now()
            if at > now:
                self._clock.set(at)
            elif not moved and not self._agenda_is_due(now):
                # A timed loop says "due" for something it cannot do yet: let time pass, not spin.
                if now >= until:
                    break
                self._clock.set(min(now + TICK, until))
            for act in self._agenda.take_due(self._clock.now()):
                act()
        self._clock.set(until)
        self._settle()

    def _settle(self) -> int:
        moved = 0
        while True:
            step = self._rest() + self._look()
            if not step:
                return moved
            moved += step

    def _agenda_is_due(self, now: datetime) -> bool:
        at = self._agenda.next_at()
        return at is not None and at <= now

    def _next(self) -> datetime | None:
        instants = [self._agenda.next_at(), *(loop.next_due() for loop in self._timed)]
        known = [instant for instant in instants if instant is not None]
        return min(known) if known else None
