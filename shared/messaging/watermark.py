"""On a bus that forgets: from which fact on the next start must send again.

The mark is a row of the ledger (`starts.resend_from`). It moves on once whatever was sent before
it has been acknowledged by everybody who got it, so a start repeats the last second's work and
not all that was ever sent. Moving it too late costs time; too early would lose facts.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Final

from shared.database import Store
from shared.messaging import Publisher
from shared.messaging.resending import first_unsent, remember_settled

EVERY_SECONDS: Final = 1.0


class Watermark:
    """Kept by the relay of one store; on such a bus a store has one relay.

    An aim is a pair: once so many messages of the publisher are settled, every fact before that
    position is safe with its readers.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._aim: tuple[int, int] | None = None
        self._aimed_at = 0  # messages sent when last aimed
        self._lowest: int | None = None  # position sent since then
        self._looked_at = 0.0  # monotonic

    def sent(self, positions: Collection[int]) -> None:
        """These have been sent just now; an operator may have had some of them sent again."""
        lowest = min(positions)
        self._lowest = lowest if self._lowest is None else min(lowest, self._lowest)

    def look(self, publisher: Publisher, *, at_once: bool = False) -> None:
        """Move the mark on where that has become possible; asks the database once a second."""
        now = time.monotonic()
        if not at_once and now - self._looked_at < EVERY_SECONDS:
            return
        self._looked_at = now
        self._reach(publisher)
        if self._aim is None and publisher.progress().sent != self._aimed_at:
            self._take_aim(publisher)
            self._reach(publisher)

    def _take_aim(self, publisher: Publisher) -> None:
        with self._store.transaction() as connection:
            position = first_unsent(connection)
        self._aimed_at = publisher.progress().sent
        self._aim, self._lowest = (self._aimed_at, position), None

    def _reach(self, publisher: Publisher) -> None:
        if self._aim is None or publisher.progress().settled < self._aim[0]:
            return
        position = min(self._aim[1], self._lowest or self._aim[1])
        with self._store.transaction() as connection:
            remember_settled(connection, position)
        self._aim = None
