"""The timeline in Vietnamese: what each event says to a desk officer; no personal data is repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.intake.web.telling import agencies, desk
from services.intake.web.telling.words import Words
from shared.events.event import Event
from shared.events.names import short
from shared.kernel.clock import format_instant
from shared.kernel.errors import Unreadable
from shared.messaging.timeline import Entry

__all__ = ["Told", "event_of", "tell"]

_WORDS: Final[Mapping[type[Event], tuple[Callable[[Any], Words], str]]] = dict(
    desk.ROWS + agencies.ROWS
)


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened, in words."""

    at: str
    type: str
    source: str
    title: str
    details: tuple[str, ...]
    late: bool
    note: str | None
    tone: str

    @property
    def text(self) -> str:
        """The details in one paragraph."""
        return " · ".join((*self.details, *((self.note,) if self.note else ())))

    def as_json(self) -> dict[str, Any]:
        """As the REST door gives it."""
        return {
            "at": self.at,
            "type": self.type,
            "source": self.source,
            "title": self.title,
            "details": list(self.details),
            "late": self.late,
            "note": self.note,
        }


def tell(entry: Entry) -> Told:
    """A timeline entry in words; one that is not known here, or cannot be read, by its type."""
    name = short(entry.type) or entry.type
    event = event_of(entry)
    say, tone = (_WORDS.get(type(event)) if event else None) or (None, "quiet")
    title, details = say(event) if say else (name, [])
    late = entry.state == "late"
    return Told(
        at=format_instant(entry.time),
        type=name,
        source=entry.source,
        title=title,
        details=tuple(d for d in details if d),
        late=late,
        note=entry.note,
        tone="quiet" if late else tone,
    )


def event_of(entry: Entry) -> Event | None:
    """The event of a timeline entry; None for one that no version of ours can read."""
    try:
        return entry.envelope.event()
    except Unreadable:
        return None
