"""Who wants nothing sent: the numbers and mailboxes on the city's stop list, and their dossiers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from services.notify.domain.messages import APPLICANT, Message
from services.notify.storage.tables import cases, contacts, messages, sent_to, stops
from shared.database.batch import among


@dataclass(frozen=True, slots=True)
class Stop:
    """Since when (UTC), and by which way it was asked for: sms, email, operator.

    `address` is None once it was erased: the stop holds by its mark alone.
    """

    address: str | None = field(repr=False)
    channel: str
    at: datetime
    asked_by: str


_COLUMNS: Final = (stops.c.shown, stops.c.channel, stops.c.at, stops.c.asked_by)
_ADD: Final = sa.text(
    "INSERT INTO stops (address, channel, at, asked_by, shown)"
    " VALUES (:address, :channel, :at, :asked_by, :shown) ON CONFLICT (address) DO NOTHING"
).bindparams(*(sa.bindparam(name, type_=stops.c[name].type) for name in ("address", "at", "shown")))


def add(connection: sa.Connection, stop: Stop) -> bool:
    """Put it on the list; False where it stands there already, since then and by that way."""
    values = {name: getattr(stop, name) for name in Stop.__slots__} | {"shown": stop.address}
    return connection.execute(_ADD, values).rowcount == 1


def remove(connection: sa.Connection, address: str) -> bool:
    """Take it off; False where it was not on it."""
    gone = connection.execute(sa.delete(stops).where(stops.c.address == address))
    return gone.rowcount == 1


def is_stopped(connection: sa.Connection, address: str) -> bool:
    """Whether it stands on the list."""
    asked = sa.select(stops.c.address).where(stops.c.address == address)
    return connection.scalar(asked) is not None


def newest(connection: sa.Connection, limit: int) -> list[Stop]:
    """The list, the latest first."""
    asked = sa.select(*_COLUMNS).order_by(stops.c.at.desc(), stops.c.address.desc()).limit(limit)
    return [Stop(*row) for row in connection.execute(asked)]


def count(connection: sa.Connection) -> int:
    """How many stand on it."""
    return int(connection.scalar(sa.select(sa.func.count()).select_from(stops)) or 0)


def dossiers_of(
    connection: sa.Connection, channel: str, address: str, only: str | None = None
) -> Sequence[str]:
    """The dossiers that go on and whose citizen is reached there now, as far as they were written to.

    One that was never written to is told of when its first message would go. `only` this one of them.
    """
    reached = contacts.c.phone_mark if channel == "sms" else contacts.c.email_mark
    asked = (
        sa.select(messages.c.dossier)
        .distinct()
        .join(contacts, contacts.c.dossier == messages.c.dossier)
        .join(cases, cases.c.dossier == messages.c.dossier)
        .where(
            messages.c.channel == sa.literal_column(f"'{'sms' if channel == 'sms' else 'email'}'"),
            messages.c.person == APPLICANT,
            reached == address,
            cases.c.ended.is_(False),
        )
    )
    if only is not None:
        asked = asked.where(messages.c.dossier == only)
    return sorted(
        {each for way in sent_to(address) for each in connection.scalars(asked.where(way))}
    )


def untold(connection: sa.Connection, ended: Collection[Message]) -> list[Message]:
    """Of messages that a stop has ended, those whose dossier did not hear of it yet.

    An earlier one by the same way heard of it itself, or was there when the stop came.
    """
    dossiers = {"keys": sorted({message.dossier for message in ended})}
    first: dict[tuple[str, str], tuple[datetime, str]] = {}
    for dossier, channel, made_at, message_id in connection.execute(_WRITTEN, dossiers):
        place, at = (dossier, channel), (made_at, message_id)
        first[place] = min(first.get(place, at), at)
    return [m for m in ended if first.get((m.dossier, m.channel)) == (m.made_at, m.id)]


_WRITTEN: Final = sa.select(
    messages.c.dossier, messages.c.channel, messages.c.made_at, messages.c.id
).where(among(messages.c.dossier))
