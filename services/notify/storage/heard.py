"""What citizens have written: each text once, emptied when it was acted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from services.notify.domain.contacts import SMS
from services.notify.domain.incoming import Incoming, Kind
from services.notify.domain.messages import NO_CITIZENS, Message
from services.notify.domain.states import State
from services.notify.storage import tables
from services.notify.storage.rows import MESSAGE_COLUMNS, message_of
from services.notify.storage.tables import heard, messages

_NEW: Final = sa.text(
    "INSERT INTO heard (id, provider, sender, text, reference, parts, part, heard_at, kind, tries,"
    " next_at, answer, sender_mark) VALUES (:id, :provider, :sender, :text, :reference, :parts,"
    " :part, :heard_at, '', 0, :next_at, '', :sender_mark) ON CONFLICT (id) DO NOTHING"
).bindparams(
    *(
        sa.bindparam(name, type_=heard.c[name].type)
        for name in ("sender", "text", "heard_at", "next_at", "sender_mark")
    )
)
#: Of so many of a number's latest messages it can be asked whether they were ours.
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Heard:
    """A text that was written to us; instants UTC."""

    id: str
    provider: str
    sender: str = field(repr=False)
    text: str = field(repr=False)
    reference: str
    parts: int
    part: int
    heard_at: datetime
    tries: int
    next_at: datetime | None


_COLUMNS: Final = tuple(heard.c[name] for name in Heard.__slots__)


def known(connection: sa.Connection, ids: Sequence[str]) -> bool:
    """Whether one of these was heard before."""
    return connection.scalar(sa.select(heard.c.id).where(heard.c.id.in_(ids))) is not None


def add(
    connection: sa.Connection, heard_id: str, text: Incoming, now: datetime, next_at: datetime
) -> bool:
    """Keep a text; False where it is there already."""
    values = {
        "id": heard_id,
        "provider": text.provider,
        "sender": text.sender,
        "text": text.text,
        "reference": text.reference,
        "parts": text.parts,
        "part": text.part,
        "heard_at": now,
        "next_at": next_at,
        "sender_mark": text.sender,
    }
    return connection.execute(_NEW, values).rowcount == 1


def parts_of(connection: sa.Connection, text: Incoming, since: datetime) -> list[Heard]:
    """The parts that are there of this one's text, in their order."""
    asked = (
        sa.select(*_COLUMNS)
        .where(
            heard.c.sender_mark == text.sender,
            heard.c.heard_at >= since,
            heard.c.provider == text.provider,
            heard.c.reference == text.reference,
            heard.c.parts == text.parts,
            heard.c.next_at.is_not(None),
        )
        .order_by(heard.c.part, heard.c.heard_at)
    )
    return [Heard(*row) for row in connection.execute(asked)]


def join(connection: sa.Connection, found: Sequence[Heard], now: datetime) -> None:
    """Make one text of all its parts, to be acted on now: the first holds it, the others are done."""
    first, *others = found
    text = "".join(each.text for each in found)
    values = {"text": text, "parts": 1, "next_at": now}
    connection.execute(heard.update().where(heard.c.id == first.id).values(values))
    for each in others:
        done(connection, each.id, Kind.PART, "")


def due(connection: sa.Connection, now: datetime, most: int) -> list[Heard]:
    """Those whose time has come, the longest waiting first."""
    asked = (
        sa.select(*_COLUMNS)
        .where(heard.c.next_at.is_not(None), heard.c.next_at <= now)
        .order_by(heard.c.next_at, heard.c.id)
        .limit(most)
    )
    return [Heard(*row) for row in connection.execute(asked)]


def next_due(connection: sa.Connection) -> datetime | None:
    """When one is looked at next (UTC)."""
    asked = sa.select(sa.func.min(heard.c.next_at)).where(heard.c.next_at.is_not(None))
    found: datetime | None = connection.scalar(asked)
    return found


def claim(connection: sa.Connection, one: Heard, until: datetime) -> bool:
    """Take it up, if nobody else has meanwhile; whoever dies over it leaves it until then."""
    mine = heard.update().where(heard.c.id == one.id, heard.c.next_at == one.next_at)
    return connection.execute(mine.values(next_at=until, tries=one.tries + 1)).rowcount == 1


def is_claimed(connection: sa.Connection, one: Heard, until: datetime) -> bool:
    """Whether it is still this one's; held until the unit ends."""
    asked = sa.select(heard.c.id).where(heard.c.id == one.id, heard.c.next_at == until)
    return connection.scalar(asked.with_for_update()) is not None


def put_off(connection: sa.Connection, heard_id: str, until: datetime) -> None:
    """Look at it again then."""
    connection.execute(heard.update().where(heard.c.id == heard_id).values(next_at=until))


def done(connection: sa.Connection, heard_id: str, kind: Kind, answer: str) -> None:
    """It was acted on: what it was and what was answered is kept, its words are not."""
    values = {"kind": kind.value, "answer": answer, "text": "", "next_at": None}
    connection.execute(heard.update().where(heard.c.id == heard_id).values(values))


def answers_since(connection: sa.Connection, sender: str, since: datetime) -> list[str]:
    """What this number was answered since then (UTC)."""
    asked = sa.select(heard.c.answer).where(
        heard.c.sender_mark == sender, heard.c.heard_at >= since, heard.c.answer != ""
    )
    return list(connection.scalars(asked))


def forget(connection: sa.Connection, before: datetime) -> int:
    """Let go of what was acted on and came before then (UTC); how many they were."""
    old = sa.delete(heard).where(heard.c.heard_at < before, heard.c.next_at.is_(None))
    return connection.execute(old).rowcount


def sent_to(connection: sa.Connection, phone: str) -> list[Message]:
    """The latest messages about dossiers that went, or may have gone, to this number."""
    asked = (
        sa.select(*MESSAGE_COLUMNS)
        .where(
            messages.c.channel == sa.literal_column(f"'{SMS}'"),
            messages.c.person.not_in(NO_CITIZENS),
            sa.or_(
                messages.c.sent_at.is_not(None),
                messages.c.state.in_([State.SENDING.value, State.UNCERTAIN.value]),
            ),
        )
        .order_by(messages.c.made_at.desc())
        .limit(_MOST)
    )
    rows = [row for way in tables.sent_to(phone) for row in connection.execute(asked.where(way))]
    found = sorted(map(message_of, rows), key=lambda message: message.made_at, reverse=True)
    return found[:_MOST]
