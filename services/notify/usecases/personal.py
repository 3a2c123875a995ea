"""What notify knows of one person: found, shown whole, and erased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from services.notify.domain.contacts import Party
from services.notify.storage import erasing, queries
from services.notify.storage.ended import is_open
from services.notify.storage.queries import Search
from services.notify.storage.rows import CONTACT_COLUMNS, PARTY_COLUMNS, contact_of, party_of
from services.notify.storage.stops import is_stopped
from services.notify.storage.tables import cases, contacts, erasures, parties
from shared.database import UnitOfWork
from shared.events.event import write
from shared.kernel.clock import format_instant
from shared.messaging.erasing import ASKED, proofs_of

_MOST = 1000  # messages of one dossier


def of_address(connection: sa.Connection, address: str) -> list[str]:
    """The dossiers of which somebody is told by this number (E.164) or mailbox.

    Not those in which it is a representative's: that person may not see another's data by it.
    """
    found = set[str]()
    for people in (contacts, parties):
        mine = sa.or_(people.c.phone_mark == address, people.c.email_mark == address)
        if people is contacts:
            mine = sa.and_(mine, contacts.c.representative.is_(None))
        found.update(connection.scalars(sa.select(people.c.dossier).where(mine)))
    return sorted(found)


def known(connection: sa.Connection, code: str) -> dict[str, Any] | None:
    """All that notify has of a dossier; None where it has nothing."""
    row = connection.execute(
        sa.select(*CONTACT_COLUMNS).where(contacts.c.dossier == code)
    ).one_or_none()
    contact = None if row is None else contact_of(row)
    others = connection.execute(sa.select(*PARTY_COLUMNS).where(parties.c.dossier == code))
    people = [party_of(each) for each in others]
    found = queries.find(connection, Search(dossier=code, limit=_MOST))
    proofs = proofs_of(connection, erasures, code)
    if contact is None and not found and not proofs:
        return None
    reached = [*([contact] if contact else []), *(each.contact for each in people)]
    addresses = [to for each in reached for to in (each.phone, each.email) if to]
    return {
        "dossier": code,
        "contact": None if contact is None else _plain(contact),
        "stopped": [to for to in addresses if is_stopped(connection, to)],
        "parties": {each.role: _of_party(each) for each in people},
        "messages": [_message(each) for each in reversed(found) if each.is_citizens],
        "erased": [{**each, "at": format_instant(each["at"])} for each in proofs],
    }


def _plain(contact: Any) -> Any:
    return msgspec.json.decode(write(contact))


def _of_party(party: Party) -> Any:
    told = msgspec.to_builtins(party.contact)
    del told["lookup_word"]  # they have none
    return told


def _message(message: Any) -> dict[str, Any]:
    return {
        "made_at": format_instant(message.made_at),
        "to_whom": message.role,
        "moment": message.moment,
        "channel": message.channel,
        "to": message.to,
        "subject": message.subject,
        "body": message.body,
        "state": message.state.value,
        "sent_at": format_instant(message.sent_at) if message.sent_at else None,
    }


def may_go(connection: sa.Connection, codes: Sequence[str]) -> set[str]:
    """Which of these have no message that may still be sent."""
    asked = sa.select(cases.c.dossier).where(cases.c.dossier.in_(codes), is_open(cases.c.dossier))
    return set(codes) - set(connection.scalars(asked))


def erase(uow: UnitOfWork, codes: Sequence[str], who: str) -> int:
    """Erase contacts and texts of dossiers that `may_go`; how many dossiers had any."""
    return erasing.erase(uow.connection, codes, uow.now, rule=ASKED, who=who)
