"""The loop that works through uploaded files; it wakes when one is uploaded, and looks now and then."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Final

from services.intake.storage.imports import anything_open
from services.intake.usecases.importing.jobs import SIGNAL, Worker
from shared.catalogue import Catalogue
from shared.database import Store

#: How old an answer may grow where no upload was heard of: another process may have ended amid one.
LOOK_EVERY_SECONDS: Final = 15.0


class Imports:
    """One slice of one file at each step."""

    name = "intake.imports"

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._worker = Worker(store, catalogue)
        self._signal = store.signal(SIGNAL)
        self._seen = -1  # sets of the signal when last looked
        self._looked_at = 0.0  # monotonic
        self._more = False  # the last step found something

    def step(self, wait: float) -> int:
        """Do a slice; where there is none, wait up to `wait` s for an upload."""
        heard = self._signal.count
        if not self._is_time(heard):
            if wait <= 0:
                return 0
            heard = self._signal.wait(heard, wait)
            if not self._is_time(heard):
                return 0
        self._seen, self._looked_at = heard, time.monotonic()
        self._more = False
        if not self._anything():
            return 0
        done = self._worker.advance()
        self._more = done > 0
        return done

    def _is_time(self, heard: int) -> bool:
        old = time.monotonic() - self._looked_at >= LOOK_EVERY_SECONDS
        return self._more or heard != self._seen or old

    def _anything(self) -> bool:
        with self._store.query() as connection:
            return anything_open(connection)

    def next_due(self) -> datetime | None:
        """None: nothing of it goes by the clock."""
        return None

    def wake(self) -> None:
        """Look again now."""
        self._signal.set()

    def close(self) -> None:
        """What is under way goes on after the last line that was answered."""
        self._worker.close()
