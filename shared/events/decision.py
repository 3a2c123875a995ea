"""What a domain function gives back: the state that follows, and what happened by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.events.event import Event

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Decision(Generic[State]):
    """What comes of an event or a command.

    `state` is what the service knows from now on (None: as before), `events` are what happened by
    it, in their order. `note` says why nothing was changed, for the timeline, in Vietnamese.
    """

    state: State | None = None
    events: tuple[Event, ...] = ()
    note: str | None = None
