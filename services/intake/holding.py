"""The loop that asks again about files that are held, until the malware scanner has answered."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Final

from services.intake.usecases.files import FileRoom, look_again
from shared.database import Store

EVERY_SECONDS: Final = 30.0


class Holding:
    """Looks every half minute, by the monotonic clock."""

    name = "intake.files"

    def __init__(self, store: Store, room: FileRoom) -> None:
        self._store = store
        self._room = room
        self._next = time.monotonic()
        self._woken = threading.Event()

    def step(self, wait: float) -> int:
        """Ask once it is time; how many files have their answer now."""
        if self._woken.wait(max(0.0, min(wait, self._next - time.monotonic()))):
            self._woken.clear()
        if time.monotonic() < self._next:
            return 0
        done = look_again(self._store, self._room)
        if not done:
            self._next = time.monotonic() + EVERY_SECONDS
        return done

    def next_due(self) -> datetime | None:
        """Never by the clock of the city."""
        return None

    def wake(self) -> None:
        """Look at the time again."""
        self._woken.set()

    def close(self) -> None:
        """Nothing is held between steps."""
