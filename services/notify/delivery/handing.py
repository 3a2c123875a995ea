"""A batch of claimed messages in the hands of a channel: what was said of which, and what was not.

No database here: the sender writes down what this tells it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from services.notify.channels import Channel
from services.notify.domain.delivery import (
    Busy,
    Failed,
    GoingOut,
    Letter,
    Result,
    Sent,
    Unknown,
    Word,
)
from services.notify.domain.messages import Message
from services.notify.usecases.sending import Tried
from shared.log import get

STOPPED = "stopped while the server was waited for"
_log = get("notify.sender")


class Handing:
    """Gives a channel the letters that it asks for, until told to give it no more."""

    def __init__(self, channel: Channel, claimed: Sequence[Message]) -> None:
        self._channel = channel
        self._waiting = list(claimed)
        self._answered: list[Tried] = []
        self.held: list[Message] = []  # in the channel's hands, in the order of its answers
        self.out = 0  # so many of these, from the first, are noted as going out
        self._words = channel.send(self._letters())

    def next(self) -> Word | None:
        """The channel's next word; None when it is done with all that it was given."""
        try:
            word = next(self._words, None)
        # A letter on which a channel breaks must not stop those behind it.
        except Exception as broken:  # noqa: BLE001
            kind = type(broken).__name__
            _log.error("channel.broken", channel=self._channel.name, kind=kind)
            word = self._broken(f"channel broke: {kind}")
        if isinstance(word, Sent | Failed | Unknown | Busy):
            self._answer(word)
        return word

    def going(self, word: GoingOut) -> list[Message]:
        """Whose texts go out now and are not noted yet."""
        return self.held[self.out : word.letters]

    def settled(self) -> list[Tried]:
        """What was answered, to be recorded now; each is told once."""
        done, self._answered = self._answered, []
        return done

    def release(self) -> list[Tried]:
        """Those that the channel was not given: it is given no more."""
        rest, self._waiting = self._waiting, []
        return [Tried(message, None) for message in rest]

    def leave(self) -> list[Tried]:
        """Break off: nobody knows of letters whose texts are out, the rest was not handed over."""
        if isinstance(self._words, Generator):
            self._words.close()
        while self.out:
            self._answer(Unknown(STOPPED))
        self._waiting[:0] = self.held
        self.held = []
        return self.settled() + self.release()

    def _letters(self) -> Iterator[Letter]:
        while self._waiting:
            self.held.append(self._waiting.pop(0))
            yield self.held[-1].letter()

    def _answer(self, result: Result) -> None:
        if self.held:
            named = replace(result, by=result.by or self._channel.name)
            self._answered.append(Tried(self.held.pop(0), named))
            self.out = max(0, self.out - 1)

    def _broken(self, reason: str) -> Result | None:
        """Answers for all but the last that the channel had in its hands, and gives that one's."""
        while len(self.held) > 1:
            self._answer(self._unclear(reason))
        return self._unclear(reason) if self.held else None

    def _unclear(self, reason: str) -> Result:
        return Unknown(reason) if self.out else Failed(reason)
