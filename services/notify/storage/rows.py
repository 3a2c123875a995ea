"""Rows to domain objects and back; the one place that knows the column names of a message."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from services.notify.domain.cases import Case
from services.notify.domain.contacts import Party
from services.notify.domain.messages import Message
from services.notify.domain.states import State
from services.notify.storage import tables
from shared.events.intake import ContactGiven
from shared.events.parts import Consent

_CASE = tuple(field.name for field in fields(Case))
_CONTACT = (
    "dossier",
    "name",
    "phone",
    "email",
    "language",
    "lookup_word",
    "given_at",
    "first",
    "representative",
)
# A second party has no word to look up with, and nobody in their place.
_PARTY = tuple(name for name in _CONTACT if name not in ("lookup_word", "representative"))
# `to` and `role` are words of SQL.
_NAMED = {"to": "recipient", "role": "person"}
_MESSAGE = tuple((field.name, _NAMED.get(field.name, field.name)) for field in fields(Message))

CASE_COLUMNS = tuple(tables.cases.c[name] for name in _CASE)
CONTACT_COLUMNS = tuple(
    tables.contacts.c[name] for name in (*_CONTACT, "consent_sms", "consent_email")
)
PARTY_COLUMNS = (
    *(tables.parties.c[name] for name in _PARTY),
    tables.parties.c.consent_sms,
    tables.parties.c.consent_email,
    tables.parties.c.role,
    tables.parties.c.told,
)
MESSAGE_COLUMNS = tuple(tables.messages.c[column] for _, column in _MESSAGE)


def case_of(row: sa.Row[Any]) -> Case:
    """The case in a row of CASE_COLUMNS."""
    values = dict(zip(_CASE, row, strict=True))
    return Case(**values | {name: bool(values[name]) for name in ("ended", "closed")})


def contact_of(row: sa.Row[Any]) -> ContactGiven:
    """The contact, as it was last given, in a row of CONTACT_COLUMNS."""
    *plain, sms, email = tuple(row)
    values = dict(zip(_CONTACT, plain, strict=True))
    return ContactGiven(**values, consent=Consent(sms=bool(sms), email=bool(email)))


def party_of(row: sa.Row[Any]) -> Party:
    """The second party in a row of PARTY_COLUMNS."""
    *plain, sms, email, role, told = tuple(row)
    values = dict(zip(_PARTY, plain, strict=True))
    consent = Consent(sms=bool(sms), email=bool(email))
    return Party(role, tuple(told), ContactGiven(**values, lookup_word="", consent=consent))


def message_of(row: sa.Row[Any]) -> Message:
    """The message in a row that begins with MESSAGE_COLUMNS."""
    values = {name: value for (name, _), value in zip(_MESSAGE, row, strict=False)}
    return Message(**{**values, "state": State(values["state"])})


def row_of_case(case: Case) -> dict[str, Any]:
    """A case as column values."""
    return {name: getattr(case, name) for name in _CASE}


def row_of_contact(contact: ContactGiven) -> dict[str, Any]:
    """A contact as column values."""
    consent = {"consent_sms": contact.consent.sms, "consent_email": contact.consent.email}
    marks = {"phone_mark": contact.phone, "email_mark": contact.email}
    return {name: getattr(contact, name) for name in _CONTACT} | consent | marks


def row_of_party(party: Party) -> dict[str, Any]:
    """A second party as column values."""
    row = row_of_contact(party.contact)
    plain = {name: value for name, value in row.items() if name in _PARTY or name not in _CONTACT}
    return plain | {"role": party.role, "told": list(party.told)}


def row_of_message(message: Message) -> dict[str, Any]:
    """A message as column values."""
    row: dict[str, Any] = {column: getattr(message, name) for name, column in _MESSAGE}
    row["state"] = message.state.value
    row["recipient_mark"] = message.to
    return row
