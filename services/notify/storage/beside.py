"""What else is said to the same people: other messages of their dossiers, and how many a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from services.notify.domain.courtesy import Beside
from services.notify.domain.messages import APPLICANT, Message
from services.notify.storage.rows import CONTACT_COLUMNS, PARTY_COLUMNS, contact_of, party_of
from services.notify.storage.tables import contacts, messages, parties, stops, told_days
from shared.database import batch
from shared.database.batch import Keyed, among, keyed
from shared.database.sealing import mark_of
from shared.events.intake import ContactGiven

Person = tuple[str, str]  # a dossier, and a role in it
_BESIDE = keyed(
    sa.select(
        messages.c.dossier,
        messages.c.person,
        messages.c.id,
        messages.c.fact_id,
        messages.c.moment,
        messages.c.matter,
        messages.c.made_at,
        messages.c.sent_at,
        messages.c.channel,
        messages.c.parts,
    ),
    messages.c.dossier,
)
_CONTACTS = keyed(sa.select(*CONTACT_COLUMNS), contacts.c.dossier)
_PARTIES = keyed(sa.select(*PARTY_COLUMNS), parties.c.dossier)
_TODAY = sa.select(told_days.c.address, told_days.c.count).where(
    told_days.c.day == sa.bindparam("day"), among(told_days.c.address)
)


def _stopped(people: sa.Table, role: sa.ColumnElement[str]) -> Keyed:
    by_phone = stops.c.address == people.c.phone_mark
    shown = sa.case((by_phone, people.c.phone), else_=people.c.email)
    by_either = stops.c.address.in_([people.c.phone_mark, people.c.email_mark])
    asked = sa.select(people.c.dossier, role.label("role"), shown.label("address"))
    return keyed(asked.join(stops, by_either), people.c.dossier)


_STOPPED = _stopped(contacts, sa.literal_column(f"'{APPLICANT}'"))
_PARTIES_STOPPED = _stopped(parties, parties.c.role)
_PAST = sa.delete(told_days).where(told_days.c.day < sa.bindparam("day"))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was found about the dossiers and addresses of some messages."""

    beside: Mapping[Person, list[Beside]]
    contacts: Mapping[Person, ContactGiven]
    today: dict[str, int]
    stopped: Mapping[Person, set[str]]


def around(connection: sa.Connection, found: Iterable[Message], day: date) -> Surroundings:
    """What is known beside these messages; `day` is Viet Nam's."""
    claimed = list(found)
    dossiers = {"keys": sorted({message.dossier for message in claimed})}
    addresses = sorted({digest(connection, message.to) for message in claimed})
    asked = {"day": day.isoformat(), "keys": addresses}
    rows, given, others, counts, ended, others_ended = batch.query(
        connection,
        (_BESIDE, dossiers),
        (_CONTACTS, dossiers),
        (_PARTIES, dossiers),
        (_TODAY, asked),
        (_STOPPED, dossiers),
        (_PARTIES_STOPPED, dossiers),
    )
    beside: dict[Person, list[Beside]] = {}
    for dossier, role, *values in rows:
        beside.setdefault((dossier, role), []).append(Beside(*values))
    known = {(each.dossier, APPLICANT): each for each in map(contact_of, given)}
    known |= {(each.contact.dossier, each.role): each.contact for each in map(party_of, others)}
    stopped: dict[Person, set[str]] = {}
    for dossier, role, address in (*ended, *others_ended):
        stopped.setdefault((dossier, role), set()).add(address)
    return Surroundings(beside, known, dict(counts), stopped)


def theirs(connection: sa.Connection, dossiers: Iterable[str]) -> set[tuple[str, str]]:
    """By which numbers and mailboxes the citizens of these dossiers are reached now."""
    (given,) = batch.query(connection, (_CONTACTS, {"keys": sorted(set(dossiers))}))
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
