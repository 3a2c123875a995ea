"""The loop of things that fall due by the clock: deadlines, reminders, clearing up.

When something is due is asked of the ledgers only after a commit or once in a while; between
those a step costs no query. What is done then is handed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from shared.database import Store, UnitOfWork
from shared.kernel.actor import CLOCK

# How old an answer may grow when nothing was committed in this process: others commit too.
EVERY_SECONDS: Final = 30.0


class Ticker:
    """Runs `run` in a unit of work of its own whenever `next_due()` has come.

    `next_due` tells the earliest due instant (UTC), None for none. `gap` (seconds) is the shortest time between two questions while commits follow each other.
    """

    def __init__(
        self,
        name: str,
        store: Store,
        run: Callable[[UnitOfWork], int],
        next_due: Callable[[], datetime | None],
        *,
        gap: float = 0.25,
    ) -> None:
        self.name = name
        self._store = store
        self._run = run
        self._ask = next_due
        self._gap = gap
        self._due: datetime | None = None
        self._asked_at: float | None = None  # monotonic; None: what is known is stale
        self._seen = -1  # count of the store's signal when last asked
        self._spent = False  # ran at what was due and found nothing: wait for a change

    def step(self, wait: float) -> int:
        """Run once if due; else wait up to `wait` s for it."""
        if self._is_due():
            return self._tick()
        if wait <= 0:
            return 0
        self._rest(wait)
        return self._tick() if self._is_due() else 0

    def _tick(self) -> int:
        before = self._store.commits.count
        with self._store.begin(CLOCK) as uow:
            done = self._run(uow)
        self._spent = done == 0
        if done:
            self._asked_at = None
        if self._store.commits.count == before + 1:
            self._seen = before + 1  # the only commit since was this one: no news
        return done

    def _is_due(self) -> bool:
        self._refresh()
        return not self._spent and self._due is not None and self._due <= self._store.clock.now()

    def _refresh(self) -> None:
        commits = self._store.commits.count
        now = time.monotonic()
        old = self._asked_at is None or now - self._asked_at >= EVERY_SECONDS
        if commits == self._seen and not old:
            return
        self._due = self._ask()
        self._spent = False
        self._seen, self._asked_at = commits, now

    def _rest(self, wait: float) -> None:
        """Sleep until the next due instant, a commit, a wake or `wait` s, whichever is first."""
        end = time.monotonic() + wait
        if self._due is not None and not self._spent:
            left = (self._due - self._store.clock.now()).total_seconds()
            wait = max(0.0, min(wait, left))
        commits = self._store.commits.wait(self._seen, wait)
        if commits != self._seen:
            # Commits come in flurries: one question for all of them.
            time.sleep(max(0.0, min(self._gap, end - time.monotonic())))

    def next_due(self) -> datetime | None:
        """The earliest due instant, UTC."""
        self._refresh()
        return None if self._spent else self._due

    def wake(self) -> None:
        """Ask the ledgers again now."""
        self._asked_at = None
        self._store.commits.set()

    def close(self) -> None:
        """Nothing is held between steps."""
