"""What goes into a channel (a letter) and what comes out of it (a result)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """A finished text for one address; a channel needs nothing else."""

    id: str
    channel: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel has taken the letter for good."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The channel has certainly not taken it; `permanent` when another try cannot help."""

    reason: str
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """The channel broke off after the letter was handed over: it may or may not have gone."""

    reason: str


Result = Sent | Failed | Unknown


@dataclass(frozen=True, slots=True)
class GoingOut:
    """The next thing that the channel does is to send the letter's text: write it down first."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The channel waits for another machine; whoever asked may do something else meanwhile."""


#: What a channel says of the letter in its hands: last of all, what became of it.
Word = Result | GoingOut | Waiting
