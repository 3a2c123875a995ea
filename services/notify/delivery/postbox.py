"""The loop that looks into the mailbox that letters come back to.

A mail is marked as seen after our commit and never before; one that says nothing to us is set aside,
flagged for a person, and never met again.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final

from services.notify.channels.bounces.mailbox import Away, Mail, Mailbox, Visit
from services.notify.domain.bounces import Bounce, Fate, Other
from services.notify.usecases.bouncing import take_back
from shared.database import Store
from shared.kernel.actor import Actor
from shared.kernel.errors import Transient
from shared.log import get

LOOK_EVERY_SECONDS: Final = 60.0
LONGEST_PAUSE: Final = 900.0
#: In one visit; the others at the next, at once.
AT_ONCE: Final = 50
_MAIL: Final = Actor("service", "notify")
_log = get("notify.bounces")


class Postbox:
    """Takes in what lies there; `read` says what a mail says."""

    name = "notify.bounces"

    def __init__(
        self, mailbox: Mailbox, store: Store, read: Callable[[bytes], Bounce | Other]
    ) -> None:
        self.away = False
        self._mailbox, self._store, self._read = mailbox, store, read
        self._look_at = store.clock.steady()
        self._pause = LOOK_EVERY_SECONDS
        self._woken = threading.Event()

    def step(self, wait: float) -> int:
        """Look where it is time; wait up to `wait` s for that."""
        left = self._look_at - self._store.clock.steady()
        if left > 0:
            if wait > 0:
                self._woken.wait(min(wait, left))
                self._woken.clear()
            if self._look_at > self._store.clock.steady():
                return 0
        done, more = Counter[str](), False
        try:
            more = self._visit(done)
            self.away, self._pause = False, LOOK_EVERY_SECONDS
        except Away as away:
            self._pause = min(LONGEST_PAUSE, self._pause * 2) if self.away else LOOK_EVERY_SECONDS
            self.away = True
            _log.warning("bounces.away", reason=str(away))
        self._look_at = self._store.clock.steady() + (0 if more else self._pause)
        if done:
            _log.info("bounces.heard", channel=self._mailbox.name, **done)
        return done.total()

    def next_due(self) -> datetime | None:
        """Never by the clock alone: where time is moved by hand nobody writes."""
        return None

    def wake(self) -> None:
        """Look soon."""
        self._look_at = self._store.clock.steady()
        self._woken.set()

    def close(self) -> None:
        """Nothing is held between two visits."""

    def _visit(self, done: Counter[str]) -> bool:
        """Whether there is more."""
        with self._mailbox.opened() as visit:
            names = visit.unseen()
            for name in names[:AT_ONCE]:
                mail = visit.fetch(name)
                if mail is not None:
                    done[self._take(visit, mail).value] += 1
        return len(names) > AT_ONCE

    def _take(self, visit: Visit, mail: Mail) -> Fate:
        told = self._read(mail.raw)
        fate = self._applied(told)
        # Also one that was written down before, and not marked.
        aside = Fate.SET_ASIDE in (fate, told.fate if isinstance(told, Other) else None)
        if aside:
            _log.warning("bounces.set_aside", mail=mail.name)
        if fate is not Fate.LATER:
            visit.done(mail.name, flagged=aside)
        return fate

    def _applied(self, told: Bounce | Other) -> Fate:
        try:
            with self._store.begin(_MAIL) as uow:
                return take_back(uow, told)
        except Transient:
            raise
        # What one mail brings about must not hold back those behind it for ever.
        except Exception as broken:  # noqa: BLE001
            _log.error("bounces.failed", kind=type(broken).__name__)
            with self._store.begin(_MAIL) as uow:
                take_back(uow, Other(told.id, Fate.SET_ASIDE))
            return Fate.SET_ASIDE
