"""Who wants nothing sent: the numbers and mailboxes on the city's stop list, and their dossiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from services.notify.domain.messages import APPLICANT
from services.notify.storage.tables import cases, contacts, messages, stops


@dataclass(frozen=True, slots=True)
class Stop:
    """Since when (UTC), and by which way it was asked for: sms, email, operator."""

    address: str = field(repr=False)
    channel: str
    at: datetime
    asked_by: str


_COLUMNS: Final = (stops.c.address, stops.c.channel, stops.c.at, stops.c.asked_by)
_ADD: Final = sa.text(
    "INSERT INTO stops (address, channel, at, asked_by) VALUES (:address, :channel, :at, :asked_by)"
    " ON CONFLICT (address) DO NOTHING"
).bindparams(sa.bindparam("at", type_=stops.c.at.type))


def add(connection: sa.Connection, stop: Stop) -> bool:
    """Put it on the list; False where it stands there already, since then and by that way."""
    values = {name: getattr(stop, name) for name in Stop.__slots__}
    return connection.execute(_ADD, values).rowcount == 1


def remove(connection: sa.Connection, address: str) -> bool:
    """Take it off; False where it was not on it."""
    gone = connection.execute(sa.delete(stops).where(stops.c.address == address))
    return gone.rowcount == 1


def is_stopped(connection: sa.Connection, address: str) -> bool:
    """Whether it stands on the list."""
    asked = sa.select(stops.c.address).where(stops.c.address == address)
    return connection.scalar(asked) is not None


def newest(
    connection: sa.Connection, limit: int, before: tuple[datetime, str] | None = None
) -> list[Stop]:
    """The list, the latest first; `before` is (at, address) of the last one seen."""
    asked = sa.select(*_COLUMNS).order_by(stops.c.at.desc(), stops.c.address.desc()).limit(limit)
    if before is not None:
        at, address = before
        same = sa.and_(stops.c.at == at, stops.c.address < address)
        asked = asked.where(sa.or_(stops.c.at < at, same))
    return [Stop(*row) for row in connection.execute(asked)]


def count(connection: sa.Connection) -> int:
    """How many stand on it."""
    return int(connection.scalar(sa.select(sa.func.count()).select_from(stops)) or 0)


def dossiers_of(connection: sa.Connection, channel: str, address: str) -> Sequence[str]:
    """The dossiers that go on and whose citizen is reached there now, as far as they were written to.

    One that was never written to is told of when its first message would go.
    """
    reached = contacts.c.phone if channel == "sms" else contacts.c.email
    asked = (
        sa.select(messages.c.dossier)
        .distinct()
        .join(contacts, contacts.c.dossier == messages.c.dossier)
        .join(cases, cases.c.dossier == messages.c.dossier)
        .where(
            messages.c.channel == sa.literal_column(f"'{'sms' if channel == 'sms' else 'email'}'"),
            messages.c.recipient == address,
            messages.c.person == APPLICANT,
            reached == address,
            cases.c.ended.is_(False),
        )
        .order_by(messages.c.dossier)
    )
    return list(connection.scalars(asked))
