"""What messages were made of, as far as it is still known: to try other words on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from services.notify.domain.cases import Case
from services.notify.domain.messages import APPLICANT, Message
from services.notify.storage.rows import (
    CASE_COLUMNS,
    CONTACT_COLUMNS,
    MESSAGE_COLUMNS,
    case_of,
    contact_of,
    message_of,
)
from services.notify.storage.tables import cases, contacts, messages
from shared.database.batch import among
from shared.events.envelope import Envelope, decode
from shared.events.intake import ContactGiven
from shared.events.names import INTAKE, INTAKE_CONTACTS, ROUTING
from shared.messaging.tables import LEDGERS

_AT_ONCE: Final = 200
_INBOX: Final = LEDGERS.inbox.c
# By the ledger's key: reader, source, fact.
_FACTS: Final = sa.select(_INBOX.fact_id, _INBOX.body).where(
    _INBOX.consumer.in_(("notify.facts", "notify.contacts")),
    _INBOX.source.in_((INTAKE, ROUTING, INTAKE_CONTACTS)),
    among(_INBOX.fact_id),
)
_CASES: Final = sa.select(*CASE_COLUMNS).where(among(cases.c.dossier))
_CONTACTS: Final = sa.select(*CONTACT_COLUMNS).where(among(contacts.c.dossier))
Retold = tuple[Message, Case | None, ContactGiven | None, Envelope | None]


def of_dossier(connection: sa.Connection, dossier: str, moment: str) -> Retold | None:
    """What the latest message of this moment was made of; None where there was none."""
    asked = (
        sa.select(*MESSAGE_COLUMNS)
        .where(messages.c.dossier == dossier, *_told(moment))
        .order_by(messages.c.made_at.desc(), messages.c.id.desc())
        .limit(1)
    )
    found = [message_of(row) for row in connection.execute(asked)]
    return next(_retold(connection, found), None)


def of_month(
    connection: sa.Connection,
    moment: str,
    channel: str,
    since: datetime,
    until: datetime,
    most: int,
) -> Iterator[Retold]:
    """What the messages of this moment and channel were made of, the newest first."""
    asked = (
        sa.select(*MESSAGE_COLUMNS)
        .where(
            messages.c.made_at >= since,
            messages.c.made_at < until,
            messages.c.channel == channel,
            messages.c.template_version != "",
            *_told(moment),
        )
        .order_by(messages.c.made_at.desc(), messages.c.id.desc())
        .limit(most)
    )
    found = [message_of(row) for row in connection.execute(asked)]
    for start in range(0, len(found), _AT_ONCE):
        yield from _retold(connection, found[start : start + _AT_ONCE])


def _told(moment: str) -> tuple[sa.ColumnElement[bool], ...]:
    return messages.c.moment == moment, messages.c.person == APPLICANT


def _retold(connection: sa.Connection, found: Sequence[Message]) -> Iterator[Retold]:
    dossiers = {"keys": sorted({each.dossier for each in found})}
    facts = {"keys": sorted({each.fact_id for each in found})}
    bodies = {str(row[0]): decode(bytes(row[1])) for row in connection.execute(_FACTS, facts)}
    known = {one.dossier: one for one in map(case_of, connection.execute(_CASES, dossiers))}
    given = {one.dossier: one for one in map(contact_of, connection.execute(_CONTACTS, dossiers))}
    for each in found:
        yield each, known.get(each.dossier), given.get(each.dossier), bodies.get(each.fact_id)
