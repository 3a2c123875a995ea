"""The loop of things that fall due by the clock: deadlines, reminders, clearing up.

When something is due is asked of the ledgers only after a commit or once in a while; between
those a step costs no query. What is done then is handed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from shared.database import Store, UnitOfWork
from shared.kernel.actor import CLOCK
from shared.kernel.errors import LienThongError, Transient
from shared.log import get
from shared.messaging.loops.put_off import POLICY, PutOff

# How old an answer may grow when nothing was committed in this process: others commit too.
EVERY_SECONDS: Final = 30.0
_log = get("ticker")


@dataclass(frozen=True, slots=True)
class Timely:
    """What time alone brings about, matter by matter; a key is a dossier's code or the like.

    `next_due`: the earliest instant (UTC), `due`: keys whose time has come, both without the keys
    that are put off. `pass_time` does it for these keys and tells for how many.
    """

    next_due: Callable[[sa.Connection, Collection[str]], datetime | None]
    due: Callable[[UnitOfWork, Collection[str]], Sequence[str]]
    pass_time: Callable[[UnitOfWork, Sequence[str]], int]


class Ticker:
    """Passes the time whenever something is due; what fails is put off, the rest goes on.

    `gap` (seconds) is the shortest time between two questions while commits follow each other.
    """

    def __init__(self, name: str, store: Store, work: Timely, *, gap: float = 0.25) -> None:
        self.name = name
        self._store = store
        self._work = work
        self._gap = gap
        self._put_off = PutOff(name, store)
        self._released = -1  # count of the replay signal when last looked what is put off
        self._read_at: float | None = None  # monotonic
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
        again = self._put_off.due(self._store.clock.now())
        done = self._one_by_one(again) if again else self._together()
        self._spent = done == 0
        if done:
            self._asked_at = None
        if self._store.commits.count == before + 1:
            self._seen = before + 1  # the only commit since was this one: no news
        return done

    def _together(self) -> int:
        keys: Sequence[str] = ()
        try:
            with self._store.begin(CLOCK) as uow:
                keys = self._work.due(uow, self._put_off.keys)
                return self._work.pass_time(uow, keys)
        except Transient:
            raise
        # Whatever it was, all of them were rolled back; alone, one of them will show it again.
        except Exception:
            if not keys:
                raise
            return self._one_by_one(keys)

    def _one_by_one(self, keys: Sequence[str]) -> int:
        """Each in a unit of its own; what fails is put off, which counts as done for now."""
        for key in keys:
            try:
                with self._store.begin(CLOCK) as uow:
                    self._work.pass_time(uow, [key])
                    self._put_off.done(uow, [key])
            except Transient:
                raise
            except Exception as error:  # noqa: BLE001 - an operator reads of it in the inbox
                self._fail(key, error)
        self._read_at = None
        return len(keys)

    def _fail(self, key: str, error: Exception) -> None:
        attempts, reason = self._put_off.failed(key, error)
        if attempts not in (1, POLICY.max_attempts):
            return  # said when it began, and once more when it is parked
        trace = None if isinstance(error, LienThongError) else error
        told = {"loop": self.name, "key": key, "attempts": attempts, "reason": reason}
        _log.error("ticker.put_off", **told, exc_info=trace)

    def _is_due(self) -> bool:
        self._refresh()
        return not self._spent and self._due is not None and self._due <= self._store.clock.now()

    def _refresh(self) -> None:
        commits = self._store.commits.count
        now = time.monotonic()
        self._read_put_off(now)
        old = self._asked_at is None or now - self._asked_at >= EVERY_SECONDS
        if commits == self._seen and not old:
            return
        with self._store.query() as connection:
            first = self._work.next_due(connection, self._put_off.keys)
        again = self._put_off.next_due(self._store.clock.now())
        self._due = min((at for at in (first, again) if at is not None), default=None)
        self._spent = False
        self._seen, self._asked_at = commits, now

    def _read_put_off(self, now: float) -> None:
        released = self._store.replayed.count
        known = self._read_at is not None and now - self._read_at < EVERY_SECONDS
        if known and released == self._released:
            return
        self._put_off.read()
        self._read_at, self._released = now, released
        self._asked_at = None

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
