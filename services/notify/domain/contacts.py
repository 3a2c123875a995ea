"""How a citizen may be reached, and by which channels: consent first, then a usable address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.events.intake import ContactGiven, PartyGiven
from shared.kernel.text import mask_email, mask_phone

SMS = "sms"
EMAIL = "email"
CALL = "call"  # an officer of the desk telephones
CHANNELS = (EMAIL, SMS)

NO_CONTACT = "no_contact"
NO_CONSENT = "no_consent"
NO_ADDRESS = "no_address"
OPTED_OUT = "opted_out"  # the citizen wants no more by this way

# Vietnamese mobile numbers in E.164; landlines take no SMS (domain facts, section 6.3).
MOBILE = re.compile(r"\+84[35789]\d{8}")
# ASCII only: an address outside it needs SMTPUTF8, which few relays offer.
MAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")


@dataclass(frozen=True, slots=True)
class Address:
    """One way to reach the citizen."""

    channel: str
    to: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody beside the applicant: their role, the moments they hear of, how they are reached.

    Their `contact` has no look-up word: the page shows the applicant's matter.
    """

    role: str
    told: tuple[str, ...]
    contact: ContactGiven = field(repr=False)


def party_of(given: PartyGiven) -> Party:
    """The party that intake has stated."""
    contact = ContactGiven(
        dossier=given.dossier,
        name=given.name,
        phone=given.phone,
        email=given.email,
        language=given.language,
        consent=given.consent,
        lookup_word="",
        given_at=given.given_at,
        first=given.first,
    )
    return Party(given.role, given.told, contact)


@dataclass(frozen=True, slots=True)
class Choice:
    """The channels to use; when there is none, why."""

    addresses: tuple[Address, ...]
    reason: str | None = None


def choose(contact: ContactGiven, order: Sequence[str] = (SMS, EMAIL)) -> Choice:
    """The ways where consented and usable, in the order in which they are tried.

    The citizen's own choice comes first, else the city's order. Else `no_consent` or `no_address`.
    """
    ways = {
        EMAIL: (contact.consent.email, contact.email, MAIL),
        SMS: (contact.consent.sms, contact.phone, MOBILE),
    }
    found = tuple(
        Address(channel, to)
        for channel in sorted(order, key=lambda channel: channel != contact.first)
        for consented, to, shape in (ways[channel],)
        if consented and to and shape.fullmatch(to)
    )
    if found:
        return Choice(found)
    consented = contact.consent.email or contact.consent.sms
    return Choice((), NO_ADDRESS if consented else NO_CONSENT)


def masked(channel: str, to: str) -> str:
    """An address as an operator may see it."""
    return mask_email(to) if channel == EMAIL else mask_phone(to)
