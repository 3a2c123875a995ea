"""Fact type -> use case: the whole table of what notify reacts to.

A type that is not in the tables is passed over: its number counts, nothing else happens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.notify.domain.contacts import Contact
from services.notify.domain.news import MOMENTS, News
from services.notify.usecases.composing import Composer
from services.notify.usecases.telling import take_contact, tell_citizen, warm_contacts, warm_news
from shared.database import UnitOfWork
from shared.events.envelope import Envelope
from shared.events.facts import read
from shared.events.names import short, wire
from shared.kernel.clock import parse_instant
from shared.messaging.consumer import Handler

TYPES: Mapping[str, str] = {wire(name): moment for name, moment in MOMENTS.items()}
CONTACT_TYPES = (wire("contact.given"),)


def fact_handlers(composer: Composer) -> dict[str, Handler]:
    """The handlers of the queue notify.facts."""

    def apply(uow: UnitOfWork, envelope: Envelope) -> None:
        tell_citizen(uow, composer, _news(envelope))

    return dict.fromkeys(TYPES, Handler(apply=apply, warm=_warm_news))


def contact_handlers(composer: Composer) -> dict[str, Handler]:
    """The handlers of the queue notify.contacts."""

    def apply(uow: UnitOfWork, envelope: Envelope) -> None:
        take_contact(uow, composer, _contact(envelope))

    return dict.fromkeys(CONTACT_TYPES, Handler(apply=apply, warm=_warm_contacts))


def _warm_news(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
    warm_news(uow, [envelope.subject for envelope in envelopes])


def _warm_contacts(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
    warm_contacts(uow, [envelope.subject for envelope in envelopes])


def _news(envelope: Envelope) -> News:
    return News(
        fact_id=envelope.id,
        name=short(envelope.type),
        dossier=envelope.subject,
        made_at=envelope.time,
        data=read(envelope.type, envelope.data),
    )


def _contact(envelope: Envelope) -> Contact:
    data = read(envelope.type, envelope.data)
    return Contact(
        dossier=envelope.subject,
        name=data["name"],
        phone=data["phone"],
        email=data["email"],
        language=data["language"],
        consent_sms=data["consent"]["sms"],
        consent_email=data["consent"]["email"],
        lookup_word=data["lookup_word"],
        given_at=parse_instant(data["given_at"]),
    )
