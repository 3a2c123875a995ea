"""What notify states: who was told, and who could not be."""

from __future__ import annotations

from shared.events.fields import Instant, Text, Word
from shared.events.schemas.parts import Fact


class CitizenNotified(Fact):
    """A message was handed to a channel."""

    dossier = Word("Dossier code")
    moment = Word("What it was about, such as received")
    channel = Word("sms or email")
    message = Word("Message id in notify; never its text")
    sent_at = Instant()


class CitizenUnreachable(Fact):
    """No channel is left for this moment."""

    dossier = Word("Dossier code")
    moment = Word("What it was about")
    reason = Text("Never a number or an address", longest=300)
    at = Instant()
