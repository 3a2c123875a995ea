"""Who sends: this process by a random word, and which of the others still live.

Each says now and then that it lives, by counting up a row of its own. No clock is compared with
another: dead is whose row stood still while this process has counted up its own several times.
"""

from __future__ import annotations

import secrets
import threading
from datetime import datetime
from typing import Final

from services.notify.storage import processes
from shared.database import Store
from shared.kernel.errors import Transient
from shared.log import get

BEAT_SECONDS: Final = 10.0
# So many beats of ours without one of another: it is dead, or as good as that.
SILENT_BEATS: Final = 6
_log = get("notify.processes")


class Presence:
    """This process among those that send from one database.

    `alone`: no other can be, as on a bus inside one process; then nothing is written down, and
    whoever is found under another name is dead.
    """

    def __init__(self, store: Store, *, alone: bool = False) -> None:
        self.name = secrets.token_hex(8)
        self.buried = 0  # how often another was found dead
        self._store = store
        self._alone = alone
        self._lock = threading.Lock()
        self._inside: set[str] = set()
        self._beats = 0
        self._others: dict[str, tuple[int, int]] = {}  # name -> its beats, ours since they stand

    def enter(self, part: str) -> None:
        """Before this part of the process does anything under the name: be known to live."""
        if self._alone or part in self._inside:
            return
        if not self.entered:
            self.beat()
        self._inside.add(part)

    def beat(self) -> None:
        """Say that this process lives, and look who else does."""
        with self._lock, self._store.transaction() as connection:
            processes.beat(connection, self.name, self._beats + 1, self._store.clock.now())
            seen = processes.beats(connection)
            seen.pop(self.name, None)
            others = {name: self._stood(name, beats) for name, beats in seen.items()}
            dead = sorted(name for name, (_, still) in others.items() if still >= SILENT_BEATS)
            if dead:
                processes.remove(connection, dead)
        self._beats += 1
        self._others = {name: each for name, each in others.items() if name not in dead}
        self.buried += len(dead)
        if dead:
            _log.warning("notify.process_gone", processes=dead)

    def _stood(self, name: str, beats: int) -> tuple[int, int]:
        before, still = self._others.get(name, (None, 0))
        return (beats, still + 1 if beats == before else 0)

    def is_gone(self, name: str) -> bool:
        """Whether a sender of that name lives no more."""
        if self._alone:
            return True
        with self._store.query() as connection:
            return not processes.lives(connection, name)

    @property
    def entered(self) -> bool:
        """Whether it is known to live, and so has to go on saying so."""
        return self._beats > 0

    def leave(self, part: str) -> None:
        """Nothing is in the hands of this part any more; with the last of them the name goes."""
        if part not in self._inside:
            return
        self._inside.remove(part)
        if self._inside:
            return
        try:
            with self._lock, self._store.transaction() as connection:
                processes.remove(connection, [self.name])
        except Transient as away:  # the others will find out
            _log.warning("notify.not_left", reason=away.code)
        self._beats = 0


class Heartbeat:
    """The loop that says that this process lives, for as long as anything is sent by it."""

    def __init__(self, presence: Presence, store: Store) -> None:
        self.name = "notify.heartbeat"
        self._presence = presence
        self._clock = store.clock
        self._beat_at = self._clock.steady()
        self._woken = threading.Event()

    def step(self, wait: float) -> int:
        """Beat where it is time; the others' senders look anew where somebody was found dead."""
        if not self._presence.entered:
            self._rest(wait)
            return 0
        self._rest(min(wait, self._left()))
        if self._left() <= 0:
            self._presence.beat()
            self._beat_at = self._clock.steady()
        return 0

    def _left(self) -> float:
        """Seconds until it is time."""
        return BEAT_SECONDS - (self._clock.steady() - self._beat_at)

    def _rest(self, seconds: float) -> None:
        if seconds > 0:
            self._woken.wait(seconds)
            self._woken.clear()

    def next_due(self) -> datetime | None:
        """Never: where time is moved by hand nobody else looks."""
        return None

    def wake(self) -> None:
        """End a wait."""
        self._woken.set()

    def close(self) -> None:
        """Who sends leaves by itself, once nothing is in its hands."""
