"""Parked facts: listed, shown, tried again, or given up by a person who says why.

Nothing is deleted here: a discarded fact stays in the inbox with who and why. Bodies may hold
personal data; whoever shows one masks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from shared.database.unit_of_work import UnitOfWork
from shared.events.names import of_dead_letters
from shared.kernel.errors import Conflict, NotAllowed, NotFound
from shared.messaging import gaps, refusals
from shared.messaging.acts import Reason
from shared.messaging.salvage import Place, place_in
from shared.messaging.sql import sql_of
from shared.messaging.tables import DISCARDED, DONE, LEDGERS, PARKED, RETRY, WAITING

HELD: Final = (PARKED, RETRY, WAITING, DISCARDED)
_OPEN: Final = (PARKED, RETRY, WAITING)
_GONE: Final = (DISCARDED,)
_SHORTEST_PREFIX: Final = 6


@dataclass(frozen=True, slots=True)
class Held:
    """An inbox row that is not done, with all that a person needs to judge it."""

    consumer: str
    source: str
    fact_id: str
    type: str
    subject: str
    stream: str
    sequence: int | None
    state: str
    attempts: int
    next_at: datetime | None
    reason: str | None
    owner: str | None
    note: str | None
    received_at: datetime
    routing_key: str | None
    user_id: str | None
    body: bytes = field(repr=False)

    @property
    def place(self) -> Place | None:
        """Its place in a stream; of what cannot be read the one that its bytes claim."""
        if self.sequence is None:
            return place_in(self.body)
        return Place(self.stream.removesuffix(f" {self.subject}"), self.subject, self.sequence)


def list_held(
    connection: sa.Connection,
    *,
    states: Sequence[str] = (PARKED,),
    consumer: str | None = None,
    limit: int = 200,
) -> list[Held]:
    """Rows in these states (parked, retry, waiting, discarded), the oldest first."""
    wanted = [in_states(states)]
    if consumer is not None:
        wanted.append(LEDGERS.inbox.c.consumer == consumer)
    return held(connection, wanted, limit)


def held(
    connection: sa.Connection, wanted: Sequence[sa.ColumnElement[bool]], limit: int
) -> list[Held]:
    """Inbox rows that fit all these conditions, the oldest first."""
    inbox = LEDGERS.inbox.c
    ordered = (
        _select()
        .where(*wanted)
        .order_by(inbox.received_at, inbox.source, inbox.sequence, inbox.fact_id)
    )
    return [Held(*row) for row in connection.execute(ordered.limit(limit))]


def show(
    connection: sa.Connection,
    fact_id: str,
    *,
    consumer: str | None = None,
    source: str | None = None,
) -> Held:
    """One row that is not done, by its fact's id or the beginning of it (6 letters or more).

    NotFound where there is none, Conflict where several fit.
    """
    # What is discarded has no index of its own: looked for only where nothing else fits.
    inbox = LEDGERS.inbox.c
    whole, beginning = inbox.fact_id == fact_id, inbox.fact_id.startswith(fact_id, autoescape=True)
    ways = [(whole, _OPEN), (beginning, _OPEN), (whole, _GONE), (beginning, _GONE)]
    if len(fact_id) < _SHORTEST_PREFIX:  # a short id is found whole; as a beginning it is a guess
        ways = [(whole, _OPEN), (whole, _GONE)]
    for fits, states in ways:
        asked = _select().where(in_states(states), fits)
        if consumer is not None:
            asked = asked.where(inbox.consumer == consumer)
        if source is not None:
            asked = asked.where(inbox.source == source)
        found = [Held(*row) for row in connection.execute(asked.limit(2))]
        if len(found) > 1:
            raise Conflict(
                "several held facts fit; give the whole id, the consumer and the source",
                vi="Có nhiều bản tin trùng mã; hãy nêu đủ mã, nơi nhận và nguồn.",
            )
        if found:
            return found[0]
    raise NotFound("no held fact has this id", vi="Không có bản tin nào đang giữ với mã này.")


def replay(
    uow: UnitOfWork,
    fact_id: str,
    *,
    consumer: str | None = None,
    source: str | None = None,
    reason: Reason | None = None,
) -> Held:
    """Let a parked fact be tried again now, with a new budget; who decided so is kept meanwhile.

    One of our own that the broker refused, or that came back from somebody else's queue, is sent
    again instead. NotAllowed for one that waits, is being tried, or was discarded (its turn has passed).
    """
    row = show(uow.connection, fact_id, consumer=consumer, source=source)
    row = _locked(uow, row)
    if row.state != PARKED:
        raise NotAllowed(
            f"a fact that is {row.state} cannot be replayed",
            vi="Chỉ xử lý lại được bản tin đã đỗ.",
            allowed=(PARKED,),
        )
    if of_dead_letters(row.consumer):
        _send_again(uow, row, state=DONE, note="sent again")
        return row
    if refusals.by_relay(row.consumer):
        _send_again(uow, row, state=DISCARDED, owner="system", note="sent once more")
        return row
    who, why = (reason.who, reason.why) if reason else (None, None)
    _change(uow, row, state=RETRY, attempts=0, next_at=uow.now, owner=who, note=why)
    uow.released = True
    return row


def discard(
    uow: UnitOfWork,
    fact_id: str,
    *,
    who: str,
    why: str,
    consumer: str | None = None,
    source: str | None = None,
    step_over: Place | None = None,
) -> Held:
    """Give a fact up: it stays on record with who and why, and later facts flow on.

    One that waits for its turn goes with all that stands before it: what is held of its stream is
    given up too, and what never came counts as given up. In the place of one of our own an empty
    fact is sent, so that no reader waits for its number. What cannot be read has no number:
    `step_over` says which one it was, and that nobody waits for it any more (NotAllowed where that
    is not the next of its stream).
    """
    reason = Reason(who, why)
    row = show(uow.connection, fact_id, consumer=consumer, source=source)
    row = _locked(uow, row)
    if row.state == DISCARDED and step_over is None:
        raise NotAllowed(
            f"a fact that is {row.state} cannot be discarded",
            vi="Chỉ bỏ được bản tin đã đỗ, đang chờ thử lại hoặc đang chờ bản tin trước.",
            allowed=_OPEN,
        )
    _change(uow, row, state=DISCARDED, next_at=None, owner=who, note=why, handled_at=uow.now)
    if refusals.by_relay(row.consumer):
        refusals.send_nothing_instead(uow.connection, row.stream, row.sequence)
        uow.signal()
    elif not of_dead_letters(row.consumer):  # those have no place in what is read there
        _step_over(uow, row, step_over, reason)
    return row


def _send_again(uow: UnitOfWork, row: Held, **settled: str) -> None:
    """Let the relay send it once more, under its id and number."""
    if not refusals.send_again(uow.connection, row.stream, row.sequence, row.fact_id):
        raise NotAllowed(
            "it is nothing that this service has sent, and nobody here could read it; discard it",
            vi="Bản tin này không do dịch vụ này gửi và không ai ở đây đọc được; hãy bỏ nó.",
        )
    _change(uow, row, handled_at=uow.now, **settled)
    uow.signal()


def _select() -> sa.Select[Any]:
    names = (name for name in Held.__dataclass_fields__)
    return sa.select(*(LEDGERS.inbox.c[name] for name in names))


def in_states(states: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether an inbox row is in one of these states."""
    # Written out, not bound: only then may the partial indexes be used.
    wanted: list[sa.ColumnElement[str]] = [
        sa.literal_column(f"'{state}'") for state in HELD if state in states
    ]
    return sa.or_(sa.false(), *(LEDGERS.inbox.c.state == each for each in wanted))


def _key(row: Held) -> sa.ColumnElement[bool]:
    inbox = LEDGERS.inbox.c
    return sa.and_(
        inbox.consumer == row.consumer, inbox.source == row.source, inbox.fact_id == row.fact_id
    )


def _locked(uow: UnitOfWork, row: Held) -> Held:
    """The row as it stands once no worker can be handling it."""
    sql_of(uow.connection).lock(uow.connection, row.consumer, [row.subject])
    again = uow.connection.execute(_select().where(_key(row))).one()
    return Held(*again)


def _change(uow: UnitOfWork, row: Held, **values: Any) -> None:
    table = LEDGERS.inbox
    uow.connection.execute(sa.update(table).where(_key(row)).values(**values))


def _step_over(uow: UnitOfWork, row: Held, said: Place | None, reason: Reason) -> None:
    """Count the stream as applied up to the discarded number, and release who waited."""
    subject = row.subject
    if row.sequence is not None:
        gaps.fill(uow, row.consumer, row.stream, subject, row.sequence, reason)
    elif said is not None:
        subject = said.subject
        sql_of(uow.connection).lock(uow.connection, row.consumer, [subject])
        gaps.fill_next(uow, row.consumer, said, reason)
    gaps.release(uow, row.consumer, subject)
