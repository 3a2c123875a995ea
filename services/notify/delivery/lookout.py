"""When a loop of notify has something to do: asked of the database, and remembered until it changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from shared.database import Store
from shared.database.signal import Signal


class Lookout:
    """`find` says when something is due next (UTC), None for nothing.

    It is asked again after the signal was set, after `forget`, and every `every` seconds, since other
    processes set no signal here.
    """

    def __init__(
        self,
        store: Store,
        signal: Signal,
        find: Callable[[sa.Connection], datetime | None],
        *,
        every: float,
    ) -> None:
        self._store, self._signal, self._find, self._every = store, signal, find, every
        self._seen = -1  # sets of the signal when the database was last asked
        self._asked_at = 0.0  # monotonic
        self._due: datetime | None = None

    def next_due(self) -> datetime | None:
        """The instant at which something is due next, UTC."""
        sets, at = self._signal.count, time.monotonic()
        if sets != self._seen or at - self._asked_at >= self._every:
            with self._store.query() as connection:
                self._due = self._find(connection)
            self._seen, self._asked_at = sets, at
        return self._due

    def is_due(self) -> bool:
        """Whether its time has come."""
        due = self.next_due()
        return due is not None and due <= self._store.clock.now()

    def forget(self) -> None:
        """What was found is so no more: look again."""
        self._seen = -1

    def rest(self, heard: int, wait: float) -> None:
        """Wait up to `wait` s for what is due, or for a set of the signal after `heard`."""
        if self._due is not None:
            left = (self._due - self._store.clock.now()).total_seconds()
            wait = max(0.0, min(wait, left))
        self._signal.wait(heard, wait)
