"""Comparing what an agency says it has of a day's messages with what the city made.

Pure. A day is one of Viet Nam's calendar, and a message belongs to that of its `time`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

#: Numbers in one piece, from first to last.
Span = tuple[int, int]
Trouble = Literal["unknown", "missing", "other_ids"]

_NOTHING: Final = hashlib.sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class DaySum:
    """The messages of one day: how many, a digest over them in order, and their numbers."""

    day: date
    count: int = 0
    sha256: str = _NOTHING
    spans: tuple[Span, ...] = ()


class Summing:
    """Adds up the messages of a day, which come in the order of their numbers."""

    def __init__(self, day: date) -> None:
        self._day = day
        self._count = 0
        self._digest = hashlib.sha256()
        self._spans: list[Span] = []

    def add(self, number: int, fact_id: str) -> None:
        """One more message."""
        self._count += 1
        self._digest.update(f"{number} {fact_id}\n".encode())
        if self._spans and self._spans[-1][1] == number - 1:
            self._spans[-1] = (self._spans[-1][0], number)
        else:
            self._spans.append((number, number))

    def sum(self) -> DaySum:
        """What has come so far."""
        return DaySum(self._day, self._count, self._digest.hexdigest(), tuple(self._spans))


@dataclass(frozen=True, slots=True)
class Compared:
    """The city's sum of a day, and what the agency's has beside it.

    `forgotten` are numbers that the city lost when its database was restored, as it knows itself;
    `unknown` are those of which it does not know why it has not got them.
    """

    ours: DaySum
    agreed: bool
    missing: tuple[Span, ...] = ()
    forgotten: tuple[Span, ...] = ()
    unknown: tuple[Span, ...] = ()

    @property
    def trouble(self) -> Trouble | None:
        """What somebody has to act on; None also where the agency need only leave something out."""
        if self.unknown:
            return "unknown"
        if self.missing:
            return "missing"
        return None if self.agreed or self.forgotten else "other_ids"


def compare(ours: DaySum, theirs: DaySum, last: int) -> Compared:
    """Hold an agency's sum against ours; `last` is the highest number that its stream has had.

    What it has below that and we have not was jumped over when a restored database began anew.
    """
    if (ours.count, ours.sha256) == (theirs.count, theirs.sha256):
        return Compared(ours, agreed=True)
    held = merged(theirs.spans)
    strange = without(held, ours.spans)
    return Compared(
        ours,
        agreed=False,
        missing=without(ours.spans, held),
        forgotten=without(strange, [(last + 1, max(last + 1, _end(strange)))]),
        unknown=without(strange, [(1, last)]),
    )


def _end(spans: Sequence[Span]) -> int:
    return spans[-1][1] if spans else 0


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same numbers in ascending order, each once."""
    made: list[Span] = []
    for first, last in sorted(spans):
        if last < first:
            continue
        if made and first <= made[-1][1] + 1:
            made[-1] = (made[-1][0], max(made[-1][1], last))
        else:
            made.append((first, last))
    return tuple(made)


def without(spans: Iterable[Span], taken: Sequence[Span]) -> tuple[Span, ...]:
    """The numbers of `spans` that are in none of `taken`; both ascending."""
    made: list[Span] = []
    at = 0
    for first, last in spans:
        while at < len(taken) and taken[at][1] < first:
            at += 1
        begin, look = first, at
        while look < len(taken) and taken[look][0] <= last:
            if begin < taken[look][0]:
                made.append((begin, taken[look][0] - 1))
            begin = max(begin, taken[look][1] + 1)
            look += 1
        if begin <= last:
            made.append((begin, last))
    return tuple(made)


def count(spans: Iterable[Span]) -> int:
    """How many numbers there are."""
    return sum(last - first + 1 for first, last in spans)
