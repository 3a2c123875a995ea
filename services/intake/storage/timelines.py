"""What was said of old dossiers, packed into a row each: for the timeline, without the forms."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa

from services.intake.storage.tables import dossiers, timelines
from shared.database import batch
from shared.events.envelope import decode
from shared.events.event import Event, kind_of
from shared.events.forms import without_forms
from shared.messaging.tables import DONE, LEDGERS
from shared.messaging.timeline import Entry, Kept, facts_of, timeline


def told(connection: sa.Connection, code: str) -> list[Entry]:
    """Everything that was said of a dossier, whether the ledgers still have it or not."""
    return timeline(connection, code, _kept(connection, code))


def said_of(
    connection: sa.Connection, codes: Sequence[str], kinds: Sequence[type[Event]]
) -> list[Event]:
    """What others said of these dossiers, of some kinds, in the order in which it came.

    Only of dossiers that have not ended: the ledgers let go of the others' facts.
    """
    inbox = LEDGERS.inbox.c
    asked = (
        sa.select(inbox.body)
        .where(
            batch.among(inbox.subject),
            inbox.type.in_([kind_of(each).type for each in kinds]),
            inbox.state == DONE,
        )
        .order_by(inbox.received_at, inbox.source, inbox.sequence)
    )
    rows = connection.scalars(asked, {"keys": codes})
    return [decode(bytes(body)).event() for body in rows]


def ended(connection: sa.Connection, codes: Sequence[str], before: datetime) -> set[str]:
    """Which of these are dossiers that ended before that instant (UTC)."""
    asked = sa.select(dossiers.c.code).where(
        dossiers.c.code.in_(codes), dossiers.c.finished_at < before, dossiers.c.next_at.is_(None)
    )
    return set(connection.scalars(asked))


def take_over(connection: sa.Connection, codes: Sequence[str], _before: datetime) -> None:
    """Keep what the ledgers have of these dossiers, which they will let go of."""
    rows = []
    for code in codes:
        facts: dict[bytes, Kept] = {}
        for state, note, body in (*_kept(connection, code), *facts_of(connection, code)):
            bare = without_forms(body)
            facts.setdefault(bare, (state, note, bare))
        rows.append({"dossier": code, "facts": _pack(list(facts.values()))})
    batch.upsert(connection, timelines, rows)


def change_kept(
    connection: sa.Connection, codes: Sequence[str], change: Callable[[bytes], bytes]
) -> None:
    """Rewrite what is kept of these dossiers, fact by fact."""
    there = connection.scalars(sa.select(timelines.c.dossier).where(timelines.c.dossier.in_(codes)))
    rows = []
    for code in there.all():
        facts = [(state, note, change(body)) for state, note, body in _kept(connection, code)]
        rows.append({"dossier": code, "facts": _pack(facts)})
    batch.upsert(connection, timelines, rows)


def _kept(connection: sa.Connection, code: str) -> list[Kept]:
    found = connection.scalar(sa.select(timelines.c.facts).where(timelines.c.dossier == code))
    if found is None:
        return []
    facts = json.loads(zlib.decompress(bytes(found)))
    return [(state, note, body.encode()) for state, note, body in facts]


def _pack(facts: Sequence[Kept]) -> bytes:
    plain = [(state, note, body.decode()) for state, note, body in facts]
    return zlib.compress(json.dumps(plain, ensure_ascii=False).encode(), 9)
