"""What notify states: who was told, and who could not be."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shared.events.event import Event, event
from shared.events.intake import DossierCode
from shared.events.types import Instant, Text, Word, about

Party = Annotated[
    Word | None, about("Role of the second party that it was for; null: the applicant")
]


@event("citizen.notified", "notify", read_by=("intake",))
class CitizenNotified(Event, frozen=True, kw_only=True):
    """A message was handed to a channel."""

    dossier: DossierCode
    moment: Annotated[Word, about("What it was about, such as received")]
    channel: Annotated[Word, about("sms or email")]
    message: Annotated[Word, about("Message id in notify; never its text")]
    sent_at: Instant
    party: Party = None


@event("citizen.unreachable", "notify", read_by=("intake",))
class CitizenUnreachable(Event, frozen=True, kw_only=True):
    """No channel is left for this moment; with `call` an officer of the desk is asked to call."""

    dossier: DossierCode
    moment: Annotated[Word, about("What it was about")]
    reason: Annotated[
        Annotated[str, Meta(min_length=1, max_length=300)], about("Never a number or an address")
    ]
    at: Instant
    call: Annotated[Word | None, about("Id of the call, for its answer; null: nobody has to")] = (
        None
    )
    words: Annotated[Text | None, about("What whoever calls says; never a name")] = None
    party: Party = None


@event("citizen.call_dropped", "notify", read_by=("intake",))
class CallDropped(Event, frozen=True, kw_only=True):
    """Nobody has to call any more: a message arrived after all, or what it said is outdated."""

    dossier: DossierCode
    call: Annotated[Word, about("Id of the call, as `citizen.unreachable` named it")]
    at: Instant


@event("citizen.address_failed", "notify", read_by=("intake",))
class AddressFailed(Event, frozen=True, kw_only=True):
    """A server says for good that it cannot deliver there; the desk asks for another at the next visit."""

    dossier: DossierCode
    channel: Annotated[Word, about("sms or email; never the number or address")]
    at: Instant


@event("citizen.stop_changed", "notify", read_by=("intake",))
class StopChanged(Event, frozen=True, kw_only=True):
    """The citizen wants nothing more sent by this way, or wants it again; the desk sees it."""

    dossier: DossierCode
    channel: Annotated[Word, about("sms or email; never the number or address")]
    stopped: Annotated[bool, about("false: messages are sent again")]
    at: Instant
