"""The sums of an agency's messages by local day, and the days in which it and the city differ.

Sums are added up from the ledger in one ordered pass whenever they are asked for. What is kept is
what an agency said, and what is in trouble until it is healed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import sqlalchemy as sa

from services.routing.domain.reconciling import DaySum, Span, Summing, merged, without
from services.routing.storage.handover import SLACK, first_since, task_in
from services.routing.storage.tables import fetches, looks, reconciliations, tasks
from shared.database import UnitOfWork, batch
from shared.events.agencies import TaskAssigned
from shared.events.event import kind_of
from shared.events.names import ROUTING_TASKS
from shared.kernel.clock import VN, as_utc, to_vn
from shared.messaging.tables import LEDGERS

_PAGE: Final = 2000
_ASSIGNED: Final = kind_of(TaskAssigned).type
_outbox: Final = LEDGERS.outbox


@dataclass(frozen=True, slots=True)
class Difference:
    """A day of an agency of which something was said or is in trouble; instants in UTC.

    `trouble`: unknown, missing, other_ids (by the agency's own sums), unseen (nobody there has seen
    these); None for none. `spans` are the numbers concerned.
    """

    agency: str
    day: date
    count: int
    sha256: str
    said_at: datetime | None = None
    trouble: str | None = None
    spans: tuple[Span, ...] = ()
    since: datetime | None = None
    sent_again: int = 0
    healed_at: datetime | None = None


def begins(day: date) -> datetime:
    """When a day of Viet Nam's calendar begins (UTC)."""
    return as_utc(datetime.combine(day, time(), VN))


def day_sums(connection: sa.Connection, agency: str, first: date, last: date) -> dict[date, DaySum]:
    """The city's sums of each day from first to last, in one pass; days without messages too."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    summing = {day: Summing(day) for day in days}
    ends = [begins(day + timedelta(days=1)) for day in days]
    columns = (_outbox.c.sequence, _outbox.c.id, _outbox.c.made_at)
    for number, fact_id, made_at in _of_days(connection, agency, first, last, columns):
        summing[days[bisect_right(ends, made_at)]].add(number, fact_id)
    return {day: each.sum() for day, each in summing.items()}


def _of_days(
    connection: sa.Connection, agency: str, first: date, last: date, columns: Sequence[Any]
) -> Iterator[Any]:
    """The agency's messages of these days by number; a page at a time, however many there are."""
    stream = f"{ROUTING_TASKS} {agency}"
    since, until = begins(first), begins(last + timedelta(days=1))
    asked = (
        sa.select(*columns)
        .where(_outbox.c.stream == stream)
        .where(_outbox.c.sequence >= first_since(connection, stream, since - SLACK))
        .where(_outbox.c.sequence <= first_since(connection, stream, until + SLACK))
        .where(_outbox.c.made_at >= since, _outbox.c.made_at < until)
        .order_by(_outbox.c.sequence)
    )
    yield from connection.execute(asked.execution_options(yield_per=_PAGE))


def last_number(connection: sa.Connection, agency: str) -> int:
    """The highest number that this agency's stream has had, 0 for none."""
    streams = LEDGERS.streams.c
    asked = sa.select(streams.last).where(streams.stream == f"{ROUTING_TASKS} {agency}")
    return connection.scalar(asked) or 0


def agencies(connection: sa.Connection, first: date) -> list[str]:
    """The agencies with a task opened since that day, or with a difference that is not healed."""
    since = sa.select(tasks.c.agency).where(tasks.c.opened_at >= begins(first))
    open_ = sa.select(reconciliations.c.agency).where(reconciliations.c.trouble.is_not(None))
    both = sa.union(since.where(tasks.c.kind == "task"), open_).subquery()
    return list(connection.scalars(sa.select(both.c.agency).order_by(both.c.agency)))


def unseen(
    connection: sa.Connection, agency: str, first: date, last: date
) -> dict[date, list[int]]:
    """By day the numbers that handed over tasks which are open and which nobody there has seen.

    Seen is what was taken, opened, or served at the door.
    """
    untouched = (
        sa.select(tasks.c.id)
        .outerjoin(looks, looks.c.task == tasks.c.id)
        .where(tasks.c.agency == agency, tasks.c.kind == "task", tasks.c.state == "assigned")
        .where(tasks.c.fetched_at.is_(None), looks.c.task.is_(None))
    )
    waiting = set(connection.scalars(untouched))
    found: dict[date, list[int]] = {}
    if not waiting:
        return found
    served = served_since(connection, agency, begins(first))
    columns = (_outbox.c.sequence, _outbox.c.type, _outbox.c.body, _outbox.c.made_at)
    for row in _of_days(connection, agency, first, last, columns):
        if row.type != _ASSIGNED or not without([(row.sequence, row.sequence)], served):
            continue
        if task_in(bytes(row.body)) in waiting:
            found.setdefault(to_vn(row.made_at).date(), []).append(row.sequence)
    return found


def served_since(connection: sa.Connection, agency: str, at: datetime) -> tuple[Span, ...]:
    """The numbers that this agency was served at the door since then."""
    asked = sa.select(fetches.c.first, fetches.c.last).where(
        fetches.c.agency == agency, fetches.c.at >= at
    )
    return merged((row.first, row.last) for row in connection.execute(asked))


def send_again(uow: UnitOfWork, agency: str, spans: Sequence[Span], before: datetime) -> int:
    """Let what was made for an agency under these numbers, and sent, go out again; how many.

    Not what was made after `before`: it may still be on its way.
    """
    sent = 0
    for first, last in spans:
        mine = sa.and_(
            _outbox.c.stream == f"{ROUTING_TASKS} {agency}",
            _outbox.c.sequence.between(first, last),
            _outbox.c.sent_at.is_not(None),
            _outbox.c.made_at < before,
        )
        sent += uow.connection.execute(sa.update(_outbox).where(mine).values(sent_at=None)).rowcount
    if sent:
        uow.signal()
    return sent


# --- what is kept ------------------------------------------------------------------------------


def kept(
    connection: sa.Connection, agency: str | None = None, *, open_only: bool = False
) -> list[Difference]:
    """What is kept of an agency, or of all, the newest day first."""
    asked = sa.select(reconciliations)
    if agency is not None:
        asked = asked.where(reconciliations.c.agency == agency)
    if open_only:
        asked = asked.where(reconciliations.c.trouble.is_not(None))
    order = (reconciliations.c.day.desc(), reconciliations.c.agency)
    return [_difference(row) for row in connection.execute(asked.order_by(*order))]


def put(uow: UnitOfWork, difference: Difference) -> None:
    """Keep it."""
    row = {
        "agency": difference.agency,
        "day": difference.day.isoformat(),
        "count": difference.count,
        "sha256": difference.sha256,
        "said_at": difference.said_at,
        "trouble": difference.trouble,
        "spans": [list(each) for each in difference.spans],
        "since": difference.since,
        "sent_again": difference.sent_again,
        "healed_at": difference.healed_at,
    }
    batch.upsert(uow.connection, reconciliations, [row])


def forget_before(uow: UnitOfWork, day: date) -> None:
    """What was of earlier days is settled one way or the other."""
    old = sa.delete(reconciliations).where(reconciliations.c.day < day.isoformat())
    uow.connection.execute(old)


def _difference(row: Any) -> Difference:
    return Difference(
        agency=row.agency,
        day=date.fromisoformat(row.day),
        count=row.count,
        sha256=row.sha256,
        said_at=row.said_at,
        trouble=row.trouble,
        spans=tuple((first, last) for first, last in row.spans),
        since=row.since,
        sent_again=row.sent_again,
        healed_at=row.healed_at,
    )


def by_agency(*troubles: str) -> sa.Select[Any]:
    """How many days are in one of these troubles, by agency, and since when (takes `now`)."""
    return (
        sa.select(reconciliations.c.agency, sa.func.count(), sa.func.min(reconciliations.c.since))
        .where(reconciliations.c.trouble.in_(troubles))
        .where(reconciliations.c.since <= sa.bindparam("now"))
        .group_by(reconciliations.c.agency)
        .order_by(reconciliations.c.agency)
    )
