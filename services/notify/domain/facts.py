"""What notify itself states; translated to public facts in messaging/outgoing.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CitizenNotified:
    """A message was taken by its channel (`sent_at` in UTC)."""

    dossier: str
    moment: str
    channel: str
    message: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class CitizenUnreachable:
    """No channel is left for this moment; `reason` is a word, never an address (`at` in UTC)."""

    dossier: str
    moment: str
    reason: str
    at: datetime
