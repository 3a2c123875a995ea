"""The loop that seals the access log each minute, prunes it daily, and tells of keys that end."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from shared.database import Store
from shared.identity import keys
from shared.identity.audit.chain import prune, seal
from shared.kernel.clock import format_instant
from shared.log import get
from shared.messaging.loops.rounds import Round, Rounds

SEAL_SECONDS: Final = 60.0
DAILY_SECONDS: Final = 24 * 3600.0
_FIRST_DAILY: Final = 600.0  # after the start, so that restarts do not crowd it
_log = get("access")


class Keeper(Rounds):
    """`days` is how long an act is kept."""

    def __init__(self, name: str, store: Store, days: int) -> None:
        self._store = store
        self._days = days
        minutely = Round(self._seal, SEAL_SECONDS, SEAL_SECONDS)
        daily = Round(self._daily, DAILY_SECONDS, _FIRST_DAILY)
        super().__init__(f"{name}.keeper", (minutely, daily))

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
