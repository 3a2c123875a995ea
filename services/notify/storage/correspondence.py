"""The repository of what notify knows of dossiers: read many at once, written in bulk at flush."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import sqlalchemy as sa

from services.notify.domain.cases import Case
from services.notify.domain.correspondence import Correspondence
from services.notify.domain.states import State
from services.notify.storage import tables
from services.notify.storage.messages import oldest_first, save
from services.notify.storage.rows import (
    CASE_COLUMNS,
    CONTACT_COLUMNS,
    PARTY_COLUMNS,
    case_of,
    contact_of,
    message_of,
    party_of,
    row_of_case,
    row_of_contact,
    row_of_party,
)
from shared.database import UnitOfWork, batch
from shared.database.batch import Query, among, keyed
from shared.events.intake import ContactGiven

T = TypeVar("T", Case, ContactGiven)


class Correspondences:
    """What is known of dossiers, by dossier code; one of a dossier never heard of is blank."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._stored: dict[str, Correspondence] = {}  # as it stands in the database
        self._known: dict[str, Correspondence] = {}
        self._changed: set[str] = set()

    def load(self, keys: Iterable[str]) -> None:
        """Read all that is not known yet in one query; where no contact is there, all again.

        Of the messages those that wait for something that a fact may bring: a contact, or a call.

        Facts and contacts come on different queues. Without the lock that is taken before the
        second look a fact could find no contact and wait for one, while the contact, committed
        meanwhile, finds nothing waiting, or something of a dossier of which it knows nothing.
        """
        missing = sorted(set(keys) - self._known.keys())
        if not missing:
            return
        connection, asked = self._uow.connection, {"keys": missing}
        found = batch.query(
            connection, (_CASES, asked), (_CONTACTS, asked), (_TO_CALL, asked), (_PARTIES, asked)
        )
        cases, contacts = _by_dossier(case_of, found[0]), _by_dossier(contact_of, found[1])
        parties = [party_of(row) for row in found[3]]
        messages = [message_of(row) for row in found[2]]
        if without := [dossier for dossier in missing if dossier not in contacts]:
            lock, asked = locking(connection, without), {"keys": without}
            again = (_CASES, asked), (_CONTACTS, asked), (_WAITING, asked), (_PARTIES, asked)
            *_, known, given, waiting, late = batch.query(connection, *lock, *again)
            parties += [party_of(row) for row in late]
            cases |= _by_dossier(case_of, known)
            contacts |= _by_dossier(contact_of, given)
            messages += [message_of(row) for row in waiting]
        for dossier in missing:
            self._stored[dossier] = self._known[dossier] = Correspondence(
                cases.get(dossier) or Case(dossier),
                contacts.get(dossier),
                {each.role: each for each in parties if each.contact.dossier == dossier},
                tuple(message for message in messages if message.dossier == dossier),
            )

    def get(self, key: str) -> Correspondence:
        """What is known of this dossier."""
        self.load((key,))
        return self._known[key]

    def put(self, state: Correspondence) -> None:
        """Keep it; written at flush, as far as it is new or different."""
        dossier = state.case.dossier
        self.load((dossier,))
        if not self._changed:
            self._uow.on_flush(self._write)
        self._known[dossier] = state
        self._changed.add(dossier)

    def _write(self) -> None:
        changed = [(self._stored[each], self._known[each]) for each in sorted(self._changed)]
        self._changed = set()
        connection = self._uow.connection
        cases = [row_of_case(now.case) for old, now in changed if now.case != old.case]
        batch.upsert(connection, tables.cases, cases)
        contacts = [
            row_of_contact(now.contact)
            for old, now in changed
            if now.contact is not None and now.contact != old.contact
        ]
        batch.upsert(connection, tables.contacts, contacts)
        parties = [
            row_of_party(party)
            for old, now in changed
            for role, party in now.parties.items()
            if party != old.parties.get(role)
        ]
        batch.upsert(connection, tables.parties, parties)
        stored = {message.id: message for old, _ in changed for message in old.messages}
        written = [message for _, now in changed for message in now.messages]
        save(
            self._uow,
            added=[message for message in written if message.id not in stored],
            changed=[m for m in written if m.id in stored and m is not stored[m.id]],
        )
        self._stored |= {now.case.dossier: now for _, now in changed}


def _by_dossier(read: Callable[[Any], T], rows: Iterable[Any]) -> dict[str, T]:
    return {each.dossier: each for each in map(read, rows)}


def lock_dossiers(connection: sa.Connection, dossiers: Iterable[str]) -> None:
    """Hold these dossiers until the unit ends, where the database has more than one writer.

    Taken in sorted order in one statement, so that two units cannot wait for each other.
    """
    batch.query(connection, *locking(connection, dossiers))


def locking(connection: sa.Connection, dossiers: Iterable[str]) -> list[Query]:
    """What holds these dossiers until the unit ends, to be asked in one trip with what needs it.

    None for no dossier, and where the database has one writer anyway.
    """
    names = sorted(set(dossiers))
    if not names or connection.dialect.name == "sqlite":
        return []
    return [(_LOCK, {"names": names})]


_CASES = keyed(sa.select(*CASE_COLUMNS), tables.cases.c.dossier)
_CONTACTS = keyed(sa.select(*CONTACT_COLUMNS), tables.contacts.c.dossier)
_PARTIES = keyed(sa.select(*PARTY_COLUMNS), tables.parties.c.dossier)
_TO_CALL = oldest_first(
    among(tables.messages.c.dossier), tables.in_states(State.TO_CALL)
).with_for_update()
_WAITING = oldest_first(
    among(tables.messages.c.dossier), tables.in_states(State.AWAITING_CONTACT)
).with_for_update()
_LOCK = sa.text(
    "SELECT count(pg_advisory_xact_lock(wanted.key)) FROM ("
    "SELECT DISTINCT hashtextextended('notify ' || name, 0) AS key "
    "FROM unnest(CAST(:names AS text[])) AS name ORDER BY 1) AS wanted"
)
