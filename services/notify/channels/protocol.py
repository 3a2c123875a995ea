"""What every channel promises; the sending loop knows nothing more of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from services.notify.domain.delivery import Letter, Result


class Channel(Protocol):
    """Takes letters one after the other and answers for each.

    `idempotent` means that the same letter id handed over twice leaves one letter; `remote`, that
    another machine is asked, which may take its time. `send` is
    lazy: it hands over the next letter only when asked for the next answer, so that a caller may
    stop between two letters. Trouble with the outside world is a `Failed` or `Unknown` result,
    never an exception.
    """

    name: str
    idempotent: bool
    remote: bool

    def send(self, letters: Iterable[Letter]) -> Iterator[Result]:
        """One result per letter, in order."""

    def close(self) -> None:
        """Let go of connections; the channel may be used again afterwards."""
