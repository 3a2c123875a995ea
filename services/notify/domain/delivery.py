"""What goes into a channel (a letter) and what comes out of it (a result)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

#: How the names of providers end that only write down in this house.
LOCAL: Final = (".file", ".console", ".null")


@dataclass(frozen=True, slots=True)
class Letter:
    """A finished text for one address; a channel needs nothing else."""

    id: str
    channel: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)
    made_at: datetime
    tries: int = 1
    language: str = ""
    to_citizen: bool = False  # who may end such letters


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel has taken the letter for good.

    `references` are the provider's own names for its parts, by which receipts speak of them.
    """

    references: tuple[str, ...] = ()
    by: str = ""  # which of a channel's providers, where it has several


@dataclass(frozen=True, slots=True)
class Failed:
    """The channel has certainly not taken it; `permanent` when another try cannot help."""

    reason: str
    permanent: bool = False
    by: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The channel broke off after the letter was handed over: it may or may not have gone.

    `references` names the parts that were taken, with an empty text for each of the others.
    """

    reason: str
    references: tuple[str, ...] = ()
    by: str = ""


@dataclass(frozen=True, slots=True)
class Busy:
    """The provider has had enough and has certainly not taken it: it keeps its place.

    No letter is given to the channel for so many seconds.
    """

    reason: str
    seconds: float
    by: str = ""


Result = Sent | Failed | Unknown | Busy


@dataclass(frozen=True, slots=True)
class GoingOut:
    """The next thing that the channel does is to send these letters' texts: write it down first.

    `letters` counts from the first that it has not answered for.
    """

    letters: int = 1


@dataclass(frozen=True, slots=True)
class Waiting:
    """The channel waits for another machine; whoever asked may do something else meanwhile."""


#: What a channel says of the letter in its hands: last of all, what became of it.
Word = Result | GoingOut | Waiting
