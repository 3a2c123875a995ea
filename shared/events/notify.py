"""What notify states: who was told, and who could not be."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shared.events.event import Event, event
from shared.events.intake import DossierCode
from shared.events.types import Instant, Word, about


@event("citizen.notified", "notify", read_by=("intake",))
class CitizenNotified(Event, frozen=True, kw_only=True):
    """A message was handed to a channel."""

    dossier: DossierCode
    moment: Annotated[Word, about("What it was about, such as received")]
    channel: Annotated[Word, about("sms or email")]
    message: Annotated[Word, about("Message id in notify; never its text")]
    sent_at: Instant


@event("citizen.unreachable", "notify", read_by=("intake",))
class CitizenUnreachable(Event, frozen=True, kw_only=True):
    """No channel is left for this moment."""

    dossier: DossierCode
    moment: Annotated[Word, about("What it was about")]
    reason: Annotated[
        Annotated[str, Meta(min_length=1, max_length=300)], about("Never a number or an address")
    ]
    at: Instant
