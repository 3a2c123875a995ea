"""A new epoch: what a service's streams do after its database was restored from a backup.

The restored database has forgotten the numbers that it gave since the backup, while whoever read
them has not. So each stream goes on far above all of them: from the milliseconds since 2020, which
no stream can have reached, since that would take a thousand facts a second ever since. The first
fact made in the epoch says which number it follows (`Envelope.follows`); nobody waits for what
lies between, and nothing gets a number that was used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from shared.database import UnitOfWork
from shared.kernel.clock import format_instant
from shared.kernel.errors import NotAllowed
from shared.messaging.acts import Reason
from shared.messaging.tables import LEDGERS

_ORIGIN: Final = datetime(2020, 1, 1, tzinfo=UTC)
_PAGE: Final = 20_000  # streams of one statement: far within the time that one may take
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Begun:
    """What was begun: the number that so many streams count on from, and how new the backup is."""

    number: int
    streams: int
    newest: datetime | None


def begin(uow: UnitOfWork, reason: Reason) -> Begun:
    """Let every stream of this service begin anew; once more does no harm.

    NotAllowed where the machine's clock stands before what this database already knows: numbers
    drawn from it might have been used.
    """
    newest = _newest(uow.connection)
    if newest is not None and newest > uow.now:
        raise NotAllowed(
            f"the clock of this machine ({format_instant(uow.now)}) stands before the newest fact"
            f" of the database ({format_instant(newest)}); set it right first",
            vi="Đồng hồ của máy này chậm hơn bản tin mới nhất trong cơ sở dữ liệu; hãy chỉnh giờ"
            " trước.",
        )
    streams, epochs = LEDGERS.streams, LEDGERS.epochs
    highest = uow.connection.scalar(sa.select(sa.func.max(streams.c.last))) or 0
    number = max((uow.now - _ORIGIN) // _MILLISECOND, highest + 1)
    values = {"number": number, "begun_at": uow.now, "why": f"{reason.who}: {reason.why}"}
    uow.connection.execute(sa.insert(epochs).values(**values))
    return Begun(number, _raise_streams(uow.connection, number), newest)


def _raise_streams(connection: sa.Connection, number: int) -> int:
    """Page by page, each stream to the epoch's number; how many there are."""
    streams = LEDGERS.streams
    # Of a stream that said nothing since the last restore: what it followed then.
    follows = sa.case((streams.c.last == streams.c.epoch, streams.c.follows), else_=streams.c.last)
    raised = sa.update(streams).values(follows=follows, last=number, epoch=number)
    count, after = 0, ""
    while True:
        page = streams.c.stream > after
        asked = sa.select(streams.c.stream).where(page).order_by(streams.c.stream)
        end: str | None = connection.scalar(asked.offset(_PAGE - 1).limit(1))
        if end is not None:
            page = sa.and_(page, streams.c.stream <= end)
        count += connection.execute(raised.where(page)).rowcount
        if end is None:
            return count
        after = end


def _newest(connection: sa.Connection) -> datetime | None:
    """The newest instant that the ledgers tell of (UTC)."""
    outbox, inbox, epochs = LEDGERS.outbox.c, LEDGERS.inbox.c, LEDGERS.epochs.c
    made: sa.Select[Any] = sa.select(outbox.made_at).order_by(outbox.position.desc()).limit(1)
    asked = (
        made,
        sa.select(sa.func.max(inbox.handled_at)),
        sa.select(sa.func.max(epochs.begun_at)),
    )
    found = (connection.scalar(each) for each in asked)
    return max((at for at in found if at is not None), default=None)
