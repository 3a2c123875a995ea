"""The channel that takes everything and keeps nothing but a count; for benchmarks and drills."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from services.notify.domain.delivery import Letter, Result, Sent


class NullChannel:
    """Counts what it was handed."""

    idempotent = True
    remote = False

    def __init__(self, kind: str) -> None:
        self.name = f"{kind}.null"
        self.count = 0

    def send(self, letters: Iterable[Letter]) -> Iterator[Result]:
        for _ in letters:
            self.count += 1
            yield Sent()

    def close(self) -> None:
        """Nothing is held."""
