"""Several services moved by hand in one thread, under a clock that the test sets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.kernel.clock import FixedClock
from shared.messaging.loops.loop import Loop
from shared.messaging.loops.pump import next_due, pump
from shared.messaging.service import Service

_DELIVERY_SECONDS = 0.02
_QUIET_ROUNDS = 2


class City:
    """The built services of one test; `more` are loops that belong to none of them."""

    def __init__(
        self, clock: FixedClock, services: Sequence[Service], more: Sequence[Loop] = ()
    ) -> None:
        self.clock = clock
        self.services = list(services)
        self._more = list(more)

    @property
    def loops(self) -> list[Loop]:
        """Every loop, in the order in which the pump asks them."""
        return [loop for service in self.services for loop in service.loops] + self._more

    def __getitem__(self, name: str) -> Service:
        """The service of that name."""
        return next(service for service in self.services if service.name == name)

    def pump(self, *, tolerant: bool = False) -> int:
        """Carry everything to rest without moving the clock; returns the things done.

        A broker takes a moment from its confirm to the delivery: it is at rest only when nothing
        has come in that time.
        """
        done = pump(self.loops, tolerant=tolerant)
        quiet = 0 if not self._alone else _QUIET_ROUNDS
        while quiet < _QUIET_ROUNDS:
            time.sleep(_DELIVERY_SECONDS)
            moved = pump(self.loops, tolerant=tolerant)
            done += moved
            quiet = 0 if moved else quiet + 1
        return done

    @property
    def _alone(self) -> bool:
        """Whether what is sent is there at once: the bus lies in this process."""
        return all(service.bus.volatile for service in self.services)

    def run_until(self, end: datetime) -> int:
        """Let each thing happen at its own time up to `end` (UTC); the clock ends there."""
        done = self.pump()
        while (at := next_due(self.loops)) is not None and at <= end:
            if at > self.clock.now():
                self.clock.set(at)
            moved = self.pump()
            if moved == 0:
                break
            done += moved
        if end > self.clock.now():
            self.clock.set(end)
        return done + self.pump()

    def run_for(self, span: timedelta) -> int:
        """As `run_until`, from now on for `span`."""
        return self.run_until(self.clock.now() + span)

    def close(self) -> None:
        """Close every loop and service."""
        for loop in self.loops:
            loop.close()
        for service in self.services:
            service.close()
