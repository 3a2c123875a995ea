"""The loop that takes a provider's receipts and citizens' texts: written down first, thanked for then.

It also keeps the provider's line open where there is one, and asks what became of what it took and
never spoke of again.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime
from typing import Final

from services.notify.channels.protocol import Receiving
from services.notify.domain.incoming import Incoming
from services.notify.domain.receipts import Receipt
from services.notify.storage import receipts as rows
from services.notify.usecases.hearing import keep
from services.notify.usecases.receiving import asked, take_in
from shared.database import Store
from shared.kernel.actor import Actor
from shared.log import get

#: How often it is looked whether a provider has to be asked, and about how many at once.
ASK_EVERY_SECONDS: Final = 30.0
ASK_AT_ONCE: Final = 10
_RECEIVER: Final = Actor("service", "notify")
_log = get("notify.receipts")


class Receiver:
    """Receipts of one provider."""

    def __init__(self, channel: Receiving, store: Store) -> None:
        self.name = f"notify.receipts.{channel.name}"
        self.counts: Counter[str] = Counter()  # since the start, by what became of them
        self._channel = channel
        self._store = store
        self._asked_at = 0.0  # monotonic

    def step(self, wait: float) -> int:
        """Take what has come; where nothing has, wait up to `wait` s for it."""
        heard = self._channel.told(wait)
        if not heard:
            return self._ask()
        with self._store.begin(_RECEIVER) as uow:
            done = take_in(uow, [each for each in heard if isinstance(each, Receipt)])
            if texts := [each for each in heard if isinstance(each, Incoming)]:
                done["texts"] = keep(uow, texts)
        # Only now: whoever dies before is told again.
        self._channel.thank(heard)
        self.counts.update(done)
        _log.info("receipts.heard", channel=self._channel.name, **done)
        return len(heard)

    def next_due(self) -> datetime | None:
        """Never by the clock alone."""
        return None

    def wake(self) -> None:
        """Ask the provider soon."""
        self._asked_at = 0.0

    def close(self) -> None:
        """Let go of the line."""
        self._channel.close()

    def _ask(self) -> int:
        now = time.monotonic()
        if now - self._asked_at < ASK_EVERY_SECONDS:
            return 0
        self._asked_at = now
        with self._store.query() as connection:
            due = rows.to_ask(connection, self._channel.name, self._store.clock.now(), ASK_AT_ONCE)
        if not due:
            return 0
        told = self._channel.ask(due)
        with self._store.begin(_RECEIVER) as uow:
            asked(uow, due, told)
        return len(due)
