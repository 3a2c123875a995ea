"""What else is said to the same people: other messages of their dossiers, and how many a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from services.notify.domain.courtesy import Beside
from services.notify.domain.messages import Message
from services.notify.storage.rows import CONTACT_COLUMNS, contact_of
from services.notify.storage.tables import contacts, messages, stops, told_days
from shared.database import batch
from shared.database.batch import among
from shared.database.sealing import mark_of
from shared.events.intake import ContactGiven

_BESIDE = sa.select(
    messages.c.dossier,
    messages.c.id,
    messages.c.fact_id,
    messages.c.moment,
    messages.c.matter,
    messages.c.made_at,
    messages.c.sent_at,
    messages.c.channel,
    messages.c.parts,
    messages.c.person,
).where(among(messages.c.dossier))
_CONTACTS = sa.select(*CONTACT_COLUMNS).where(among(contacts.c.dossier))
_TODAY = sa.select(told_days.c.address, told_days.c.count).where(
    told_days.c.day == sa.bindparam("day"), among(told_days.c.address)
)
_BY_PHONE = stops.c.address == contacts.c.phone_mark
_STOPPED = (
    sa.select(contacts.c.dossier, sa.case((_BY_PHONE, contacts.c.phone), else_=contacts.c.email))
    .join(stops, stops.c.address.in_([contacts.c.phone_mark, contacts.c.email_mark]))
    .where(among(contacts.c.dossier))
)
_PAST = sa.delete(told_days).where(told_days.c.day < sa.bindparam("day"))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was found about the dossiers and addresses of some messages."""

    beside: Mapping[str, list[Beside]]
    contacts: Mapping[str, ContactGiven]
    today: dict[str, int]
    stopped: Mapping[str, set[str]]


def around(connection: sa.Connection, found: Iterable[Message], day: date) -> Surroundings:
    """What is known beside these messages; `day` is Viet Nam's."""
    claimed = list(found)
    dossiers = {"keys": sorted({message.dossier for message in claimed})}
    addresses = sorted({digest(connection, message.to) for message in claimed})
    asked = {"day": day.isoformat(), "keys": addresses}
    rows, given, counts, ended = batch.query(
        connection,
        (_BESIDE, dossiers),
        (_CONTACTS, dossiers),
        (_TODAY, asked),
        (_STOPPED, dossiers),
    )
    beside: dict[str, list[Beside]] = {}
    for dossier, *values in rows:
        beside.setdefault(dossier, []).append(Beside(*values))
    known = {each.dossier: each for each in map(contact_of, given)}
    stopped: dict[str, set[str]] = {}
    for dossier, address in ended:
        stopped.setdefault(dossier, set()).add(address)
    return Surroundings(beside, known, dict(counts), stopped)


def theirs(connection: sa.Connection, dossiers: Iterable[str]) -> set[tuple[str, str]]:
    """By which numbers and mailboxes the citizens of these dossiers are reached now."""
    given = connection.execute(_CONTACTS, {"keys": sorted(set(dossiers))})
    known = [contact_of(row) for row in given]
    return {(each.dossier, to) for each in known for to in (each.phone, each.email) if to}


def count_up(connection: sa.Connection, counts: Mapping[str, int], day: date) -> None:
    """So many messages the addresses of these digests were given on this day until now."""
    rows = [
        {"day": day.isoformat(), "address": address, "count": count}
        for address, count in sorted(counts.items())
    ]
    batch.upsert(connection, told_days, rows)


def forget_days(connection: sa.Connection, before: date) -> int:
    """Let go of the counts of days before this one; how many they were."""
    return connection.execute(_PAST, {"day": before.isoformat()}).rowcount


def digest(connection: sa.Connection, address: str) -> str:
    """An address among the counts of a day."""
    return mark_of(connection, address)


def redirect(connection: sa.Connection, moved: Iterable[Message]) -> None:
    """These, in a sender's hands, go to another address than the one they were written for."""
    rows = [
        {"id": message.id, "recipient": message.to, "recipient_mark": message.to}
        for message in moved
    ]
    batch.update(connection, messages, sorted(rows, key=lambda row: row["id"]))
