"""What notify knows of one person: found, shown whole, and erased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from services.notify.domain.messages import APPLICANT
from services.notify.storage import erasing, queries
from services.notify.storage.ended import is_open
from services.notify.storage.queries import Search
from services.notify.storage.rows import CONTACT_COLUMNS, contact_of
from services.notify.storage.stops import is_stopped
from services.notify.storage.tables import cases, contacts, erasures
from shared.database import UnitOfWork
from shared.events.event import write
from shared.kernel.clock import format_instant
from shared.messaging.erasing import ASKED, proofs_of

_MOST = 1000  # messages of one dossier


def of_address(connection: sa.Connection, address: str) -> list[str]:
    """The dossiers whose applicant is reached by this number (E.164) or mailbox.

    Not those in which it is a representative's: that person may not see another's data by it.
    """
    mine = sa.or_(contacts.c.phone_mark == address, contacts.c.email_mark == address)
    own = sa.and_(mine, contacts.c.representative.is_(None))
    return sorted(connection.scalars(sa.select(contacts.c.dossier).where(own)))


def known(connection: sa.Connection, code: str) -> dict[str, Any] | None:
    """All that notify has of a dossier; None where it has nothing."""
    row = connection.execute(
        sa.select(*CONTACT_COLUMNS).where(contacts.c.dossier == code)
    ).one_or_none()
    contact = None if row is None else contact_of(row)
    found = queries.find(connection, Search(dossier=code, limit=_MOST))
    proofs = proofs_of(connection, erasures, code)
    if contact is None and not found and not proofs:
        return None
    addresses = [to for to in (contact.phone, contact.email) if to] if contact else []
    return {
        "dossier": code,
        "contact": None if contact is None else _plain(contact),
        "stopped": [to for to in addresses if is_stopped(connection, to)],
        "messages": [_message(each) for each in reversed(found) if each.role == APPLICANT],
        "erased": [{**each, "at": format_instant(each["at"])} for each in proofs],
    }


def _plain(contact: Any) -> Any:
    return msgspec.json.decode(write(contact))


def _message(message: Any) -> dict[str, Any]:
    return {
        "made_at": format_instant(message.made_at),
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
