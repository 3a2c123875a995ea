"""How a sentence about an event is made; no event is named here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from shared.events.event import Event
from shared.events.parts import Agency, Step
from shared.web.filters import vn_datetime
from shared.web.words import gettext

E = TypeVar("E", bound=Event)
#: A title and details.
Words = tuple[str, list[str]]
Row = tuple[type[Event], tuple[Callable[[Any], Words], str]]


def row(cls: type[E], say: Callable[[E], Words], tone: str) -> Row:
    """How this event is told, and the style sheet's tone for it."""
    return cls, (say, tone)


def named(part: Agency | Step | None) -> str:
    """Its name, or words for an agency that is not named."""
    return part.name if part else gettext("cơ quan xử lý")


def when(label: str, at: datetime | None) -> str:
    """A date with its label; nothing where there is none."""
    return f"{label}: {vn_datetime(at)}" if at else ""
