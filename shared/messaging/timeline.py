"""What was said of one subject, here and by others, in the order in which it happened.

Read from the ledgers alone; who may see it is the door's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from shared.events.envelope import Envelope, decode, parse_after
from shared.messaging.tables import DONE, LATE, LEDGERS


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of a subject: `time` (UTC) is when it was made, `body` its bytes as sent.

    `state` is made (here), done, or late (kept, and changed nothing: `note` says why).
    """

    time: datetime
    type: str
    source: str
    state: str
    note: str | None
    envelope: Envelope = field(repr=False)
    body: bytes = field(repr=False)


#: A fact as it is kept: its state, its note, its bytes.
Kept = tuple[str, str | None, bytes]


def timeline(connection: sa.Connection, subject: str, more: Iterable[Kept] = ()) -> list[Entry]:
    """Facts made here and facts handled here about a subject, each once, by time and cause.

    `more` are facts that the ledgers no longer have.
    """
    entries: dict[tuple[str, str], Entry] = {}
    for state, note, body in (*more, *facts_of(connection, subject)):
        _keep(entries, body, state, note)
    return _in_order(entries.values())


def facts_of(connection: sa.Connection, subject: str) -> list[Kept]:
    """What the ledgers have of a subject: made here, or heard here and handled."""
    outbox, inbox = LEDGERS.outbox.c, LEDGERS.inbox.c
    made = connection.execute(
        sa.select(outbox.body).where(outbox.subject == subject).order_by(outbox.position)
    )
    heard = connection.execute(
        sa.select(inbox.body, inbox.state, inbox.note)
        .where(inbox.subject == subject, inbox.state.in_((DONE, LATE)))
        .order_by(inbox.received_at, inbox.source, inbox.sequence, inbox.fact_id)
    )
    found: list[Kept] = [("made", None, bytes(row.body)) for row in made]
    return found + [(row.state, row.note, bytes(row.body)) for row in heard]


def _keep(entries: dict[tuple[str, str], Entry], body: bytes, state: str, note: str | None) -> None:
    envelope = decode(bytes(body))
    # Two consumers of one service may both have heard it.
    entries.setdefault(
        (envelope.source, envelope.id),
        Entry(envelope.time, envelope.type, envelope.source, state, note, envelope, bytes(body)),
    )


def _in_order(entries: Iterable[Entry]) -> list[Entry]:
    """By time; facts of the same instant stand after those that caused them."""
    left = sorted(entries, key=lambda e: (e.time, e.source, e.envelope.sequence or 0))
    placed: list[Entry] = []
    while left:
        instant = [entry for entry in left if entry.time == left[0].time]
        left = left[len(instant) :]
        while instant:
            free = next((e for e in instant if not _held(e, instant)), instant[0])
            instant.remove(free)
            placed.append(free)
    return placed


def _held(entry: Entry, others: list[Entry]) -> bool:
    """Whether one of the others must stand before this one."""
    fact = entry.envelope
    after = dict(parse_after(fact.after))
    for other in (each.envelope for each in others if each is not entry):
        if other.id == fact.causationid:
            return True
        if other.sequence is None:
            continue
        if other.source == fact.source and other.sequence < (fact.sequence or 0):
            return True
        if other.sequence <= after.get(other.source, 0):
            return True
    return False
