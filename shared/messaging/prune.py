"""Clearing the ledgers of what is settled for good: whole matters, in short transactions.

A row goes only where everything about its subject is settled for longer than its term and its
service says that the matter has ended. The very statement that deletes asks for that again, so what
comes meanwhile stays. Counters and cursors stay for ever: streams go on with their next numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from shared.database import Store
from shared.messaging.tables import DISCARDED, DONE, LATE, LEDGERS

#: Subjects of one transaction: some hundred rows, some milliseconds.
BATCH: Final = 50
#: Rows of one transaction where each stands for itself.
ROWS: Final = 500
_SETTLED: Final = (DONE, LATE)
_HAS_BODY: Final = sa.type_coerce(LEDGERS.inbox.c.body, sa.LargeBinary) != b""

#: Which of these subjects have ended, by what a service knows of them.
Ended = Callable[[sa.Connection, Sequence[str], datetime], set[str]]
#: Moves what is read later of these subjects to rows of its own, before it goes.
Move = Callable[[sa.Connection, Sequence[str], datetime], None]


@dataclass(frozen=True, slots=True)
class Cleared:
    """One batch: what was cleared, and how many."""

    what: str
    count: int


def cutoff(now: datetime, days: int) -> datetime | None:
    """What was settled before this instant has outlived a term of so many days; None for no term."""
    return now - timedelta(days=days) if days else None


def clear_ledgers(
    store: Store, ended: Ended, before: datetime, *, move: Move | None = None, dry: bool = False
) -> Iterator[Cleared]:
    """Delete settled facts of ended matters that were settled before that instant (UTC).

    With `dry` nothing is changed: what would go is counted.
    """
    with store.read() as connection:
        if not _anything_old(connection, before):
            return
    for table in (LEDGERS.inbox, LEDGERS.outbox):
        after: str | None = None
        while True:
            with store.read() if dry else store.transaction() as connection:
                subjects = _subjects(connection, table, after)
                chosen = _settled(connection, subjects, before) if subjects else []
                gone = sorted(ended(connection, chosen, before)) if chosen else []
                cleared = _clear(connection, gone, before, move, dry=dry) if gone else []
            if not subjects:
                break
            after = subjects[-1]
            yield from cleared  # committed by now


def _settled_of(
    table: sa.Table, subjects: Sequence[str], before: datetime
) -> sa.ColumnElement[bool]:
    """The rows of these subjects that may go, of inbox or outbox."""
    mine = table.c.subject.in_(subjects)
    if table is LEDGERS.outbox:
        return sa.and_(mine, table.c.sent_at < before)
    return sa.and_(mine, table.c.state.in_(_SETTLED), table.c.handled_at < before)


def _anything_old(connection: sa.Connection, before: datetime) -> bool:
    """Whether the ledgers reach back so far at all: a young city need not be walked through."""
    inbox, outbox = LEDGERS.inbox.c, LEDGERS.outbox.c
    first = connection.scalar(sa.select(outbox.made_at).order_by(outbox.position).limit(1))
    if first is not None and first < before:
        return True
    heard = sa.select(inbox.subject).where(inbox.handled_at < before).limit(1)
    return connection.scalar(heard) is not None


def _subjects(connection: sa.Connection, table: sa.Table, after: str | None) -> list[str]:
    """The next subjects in order, from the index alone; the unreadable have none."""
    asked = sa.select(table.c.subject).distinct().order_by(table.c.subject).limit(BATCH)
    asked = asked.where(table.c.subject > (after or ""))
    if table is LEDGERS.outbox:  # those of the inbox were looked at before
        inbox = LEDGERS.inbox.c
        asked = asked.where(~sa.exists().where(inbox.subject == table.c.subject))
    return list(connection.scalars(asked))


def _settled(connection: sa.Connection, subjects: Sequence[str], before: datetime) -> list[str]:
    """Those of which nothing is held, unsent, or younger than the term."""
    inbox, outbox = LEDGERS.inbox.c, LEDGERS.outbox.c
    closed = (*_SETTLED, DISCARDED)
    heard = sa.select(inbox.subject).where(
        inbox.subject.in_(subjects),
        sa.or_(inbox.state.not_in(closed), inbox.handled_at.is_(None), inbox.handled_at >= before),
    )
    made = sa.select(outbox.subject).where(
        outbox.subject.in_(subjects), sa.or_(outbox.sent_at.is_(None), outbox.sent_at >= before)
    )
    open_ = set(connection.scalars(sa.union(heard, made)))
    return [subject for subject in subjects if subject not in open_]


def _clear(
    connection: sa.Connection,
    subjects: Sequence[str],
    before: datetime,
    move: Move | None,
    *,
    dry: bool,
) -> list[Cleared]:
    if move is not None and not dry:
        move(connection, subjects, before)
    cleared = []
    for table in (LEDGERS.inbox, LEDGERS.outbox):
        mine = _settled_of(table, subjects, before)
        if dry:
            asked = sa.select(sa.func.count()).select_from(table).where(mine)
            count = int(connection.scalar(asked) or 0)
        else:
            count = connection.execute(sa.delete(table).where(mine)).rowcount
        cleared.append(Cleared(table.name, count))
    emptied = _empty_discarded(connection, subjects, dry=dry)
    return [*cleared, Cleared("discarded", emptied)]


def _empty_discarded(connection: sa.Connection, subjects: Sequence[str], *, dry: bool) -> int:
    """What was given up stays on record with its reason; its bytes go."""
    inbox = LEDGERS.inbox
    mine = sa.and_(inbox.c.subject.in_(subjects), inbox.c.state == DISCARDED, _HAS_BODY)
    if dry:
        return int(connection.scalar(sa.select(sa.func.count()).where(mine)) or 0)
    return connection.execute(sa.update(inbox).where(mine).values(body=b"")).rowcount


def in_batches(
    store: Store,
    what: str,
    find: Callable[[sa.Connection, int | None], Sequence[Any]],
    clear: Callable[[sa.Connection, Sequence[Any]], int],
    *,
    dry: bool = False,
) -> Iterator[Cleared]:
    """Find and clear, one short transaction after the other, until nothing is found.

    `find` is given how many at most, and must not find again what was cleared. With `dry` it is
    asked once, for all.
    """
    while True:
        with store.read() if dry else store.transaction() as connection:
            found = find(connection, None if dry else ROWS)
            count = len(found) if dry or not found else clear(connection, found)
        if found:
            yield Cleared(what, count)
        if dry or not found:
            return
