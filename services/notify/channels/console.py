"""The channel that shows messages on standard output, for trying things out by hand.

It prints personal data by its nature, so it is never a default.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from services.notify.domain.delivery import Failed, GoingOut, Letter, Sent, Word


class ConsoleChannel:
    """Prints each letter; not idempotent, since a line that was printed stays printed."""

    idempotent = False
    remote = False

    def __init__(self, kind: str, out: TextIO | None = None) -> None:
        self.name = f"{kind}.console"
        self._kind = kind
        self._out = out

    def send(self, letters: Iterable[Letter]) -> Iterator[Word]:
        out = self._out or sys.stdout
        for letter in letters:
            head = f"[{self._kind}] {letter.to}"
            title = f" | {letter.subject}" if letter.subject else ""
            yield GoingOut()
            try:
                print(f"{head}{title}\n{letter.body}\n", file=out, flush=True)
            except OSError as error:
                yield Failed(f"console: {type(error).__name__}")
            else:
                yield Sent()

    def close(self) -> None:
        """Standard output belongs to the process."""
