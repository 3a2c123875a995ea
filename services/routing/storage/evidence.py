"""The chains of evidence: what is not in them yet, their records, and the public keys.

What is to be sealed is found on the rows that are there: the agency's stream in the outbox, what it
fetched, its answers, tasks whose hand-over has ended. Nothing is written for it where they are made.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from services.routing.domain.evidence import CITY, Happened, Head, Key, Record, as_kept
from services.routing.storage.handed import task_of
from services.routing.storage.tables import (
    UNSEALED,
    answers,
    evidence,
    evidence_heads,
    evidence_keys,
    fetches,
    refused_answers,
    tasks,
)
from shared.database import Store, UnitOfWork, batch
from shared.events.names import ROUTING_TASKS, WITHHELD, short
from shared.kernel.clock import format_instant
from shared.messaging.metrics import Reading
from shared.messaging.tables import LEDGERS

#: Of each kind of thing, in one transaction.
MOST: Final = 100
_outbox: Final = LEDGERS.outbox.c
_TOLD_BY_AGENCIES: Final = (answers, refused_answers, fetches)
# An agency names its answers, and may write anything there: codes and ids are kept, words are not.
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}", re.ASCII)


# --- what is not sealed ---------------------------------------------------------------------------


def behind(connection: sa.Connection, agencies: Collection[str]) -> list[str]:
    """Which of these have something that is not in their chain; some may turn out to have nothing."""
    streams = {f"{ROUTING_TASKS} {agency}": agency for agency in agencies}
    last = {
        streams[row.stream]: row.last
        for row in batch.fetch(connection, LEDGERS.streams.c.stream, streams)
    }
    heads = {row.agency: row.message for row in connection.execute(sa.select(evidence_heads))}
    found = {agency for agency, number in last.items() if number > heads.get(agency, 0)}
    for table in _TOLD_BY_AGENCIES:
        found.update(connection.scalars(sa.select(table.c.agency).where(UNSEALED).distinct()))
    return sorted(found)


def measured(store: Store) -> list[Reading]:
    """How many answers wait to be signed, for the measures: with nobody signing it only grows."""
    with store.read() as connection:
        asked = sa.select(sa.func.count()).select_from(answers).where(UNSEALED)
        count = int(connection.scalar(asked) or 0)
    return [Reading("lienthong_answers_unsigned", "Answers that no evidence has yet", count)]


def head_of(connection: sa.Connection, agency: str) -> Head:
    """Where an agency's chain ends; whoever adds to it holds the city's key (`holding`)."""
    asked = sa.select(evidence_heads).where(evidence_heads.c.agency == agency)
    row = connection.execute(asked).one_or_none()
    return Head(agency) if row is None else Head(agency, row.number, row.digest, row.message)


def news(connection: sa.Connection, head: Head) -> list[Happened]:
    """What is to be sealed next of an agency, some of each kind, in the order of its instants."""
    found = [
        *_published(connection, head),
        *_fetched(connection, head.agency),
        *_answered(connection, head.agency),
        *_refused(connection, head.agency),
        *_expired(connection, head.agency),
    ]
    return sorted(found, key=lambda each: each.at)


def _published(connection: sa.Connection, head: Head) -> Iterator[Happened]:
    """Messages that the broker vouches for; what is on its way comes later."""
    mine = evidence.c.agency == head.agency, evidence.c.message == _outbox.sequence
    asked = sa.select(LEDGERS.outbox).where(
        _outbox.stream == f"{ROUTING_TASKS} {head.agency}",
        _outbox.sequence > head.message,
        _outbox.sent_at.is_not(None),
        ~sa.exists().where(*mine),
    )
    for row in connection.execute(asked.order_by(_outbox.sequence).limit(MOST)):
        body, withheld = bytes(row.body), row.type == WITHHELD
        told = {
            "message": row.sequence,
            "id": row.id,
            "type": short(row.type),
            "task": None if withheld else task_of(body),
            "way": "queue",
            "made_at": format_instant(row.made_at),
            "confirmed_at": format_instant(row.sent_at),
        }
        yield Happened("published", row.sent_at, told, body)


def _fetched(connection: sa.Connection, agency: str) -> Iterator[Happened]:
    asked = sa.select(fetches).where(fetches.c.agency == agency, UNSEALED).limit(MOST)
    for row in connection.execute(asked):
        told = {"first": row.first, "last": row.last, "way": row.way}
        yield Happened("fetched", row.at, told, row=(row.agency, row.first, row.last))


def _answered(connection: sa.Connection, agency: str) -> Iterator[Happened]:
    asked = sa.select(answers).where(answers.c.agency == agency, UNSEALED).limit(MOST)
    for row in connection.execute(asked):
        told = {
            "answer": _plain(row.answer_id),
            "task": _plain(row.task),
            "says": _plain(row.kind),
            "applied": row.applied,
            "state": row.state,
            "signed": as_kept(row.signature),
        }
        key = (row.answer_id, row.agency)
        yield Happened("answered", row.at, told, row.digest.encode(), row=key)


def _refused(connection: sa.Connection, agency: str) -> Iterator[Happened]:
    table = refused_answers
    asked = sa.select(table).where(table.c.agency == agency, UNSEALED).limit(MOST)
    for row in connection.execute(asked):
        told = {
            "answer": _plain(row.answer_id),
            "task": _plain(row.task),
            "says": _plain(row.kind),
            "rule": row.rule,
        }
        key = (row.agency, row.answer_id, row.digest)
        yield Happened("refused", row.at, told, row.digest.encode(), row=key)


def _expired(connection: sa.Connection, agency: str) -> Iterator[Happened]:
    known = evidence.c.about == tasks.c.id, evidence.c.kind == "expired"
    asked = sa.select(tasks.c.id, tasks.c.expired_at).where(
        tasks.c.agency == agency, tasks.c.expired_at.is_not(None), ~sa.exists().where(*known)
    )
    for row in connection.execute(asked.limit(MOST)):
        yield Happened("expired", row.expired_at, {"task": row.id})


def is_plain(text: str) -> bool:
    """Whether this is a code or an id, which a record may hold."""
    return _PLAIN.fullmatch(text) is not None


def _plain(text: str) -> str:
    return text if is_plain(text) else "?"


# --- keeping --------------------------------------------------------------------------------------

_SEALED_BY: Final = {"fetched": fetches, "answered": answers, "refused": refused_answers}


def keep(connection: sa.Connection, records: Sequence[Record], head: Head) -> None:
    """Add these to their agency's chain, and note of what they tell that it is there."""
    batch.insert(connection, evidence, [_row(each) for each in records])
    for kind, table in _SEALED_BY.items():
        keys = [each.happened.row for each in records if each.happened.kind == kind]
        if keys:
            mine = sa.tuple_(*table.primary_key.columns).in_(keys)
            connection.execute(sa.update(table).where(mine).values(sealed=True))
    end = {
        "agency": head.agency,
        "number": records[-1].number,
        "digest": records[-1].digest,
        "message": _unbroken(connection, head),
    }
    batch.upsert(connection, evidence_heads, [end])


def _unbroken(connection: sa.Connection, head: Head) -> int:
    """The number up to which every message of an agency is in its chain."""
    numbers = sa.select(sa.func.max(evidence.c.message)).where(evidence.c.agency == head.agency)
    last = int(connection.scalar(numbers) or 0)
    mine = evidence.c.agency == head.agency, evidence.c.message == _outbox.sequence
    lacking = sa.select(sa.func.min(_outbox.sequence)).where(
        _outbox.stream == f"{ROUTING_TASKS} {head.agency}",
        _outbox.sequence > head.message,
        _outbox.sequence < last,
        ~sa.exists().where(*mine),
    )
    first: int | None = connection.scalar(lacking)
    return max(head.message, last if first is None else first - 1)


def _row(record: Record) -> dict[str, Any]:
    what = record.happened
    return {
        "agency": record.agency,
        "number": record.number,
        "kind": what.kind,
        "at": what.at,
        "message": what.told.get("message"),
        "about": what.told.get("task"),
        "core": record.core,
        "digest": record.digest,
        "signature": record.signature,
        "key": record.key,
        "salt": record.salt,
        "sealed_at": record.sealed_at,
    }


def old_salts(connection: sa.Connection, before: datetime, limit: int | None) -> Sequence[Any]:
    """Records of before that instant by which a guess at what was said could still be tried."""
    asked = sa.select(evidence.c.agency, evidence.c.number)
    wanted = asked.where(evidence.c.salt.is_not(None), evidence.c.at < before).limit(limit)
    return [tuple(row) for row in connection.execute(wanted)]


def forget_salts(connection: sa.Connection, found: Sequence[Any]) -> int:
    """The records stay and hold; what was said can be matched with them no more."""
    mine = sa.update(evidence).where(sa.tuple_(evidence.c.agency, evidence.c.number).in_(found))
    return connection.execute(mine.values(salt=None)).rowcount


def forget_about(connection: sa.Connection, asked: Sequence[str]) -> None:
    """The same of what was said about these tasks."""
    mine = sa.update(evidence).where(evidence.c.about.in_(asked))
    connection.execute(mine.values(salt=None))


# --- reading --------------------------------------------------------------------------------------


def span(
    connection: sa.Connection, agency: str, since: datetime | None, until: datetime | None
) -> tuple[int, int] | None:
    """The first and the last record of what happened in that time; None where nothing did."""
    asked = sa.select(sa.func.min(evidence.c.number), sa.func.max(evidence.c.number))
    asked = asked.where(evidence.c.agency == agency)
    if since is not None:
        asked = asked.where(evidence.c.at >= since)
    if until is not None:
        asked = asked.where(evidence.c.at < until)
    first, last = connection.execute(asked).one()
    return None if first is None else (first, last)


def records(connection: sa.Connection, agency: str, first: int, last: int) -> Iterator[Any]:
    """The rows of a stretch of a chain, in order; read in pieces, a chain may be long."""
    while first <= last:
        asked = sa.select(evidence).where(
            evidence.c.agency == agency, evidence.c.number >= first, evidence.c.number <= last
        )
        found = connection.execute(asked.order_by(evidence.c.number).limit(1000)).all()
        if not found:
            return
        yield from found
        first = found[-1].number + 1


def of_messages(connection: sa.Connection, agency: str, first: int, last: int) -> dict[int, int]:
    """Which record tells of which message of an agency, of a stretch of its stream."""
    asked = sa.select(evidence.c.message, evidence.c.number).where(
        evidence.c.agency == agency, evidence.c.message >= first, evidence.c.message <= last
    )
    return {row.message: row.number for row in connection.execute(asked)}


# --- keys -----------------------------------------------------------------------------------------


def keys(connection: sa.Connection, *owners: str) -> list[Key]:
    """The public keys of these owners, the oldest first; all where none is named."""
    asked = sa.select(evidence_keys).order_by(evidence_keys.c.owner, evidence_keys.c.since)
    if owners:
        asked = asked.where(evidence_keys.c.owner.in_(owners))
    return [_key(row) for row in connection.execute(asked)]


def holding(connection: sa.Connection, key: str) -> Key | None:
    """The city's key, held until the transaction ends, so that one process seals at a time."""
    mine = evidence_keys.c.owner == CITY, evidence_keys.c.key == key
    row = connection.execute(sa.select(evidence_keys).where(*mine).with_for_update()).one_or_none()
    return None if row is None else _key(row)


def put_key(uow: UnitOfWork, key: Key) -> None:
    """Keep a key, or when it ends."""
    row = {
        "owner": key.owner,
        "key": key.key,
        "public": key.public,
        "since": key.since,
        "until": key.until,
    }
    batch.upsert(uow.connection, evidence_keys, [row])


def _key(row: Any) -> Key:
    return Key(row.owner, row.key, bytes(row.public), row.since, row.until)
