"""What every channel promises; the sending loop knows nothing more of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from services.notify.domain.delivery import Letter, Word
from services.notify.domain.incoming import Incoming
from services.notify.domain.receipts import Receipt, Ticket


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

        A channel may take several letters before it answers for the first, and answers for all that
        it took. One that is not idempotent says `GoingOut` before it hands over what cannot be taken
        back: only then is a letter uncertain after a crash. `Waiting` may come at any time, and
        comes at least once a second where a channel waits.
        """

    def close(self) -> None:
        """Let go of connections; the channel may be used again afterwards."""


@runtime_checkable
class Receiving(Protocol):
    """What a channel has besides where its provider tells afterwards what became of a letter.

    Called by another thread than `send`.
    """

    name: str

    def told(self, seconds: float) -> Sequence[Receipt | Incoming]:
        """Receipts, and what citizens wrote, since the last call; waits so long for the first.

        Never raises.
        """

    def thank(self, told: Sequence[Receipt | Incoming]) -> None:
        """These are written down: only now may the provider forget them."""

    def ask(self, tickets: Sequence[Ticket]) -> list[Receipt]:
        """What became of these, as far as the provider says it now."""

    def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class Checking(Protocol):
    """A channel that can be tried without a letter."""

    name: str

    def check(self) -> Iterator[object]:
        """Do all but send; an exception of the channel's own says in our words what failed."""
