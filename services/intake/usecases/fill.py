"""The loop that makes old dossiers findable, a few hundred at each step, until all are."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Final

from services.intake.storage.filling import fill_some
from services.intake.storage.search import Index
from shared.database import Store
from shared.log import get

_REST: Final = 0.05  # seconds between two steps, so that desks are served meanwhile
_log = get("search")


class Filling:
    """Runs once after a start; without anything to do it is one look at one row."""

    def __init__(self, name: str, store: Store, index: Index) -> None:
        self.name = name
        self._store = store
        self._index = index
        self._done = False
        self._filled = 0
        self._woken = threading.Event()

    def step(self, wait: float) -> int:
        """The next few hundred; DatabaseAway leaves them for later."""
        if self._done:
            if wait > 0:
                self._woken.wait(wait)
                self._woken.clear()
            return 0
        with self._store.transaction() as connection:
            filled = fill_some(connection, self._index)
        self._filled += filled
        if filled == 0:
            self._done = True
            if self._filled:
                _log.info("search.filled", dossiers=self._filled)
        elif wait > 0:
            self._woken.wait(min(wait, _REST))
        return filled

    def next_due(self) -> datetime | None:
        """Never by the clock of the city."""
        return None

    def wake(self) -> None:
        """End a waiting step."""
        self._woken.set()

    def close(self) -> None:
        """Nothing is held between steps."""
