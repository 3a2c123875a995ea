"""Numbers of a stream that never came, or were given up: counted as done, so that the rest goes on.

Each gets an inbox row of its own, discarded, with who decided so and why. Should the fact come after
all, its number is used by then, and it is parked for a person to see.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from shared.database import UnitOfWork
from shared.events.envelope import decode, parse_after
from shared.events.names import READINGS
from shared.events.registry import KINDS
from shared.kernel.errors import NotAllowed
from shared.messaging.acts import Reason
from shared.messaging.salvage import Place
from shared.messaging.sql import sql_of
from shared.messaging.tables import DISCARDED, LEDGERS, PARKED, RETRY, WAITING

_HELD: Final = (WAITING, RETRY, PARKED)
# A gap may be longer: it reaches to an epoch's first number, or to one that somebody made up.
_MOST_ROWS: Final = 1000


def fill(
    uow: UnitOfWork, consumer: str, stream: str, subject: str, upto: int, reason: Reason
) -> range:
    """Count the numbers of a stream as done up to `upto`; those that were not yet.

    What is held of them is discarded, what never came gets a discarded row each; of very many only
    the two at the ends. The caller has locked the subject.
    """
    sql = sql_of(uow.connection)
    own, _ = sql.cursors(uow.connection, consumer, [stream])
    gap = range(own.get(stream, 0) + 1, upto + 1)
    if not gap:
        return gap
    inbox = LEDGERS.inbox
    of_gap = (
        inbox.c.consumer == consumer,
        inbox.c.subject == subject,
        inbox.c.stream == stream,
        inbox.c.sequence.between(gap.start, upto),
    )
    given_up = {"state": DISCARDED, "owner": reason.who, "note": reason.why, "handled_at": uow.now}
    uow.connection.execute(
        sa.update(inbox).where(*of_gap, inbox.c.state.in_(_HELD)).values(**given_up, next_at=None)
    )
    there = set(uow.connection.scalars(sa.select(inbox.c.sequence).where(*of_gap)))
    source = stream.removesuffix(f" {subject}")
    missing = {
        "consumer": consumer, "source": source, "stream": stream, "type": "", "subject": subject,
        "body": b"", "attempts": 0, "next_at": None, "reason": "never came", "received_at": uow.now,
    }  # fmt: skip
    numbers = [gap.start, upto] if len(gap) > _MOST_ROWS else gap
    rows = [
        missing | given_up | {"fact_id": f"{subject}#{number}", "sequence": number}
        for number in numbers
        if number not in there
    ]
    sql.add_inbox(uow.connection, rows)
    sql.move_cursors(uow.connection, consumer, {stream: upto})
    return gap


def fill_next(uow: UnitOfWork, consumer: str, place: Place, reason: Reason) -> None:
    """Count this number as done; NotAllowed where it is not the next of its stream."""
    own, _ = sql_of(uow.connection).cursors(uow.connection, consumer, [place.stream])
    if place.sequence != own.get(place.stream, 0) + 1:
        raise NotAllowed(
            f"{place} is not the next of its stream",
            vi=f"{place} không phải là số kế tiếp của luồng này.",
        )
    fill(uow, consumer, place.stream, place.subject, place.sequence, reason)


def release(uow: UnitOfWork, consumer: str, subject: str) -> None:
    """Let what waits of this subject be looked at again; what has still to wait goes back."""
    inbox = LEDGERS.inbox
    of_subject = (inbox.c.consumer == consumer, inbox.c.subject == subject)
    uow.connection.execute(
        sa.update(inbox)
        .where(*of_subject, inbox.c.state == WAITING)
        .values(state=RETRY, attempts=0, next_at=uow.now)
    )
    uow.released = True


def pass_over(uow: UnitOfWork, consumer: str, body: bytes, reason: Reason) -> dict[str, range]:
    """Give up what a waiting fact waits for, so that it goes on without it; stream -> its numbers.

    NotAllowed where that is here and held: it is to be settled itself. Only the nearest gap is
    passed over; a fact that waits for more says so afterwards.
    """
    envelope = decode(body)
    subject = envelope.subject
    sql_of(uow.connection).lock(uow.connection, consumer, [subject])
    wanted = {envelope.stream: envelope.previous}
    for source, number in parse_after(envelope.after):
        if source in sources_of(consumer):
            wanted[f"{source} {subject}"] = number
    passed: dict[str, range] = {}
    for stream, upto in wanted.items():
        first = _first_held(uow, consumer, stream, subject)
        if first is not None:
            upto = min(upto, first - 1)  # noqa: PLW2901 - the nearest gap alone
        if gap := fill(uow, consumer, stream, subject, upto, reason):
            passed[stream] = gap
    if not passed:
        raise NotAllowed(
            "what it waits for is held here itself: replay or discard that one",
            vi="Bản tin mà nó chờ đang được giữ ở đây: hãy xử lý lại hoặc bỏ chính bản tin đó.",
            allowed=(PARKED,),
        )
    release(uow, consumer, subject)
    return passed


def sources_of(consumer: str) -> frozenset[str]:
    """The sources that come whole on this consumer's queue."""
    words = {
        (reading.exchange, pattern.partition(".")[0])
        for reading in READINGS
        if reading.queue == consumer
        for pattern in reading.patterns
    }
    addresses = (address for kind in KINDS.values() for address in kind.addresses)
    return frozenset(
        each.source
        for each in addresses
        if (each.exchange, each.routing_key.partition(".")[0]) in words
    )


def _first_held(uow: UnitOfWork, consumer: str, stream: str, subject: str) -> int | None:
    """The smallest number of this stream that is held beyond what was applied."""
    own, _ = sql_of(uow.connection).cursors(uow.connection, consumer, [stream])
    inbox = LEDGERS.inbox.c
    asked = sa.select(sa.func.min(inbox.sequence)).where(
        inbox.consumer == consumer,
        inbox.subject == subject,
        inbox.stream == stream,
        inbox.sequence > own.get(stream, 0),
        inbox.state.in_(_HELD),
    )
    found: int | None = uow.connection.scalar(asked)
    return found
