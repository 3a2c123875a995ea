"""A letter that came back: what the mail about it says, and what that makes of its message.

Whoever writes such a mail is known by nothing but what stands in it: an address that only we could
write, or the name of our letter together with the address that it went to. An address alone is
nobody's word.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.notify.domain.contacts import EMAIL
from services.notify.domain.messages import Message
from services.notify.domain.states import State

BOUNCED: Final = "bounced"
DELAYED: Final = "delayed"
#: Mail servers try for five days (RFC 5321, 4.5.4.1); what comes after a month is of no use.
WITHIN: Final = timedelta(days=30)


class Fate(StrEnum):
    """What became of a mail that came in; the values are stored and counted."""

    BOUNCED = "bounced"  # the letter is lost
    DELAYED = "delayed"  # its server goes on trying
    REPEATED = "repeated"  # told before
    LATE = "late"  # changes nothing any more
    ARRIVED = "arrived"  # a report of success, for which nobody asked
    FORGED = "forged"  # a return path that we did not write, or another recipient
    UNKNOWN = "unknown"  # about no letter of ours
    AUTO_REPLY = "auto_reply"
    SET_ASIDE = "set_aside"  # no such mail, or unreadable: for a person to look at
    LATER = "later"  # the letter is in a sender's hands: come again


@dataclass(frozen=True, slots=True)
class Bounce:
    """One mail that came back about one letter.

    `id` is the same whenever it is brought. `proved`: it came to an address that only we could write.
    `final`: the server has given up. `status` as RFC 3463 has it, empty where none is told.
    """

    id: str
    letter: str
    proved: bool
    final: bool
    status: str = ""
    addresses: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def blames_address(self) -> bool:
        """Whether nothing will ever arrive there; a server that gave up waiting does not say so."""
        return self.final and not self.status.startswith("4")


@dataclass(frozen=True, slots=True)
class Other:
    """A mail that is no bounce of ours, and why."""

    id: str
    fate: Fate


def judged(bounce: Bounce, message: Message | None, now: datetime) -> Fate:
    """What the mail is worth, beside the letter that it names (None: there is none)."""
    if message is None or message.channel != EMAIL:
        return Fate.UNKNOWN
    if not bounce.proved and message.to.lower() not in bounce.addresses:
        return Fate.FORGED
    if message.state is State.SENDING:
        return Fate.LATER
    since = message.sent_at or message.changed_at
    if message.state not in (State.SENT, State.UNCERTAIN) or now - since > WITHIN:
        return Fate.LATE
    return Fate.BOUNCED if bounce.final else Fate.DELAYED


def after_bounce(message: Message, bounce: Bounce, now: datetime) -> Message:
    """The message that did not arrive."""
    reason = " ".join(filter(None, (BOUNCED, bounce.status)))
    return message.moved(State.UNDELIVERABLE, now, next_at=None, reason=reason)
