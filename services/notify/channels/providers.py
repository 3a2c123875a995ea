"""Several providers behind one channel: letters by weight, away from one that fails or is slow.

Which provider took a letter stands in its result. One that failed is left alone for some seconds,
longer each time, and then tried again with whatever comes next: it is back by itself.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from services.notify.channels.protocol import Channel
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

#: Slower than this for one letter, in seconds, and another provider is asked first.
SLOW_SECONDS: Final = 10.0
_FIRST_PAUSE: Final = 10.0
_LONGEST_PAUSE: Final = 300.0
_FORGET_SECONDS: Final = 300.0  # so old an answer no longer counts for the share that is shown


@dataclass
class Provider:
    """One of them: its weight, and how it stands. Times are monotonic seconds."""

    channel: Channel
    weight: int = 1
    credit: int = 0
    off_until: float = 0.0
    failures: int = 0  # in a row
    answers: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))

    def note(self, result: Result, seconds: float, now: float) -> None:
        """Remember what it answered, and after how long."""
        self.answers.append(now)
        if isinstance(result, Busy):
            self.off_until = max(self.off_until, now + result.seconds)
        elif _is_bad(result) or seconds > SLOW_SECONDS:
            self.failures += 1
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(self.failures - 1, 10))
            self.off_until = max(self.off_until, now + pause)
        else:
            self.failures = 0

    def recent(self, now: float) -> int:
        """How many letters it answered for lately."""
        while self.answers and self.answers[0] < now - _FORGET_SECONDS:
            self.answers.popleft()
        return len(self.answers)


def _is_bad(result: Result) -> bool:
    # A clear no for good speaks of the letter: any provider would say so.
    return isinstance(result, Unknown) or (isinstance(result, Failed) and not result.permanent)


class Providers:
    """A channel that is several; `by` of each result names the one."""

    # What one provider was handed another would send again, whatever either promises.
    idempotent = False

    def __init__(
        self, kind: str, providers: Sequence[Provider], now: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = kind
        self.providers = list(providers)
        self.channels = [each.channel for each in providers]
        self.remote = any(channel.remote for channel in self.channels)
        self._now = now

    def send(self, letters: Iterable[Letter]) -> Iterator[Word]:
        waiting = iter(letters)
        while (first := next(waiting, None)) is not None:
            yield from self._through(self._chosen(), first, waiting)

    def close(self) -> None:
        """Let go of all their connections."""
        for channel in self.channels:
            channel.close()

    def shares(self) -> Mapping[str, tuple[float, bool]]:
        """Each provider's share of the last minutes' letters (0 to 1), and whether it is asked."""
        now = self._now()
        counts = {each.channel.name: each.recent(now) for each in list(self.providers)}
        total = sum(counts.values()) or 1
        return {
            each.channel.name: (counts[each.channel.name] / total, each.off_until <= now)
            for each in self.providers
        }

    def _chosen(self) -> Provider:
        """By weight among those that are well; where none is, the one that is soonest."""
        now = self._now()
        well = [each for each in self.providers if each.off_until <= now]
        if not well:
            return min(self.providers, key=lambda each: each.off_until)
        for each in well:
            each.credit += each.weight
        best = max(well, key=lambda each: each.credit)
        best.credit -= sum(each.weight for each in well)
        return best

    def _through(
        self, provider: Provider, first: Letter, waiting: Iterator[Letter]
    ) -> Generator[Word]:
        """Letters through one provider, for as long as it does well; each is answered for."""
        channel, given = provider.channel, deque[float]()

        def letters() -> Iterator[Letter]:
            letter: Letter | None = first
            while letter is not None:
                given.append(self._now())
                yield letter
                # Not in a `for`: what this provider does not take is for the next one.
                letter = next(waiting, None) if self._goes_on(provider) else None

        words = _one_by_one(channel, letters()) if channel.idempotent else channel.send(letters())
        for word in words:
            yield self._named(word, provider, given)
        while given:
            yield self._named(Unknown("no word"), provider, given)

    def _goes_on(self, provider: Provider) -> bool:
        now = self._now()
        if provider.off_until <= now:
            return True
        return all(each.off_until > now for each in self.providers)

    def _named(self, word: Word, provider: Provider, given: deque[float]) -> Word:
        if not isinstance(word, Sent | Failed | Unknown | Busy):
            return word
        now = self._now()
        provider.note(word, now - (given.popleft() if given else now), now)
        if isinstance(word, Busy) and any(each.off_until <= now for each in self.providers):
            word = replace(word, seconds=0.0)
        return replace(word, by=provider.channel.name)


def _one_by_one(channel: Channel, letters: Iterable[Letter]) -> Iterator[Word]:
    """A channel that says of no text that it goes out: said for it."""
    for letter in letters:
        yield GoingOut()
        yield from channel.send([letter])
