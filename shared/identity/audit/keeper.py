"""The loop that seals the access log each minute, prunes it daily, and tells of keys that end."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Final

from shared.database import Store
from shared.identity import keys
from shared.identity.audit.chain import prune, seal
from shared.kernel.clock import format_instant
from shared.log import get

SEAL_SECONDS: Final = 60.0
DAILY_SECONDS: Final = 24 * 3600.0
_FIRST_DAILY: Final = 600.0  # after the start, so that restarts do not crowd it
_log = get("access")


class Keeper:
    """Asks by the monotonic clock: a machine's own may be put back by hours.

    `days` is how long an act is kept.
    """

    def __init__(self, name: str, store: Store, days: int) -> None:
        self.name = f"{name}.keeper"
        self._store = store
        self._days = days
        self._seal_at = time.monotonic() + SEAL_SECONDS
        self._daily_at = time.monotonic() + _FIRST_DAILY
        self._woken = threading.Event()

    def step(self, wait: float) -> int:
        """Do what a minute or a day has brought; spans sealed and rows pruned."""
        if self._woken.wait(max(0.0, min(wait, self._seal_at - time.monotonic()))):
            self._woken.clear()
        now, done = time.monotonic(), 0
        if now >= self._seal_at:
            done += self._seal()
            self._seal_at = now + SEAL_SECONDS
        if now >= self._daily_at:
            done += self._daily()
            self._daily_at = now + DAILY_SECONDS
        return done

    def _seal(self) -> int:
        done = 0
        while (made := seal(self._store)) is not None:
            # Whoever keeps this line elsewhere can prove that the chain was not made anew.
            _log.info("access.sealed", seal=made.number, last=made.last, digest=made.digest)
            done += 1
        return done

    def _daily(self) -> int:
        for key in keys.ending(self._store):
            end = format_instant(key.expires_at)
            _log.warning("keys.ending", key=key.key_id, kind=key.kind, ends=end)
        before = self._store.clock.now() - timedelta(days=self._days)
        if gone := prune(self._store, before):
            _log.info("access.pruned", rows=gone)
        return gone

    def next_due(self) -> datetime | None:
        """Never by the clock of the city."""
        return None

    def wake(self) -> None:
        """Look at the time again."""
        self._woken.set()

    def close(self) -> None:
        """Nothing is held between steps."""
