"""Numbers and mailboxes at which something for a citizen did not arrive, by keyed digests alone.

Written with the dossier that has come to know it; so a desk is warned where one is typed again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from services.intake.domain.dossier import Contact, Dossier
from services.intake.storage.tables import unreached
from shared.database import batch
from shared.database.sealing import mark_of

#: A number may have another owner by then.
KEPT: Final = timedelta(days=180)
_C: Final = unreached.c


def lost_since(before: Dossier | None, after: Dossier) -> list[str]:
    """The number and mailbox of which a dossier has come to know that nothing arrives there."""
    ways = set(after.bounced) - set(before.bounced if before else ())
    told = after.contact.told
    return [to for way, to in (("sms", told.phone), ("email", told.email)) if way in ways and to]


def write(connection: sa.Connection, addresses: Iterable[str], now: datetime) -> None:
    """Nothing arrives there, as was told now (UTC)."""
    rows = [{"address": mark_of(connection, each), "since": now} for each in set(addresses)]
    batch.upsert(connection, unreached, sorted(rows, key=lambda row: str(row["address"])))


def since(connection: sa.Connection, addresses: Collection[str]) -> Mapping[str, datetime]:
    """Of those of these at which something did not arrive, since when (UTC)."""
    marks = {mark_of(connection, each): each for each in addresses}
    found = sa.select(_C.address, _C.since).where(_C.address.in_(sorted(marks)))
    return {marks[mark]: at for mark, at in connection.execute(found)} if marks else {}


def forget(connection: sa.Connection, contacts: Iterable[Contact]) -> None:
    """Nothing is known of these people's numbers any more."""
    marks = {
        mark_of(connection, each)
        for contact in contacts
        for each in (contact.phone, contact.email, contact.told.phone, contact.told.email)
        if each
    }
    if marks:
        connection.execute(sa.delete(unreached).where(_C.address.in_(sorted(marks))))


def forget_old(connection: sa.Connection, before: datetime) -> None:
    """Let go of what was told before then (UTC)."""
    connection.execute(sa.delete(unreached).where(_C.since < before))
