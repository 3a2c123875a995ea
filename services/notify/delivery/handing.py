"""A batch of claimed messages in the hands of a channel: what was said of which, and what was not.

No database here: the sender writes down what this tells it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from services.notify.channels import Channel
from services.notify.domain.delivery import (
    Failed,
    Letter,
    Result,
    Sent,
    Unknown,
    Word,
)
from services.notify.domain.messages import Message
from services.notify.usecases.sending import Tried
from shared.log import get

STOPPED = "stopped while the mail server was waited for"
_log = get("notify.sender")


class Handing:
    """Gives a channel one letter after the other, until told to give it no more."""

    def __init__(self, channel: Channel, claimed: Sequence[Message]) -> None:
        self._channel = channel
        self._waiting = list(claimed)
        self._answered: list[Tried] = []
        self.message: Message | None = None  # in the channel's hands
        self.text_is_out = False  # said by the sender, once that is noted
        self._words = channel.send(self._letters())

    def next(self) -> Word | None:
        """The channel's next word; None when it is done with all that it was given."""
        try:
            word = next(self._words, None)
        # A letter on which a channel breaks must not stop those behind it.
        except Exception as broken:  # noqa: BLE001
            kind = type(broken).__name__
            _log.error("channel.broken", channel=self._channel.name, kind=kind)
            word = self._unclear(f"channel broke: {kind}") if self.message else None
        if isinstance(word, Sent | Failed | Unknown):
            self._answer(word)
        return word

    def settled(self) -> list[Tried]:
        """What was answered, to be recorded now; each is told once."""
        done, self._answered = self._answered, []
        return done

    def release(self) -> list[Tried]:
        """Those that the channel was not given: it is given no more."""
        rest, self._waiting = self._waiting, []
        return [Tried(message, None) for message in rest]

    def leave(self) -> list[Tried]:
        """Break off: nobody knows of a letter whose text is out, the rest was not handed over."""
        if isinstance(self._words, Generator):
            self._words.close()
        if self.message is not None and self.text_is_out:
            self._answer(self._unclear(STOPPED))
        elif self.message is not None:
            self._waiting.insert(0, self.message)
            self.message = None
        return self.settled() + self.release()

    def _letters(self) -> Iterator[Letter]:
        while self._waiting:
            self.message, self.text_is_out = self._waiting.pop(0), False
            yield self.message.letter()

    def _answer(self, result: Result) -> None:
        if self.message is not None:
            self._answered.append(Tried(self.message, result))
        self.message = None

    def _unclear(self, reason: str) -> Result:
        return Unknown(reason) if self.text_is_out else Failed(reason)
