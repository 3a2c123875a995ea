"""Repositories of cases and contacts: read many at once, kept for the unit, written at flush."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from services.notify.domain.cases import Case
from services.notify.domain.contacts import Contact
from services.notify.storage import tables
from services.notify.storage.rows import (
    CASE_COLUMNS,
    CONTACT_COLUMNS,
    case_of,
    contact_of,
    row_of_case,
    row_of_contact,
)
from shared.database import UnitOfWork, batch
from shared.database.batch import Query, among


class Cases:
    """What is remembered of dossiers, by dossier code."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._known: dict[str, Case | None] = {}
        self._changed: dict[str, Case] = {}

    def warm(self, dossiers: Iterable[str]) -> None:
        """Read all that is not known yet in one query."""
        missing = sorted(set(dossiers) - self._known.keys())
        if not missing:
            return
        (rows,) = batch.query(self._uow.connection, (_CASES, {"keys": missing}))
        self.learn(missing, rows)

    def learn(self, asked: Iterable[str], rows: Iterable[Any]) -> None:
        """What was read of the asked ones, in the rows of CASE_COLUMNS."""
        self._known.update(dict.fromkeys(asked))
        for row in rows:
            case = case_of(row)
            self._known[case.dossier] = case

    def get(self, dossier: str) -> Case | None:
        """The case, None when nothing was heard of the dossier."""
        self.warm((dossier,))
        return self._known[dossier]

    def put(self, case: Case) -> None:
        """Remember the case; written at flush if it is new or different."""
        if self._known.get(case.dossier) == case:
            return
        if not self._changed:
            self._uow.on_flush(self._write)
        self._known[case.dossier] = self._changed[case.dossier] = case

    def _write(self) -> None:
        changed, self._changed = self._changed, {}
        rows = [row_of_case(changed[dossier]) for dossier in sorted(changed)]
        batch.upsert(self._uow.connection, tables.cases, rows)


class Contacts:
    """How citizens may be reached, by dossier code."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._known: dict[str, Contact | None] = {}
        self._changed: dict[str, Contact] = {}

    def warm(self, dossiers: Iterable[str]) -> None:
        """Read in one query; what is missing is read again under the lock that a giver takes.

        Facts and contacts come on different queues. Without the lock a fact could find no
        contact and wait for one, while the contact, committed meanwhile, finds nothing waiting.
        """
        missing = sorted(set(dossiers) - self._known.keys())
        if not missing:
            return
        (rows,) = batch.query(self._uow.connection, (_CONTACTS, {"keys": missing}))
        self.learn(missing, rows)

    def learn(self, asked: Sequence[str], rows: Iterable[Any]) -> None:
        """What was read of the asked ones, in the rows of CONTACT_COLUMNS."""
        self._known.update(dict.fromkeys(asked))
        self._keep(rows)
        unknown = sorted(dossier for dossier in asked if self._known[dossier] is None)
        lock = locking(self._uow.connection, unknown)
        if lock:
            contacts = (_CONTACTS, {"keys": unknown})
            self._keep(batch.query(self._uow.connection, *lock, contacts)[-1])

    def get(self, dossier: str) -> Contact | None:
        """The contact, None while none was given."""
        self.warm((dossier,))
        return self._known[dossier]

    def put(self, contact: Contact) -> None:
        """A new contact replaces the old one for later messages."""
        if not self._changed:
            self._uow.on_flush(self._write)
        self._known[contact.dossier] = self._changed[contact.dossier] = contact

    def _keep(self, rows: Iterable[Any]) -> None:
        for row in rows:
            contact = contact_of(row)
            self._known[contact.dossier] = contact

    def _write(self) -> None:
        changed, self._changed = self._changed, {}
        rows = [row_of_contact(changed[dossier]) for dossier in sorted(changed)]
        batch.upsert(self._uow.connection, tables.contacts, rows)


def lock_dossiers(connection: sa.Connection, dossiers: Iterable[str]) -> bool:
    """Hold these dossiers until the unit ends; False where the database has one writer anyway.

    Taken in sorted order in one statement, so that two units cannot wait for each other.
    """
    lock = locking(connection, dossiers)
    batch.query(connection, *lock)
    return bool(lock)


def warm(uow: UnitOfWork, dossiers: Iterable[str]) -> None:
    """Read cases and contacts of these dossiers in one trip."""
    asked = sorted(set(dossiers))
    keys = {"keys": asked}
    cases, contacts = batch.query(uow.connection, (_CASES, keys), (_CONTACTS, keys))
    uow.get(Cases).learn(asked, cases)
    uow.get(Contacts).learn(asked, contacts)


def locking(connection: sa.Connection, dossiers: Iterable[str]) -> list[Query]:
    """What holds these dossiers until the unit ends, to be asked in one trip with what needs it.

    None for no dossier, and where the database has one writer anyway.
    """
    names = sorted(set(dossiers))
    if not names or connection.dialect.name == "sqlite":
        return []
    return [(_LOCK, {"names": names})]


_CASES = sa.select(*CASE_COLUMNS).where(among(tables.cases.c.dossier))
_CONTACTS = sa.select(*CONTACT_COLUMNS).where(among(tables.contacts.c.dossier))
_LOCK = sa.text(
    "SELECT count(pg_advisory_xact_lock(wanted.key)) FROM ("
    "SELECT DISTINCT hashtextextended('notify ' || name, 0) AS key "
    "FROM unnest(CAST(:names AS text[])) AS name ORDER BY 1) AS wanted"
)
