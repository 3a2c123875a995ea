"""What every channel promises; the sending loop knows nothing more of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from services.notify.domain.delivery import Letter, Word


class Channel(Protocol):
    """Takes letters one after the other and answers for each.

    `idempotent` means that the same letter id handed over twice leaves one letter; `remote`, that
    another machine is asked, which may take its time. `send` is lazy: it goes on only when asked
    for its next word, so that a caller may stop between two of them for good. Trouble with the
    outside world is a `Failed` or `Unknown` result, never an exception.
    """

    name: str
    idempotent: bool
    remote: bool

    def send(self, letters: Iterable[Letter]) -> Iterator[Word]:
        """Words about each letter, in order; the last of each is its `Result`.

        A channel that is not idempotent says `GoingOut` before it hands over what cannot be taken
        back: only then is a letter uncertain after a crash. `Waiting` may come at any time, and
        comes at least once a second where a channel waits.
        """

    def close(self) -> None:
        """Let go of connections; the channel may be used again afterwards."""
