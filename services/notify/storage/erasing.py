"""Letting go of how a citizen was reached and of what was written; that it was written stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from services.notify.domain.incoming import NO_DOSSIER
from services.notify.domain.messages import NO_CITIZENS
from services.notify.storage.ended import is_open
from services.notify.storage.tables import (
    cases,
    contacts,
    erasures,
    heard,
    messages,
    parties,
    stops,
)
from shared.events.forms import without_contact
from shared.messaging.erasing import change_bodies, prove
from shared.messaging.tables import LEDGERS

_PEOPLE = (contacts, parties)
_EMPTY = {"recipient": "", "recipient_mark": "", "subject": "", "body": "", "about": None}

_HAS_WORDS = sa.or_(
    *(sa.type_coerce(each, sa.Text) != "" for each in (messages.c.recipient, messages.c.body))
)


def due(connection: sa.Connection, before: datetime, limit: int | None) -> Sequence[str]:
    """Dossiers that are closed and of which nothing was said since then (UTC)."""
    later = sa.exists().where(
        messages.c.dossier == contacts.c.dossier, messages.c.changed_at >= before
    )
    asked = (
        sa.select(contacts.c.dossier)
        .join(cases, cases.c.dossier == contacts.c.dossier)
        .where(contacts.c.given_at < before, cases.c.closed, ~later, ~is_open(contacts.c.dossier))
        .limit(limit)
    )
    return connection.scalars(asked).all()


def erase(
    connection: sa.Connection, dossiers: Sequence[str], now: datetime, *, rule: str, who: str
) -> int:
    """Erase addresses and words of these dossiers and write the proof; how many dossiers had any."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    found = []
    for people in _PEOPLE:
        mine = people.c.dossier.in_(dossiers)
        asked = sa.select(people.c.dossier, people.c.phone, people.c.email).where(mine)
        for row in connection.execute(asked).all():
            found.append(row)
            counts[row.dossier][people.name] = 1 + counts[row.dossier].get(people.name, 0)
    written = _written(dossiers)
    told = sa.select(messages.c.dossier, sa.func.count()).where(written)
    for dossier, count in connection.execute(told.group_by(messages.c.dossier)):
        counts[dossier]["messages"] = count
    connection.execute(sa.update(messages).where(written).values(_EMPTY))
    for people in _PEOPLE:
        connection.execute(sa.delete(people).where(people.c.dossier.in_(dossiers)))
    for table in (LEDGERS.inbox, LEDGERS.outbox):
        change_bodies(connection, table, dossiers, without_contact)
    _forget({to for row in found for to in (row.phone, row.email) if to}, connection)
    prove(connection, erasures, counts, now, rule=rule, who=who)
    return len(counts)


def _written(dossiers: Sequence[str]) -> sa.ColumnElement[bool]:
    mine = sa.and_(messages.c.dossier.in_(dossiers), messages.c.person.not_in(NO_CITIZENS))
    return sa.and_(mine, _HAS_WORDS)


def _forget(addresses: set[str], connection: sa.Connection) -> None:
    """Of numbers and mailboxes that no dossier knows any more: what they wrote, and whose a stop is."""
    known = [
        sa.exists().where(mark == stops.c.address)
        for people in _PEOPLE
        for mark in (people.c.phone_mark, people.c.email_mark)
    ]
    nobody = sa.and_(*(~each for each in known))
    mine = sa.and_(stops.c.address.in_(sorted(addresses)), nobody)
    connection.execute(sa.update(stops).where(mine).values(shown=None))
    connection.execute(
        sa.delete(heard).where(
            heard.c.sender_mark.in_(sorted(addresses)), heard.c.next_at.is_(None)
        )
    )


def old_answers(connection: sa.Connection, before: datetime, limit: int | None) -> Sequence[str]:
    """Answers about no dossier, to whoever wrote, that are over since then (UTC)."""
    asked = sa.select(messages.c.id).where(
        messages.c.dossier == NO_DOSSIER,
        messages.c.changed_at < before,
        _HAS_WORDS,
    )
    return connection.scalars(asked.limit(limit)).all()


def empty_answers(connection: sa.Connection, ids: Sequence[str]) -> int:
    """Let their words and numbers go; how many."""
    mine = sa.update(messages).where(messages.c.id.in_(ids))
    return connection.execute(mine.values(_EMPTY)).rowcount
