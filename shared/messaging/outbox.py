"""Writing the facts of a unit: numbers, causes, envelopes, outbox rows, in few statements.

Facts of one stream are numbered in the order in which they were recorded, without gaps (but for the
one that a restored database leaves on purpose, see epochs.py): the counter row is locked until the commit, so no number is given twice and none is lost.  Facts of one
subject that travel together, but are numbered in two streams, say by `after` which came first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from shared.database import Cause, UnitOfWork
from shared.events.envelope import Data, Envelope, encode, format_after
from shared.events.event import Event, address, kind_of, write
from shared.kernel.actor import Actor
from shared.messaging.sql import Numbered, sql_of
from shared.messaging.tables import LEDGERS

_FEW: Final = 500  # parameters of one statement
_TRACE = re.compile(r"[0-9a-f]{32}").fullmatch


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A fact as it leaves the service; the number, id and times are given when it is written."""

    exchange: str
    routing_key: str
    source: str
    subject: str
    type: str
    data: Mapping[str, Any] = field(repr=False)

    @property
    def stream(self) -> str:
        """The stream inside which it is numbered."""
        return f"{self.source} {self.subject}"


Translator = Callable[[Any], Outgoing]


def stated_by(service: str) -> Translator:
    """How the events of this service leave it.

    It raises `ContractBroken` for an event that breaks its contract or is not this service's.
    """

    def translate(happened: Event) -> Outgoing:
        to = address(happened, service)
        return Outgoing(
            exchange=to.exchange,
            routing_key=to.routing_key,
            source=to.source,
            subject=happened.subject,
            type=kind_of(type(happened)).type,
            data=Data(write(happened)),
        )

    return translate


@dataclass(frozen=True, slots=True)
class Pending:
    """A recorded fact that is not yet written; `known` is how far its maker had come then."""

    outgoing: Outgoing
    cause: Cause | None
    actor: Actor | None
    known: Mapping[str, int]


class Outbox:
    """The event log of one service.

    `reads` names the sources whose facts this service consumes: what it makes says how far it
    had applied them (`after`).
    """

    def __init__(self, translate: Translator, reads: Sequence[str] = ()) -> None:
        self.reads: Sequence[str] = tuple(reads)
        self._translate = translate

    def note(self, unit: UnitOfWork, event: object) -> Pending:
        """What is to be written of this event, and how far this service has come by now."""
        outgoing = self._translate(event)
        return Pending(outgoing, unit.cause, unit.actor, self._known(unit, outgoing.subject))

    def _known(self, unit: UnitOfWork, subject: str) -> dict[str, int]:
        streams = ((source, f"{source} {subject}") for source in self.reads)
        applied = unit.progress
        return {source: applied[stream] for source, stream in streams if stream in applied}

    def write(self, unit: UnitOfWork, noted: Sequence[Pending]) -> None:
        """Number and write these facts in their order."""
        write_facts(unit, noted, self.reads)


def resend(uow: UnitOfWork, since: datetime) -> int:
    """Mark as unsent whatever was sent at `since` (aware) or later; returns how many facts.

    For what a broker lost: the relay sends it again, and the readers' inboxes make it harmless.
    """
    outbox = LEDGERS.outbox
    changed = uow.connection.execute(
        sa.update(outbox).where(outbox.c.sent_at >= since).values(sent_at=None)
    )
    if changed.rowcount:
        uow.signal()
    return changed.rowcount


def mark_unsent(uow: UnitOfWork, positions: Sequence[int]) -> int:
    """Mark these rows as unsent; returns how many."""
    outbox = LEDGERS.outbox
    for start in range(0, len(positions), _FEW):
        some = positions[start : start + _FEW]
        chosen = sa.update(outbox).where(outbox.c.position.in_(some))
        uow.connection.execute(chosen.values(sent_at=None))
    if positions:
        uow.signal()
    return len(positions)


def write_facts(uow: UnitOfWork, pending: Sequence[Pending], reads: Sequence[str]) -> None:
    """Number and write these facts in their order."""
    ids = [uow.ids.new() for _ in pending]
    roots = _roots(pending, ids)
    numbered, applied = _numbers(uow, pending, roots, reads)
    shared = _shared_correlation(pending, roots, numbered)
    next_numbers = {stream: given.first for stream, given in numbered.items()}
    stated: dict[tuple[str, str], dict[str, int]] = {}
    rows = []
    for fact, fact_id in zip(pending, ids, strict=True):
        stream = fact.outgoing.stream
        sequence = next_numbers[stream]
        next_numbers[stream] = sequence + 1
        correlation = shared[fact.outgoing.subject]
        if fact.cause is not None:
            correlation = fact.cause.correlationid or fact.cause.id
        beside = stated.setdefault((fact.outgoing.exchange, fact.outgoing.subject), {})
        after = _after(reads, fact, applied, beside)
        beside[fact.outgoing.source] = sequence
        numbers = _Numbers(sequence, numbered[stream])
        envelope = _envelope(uow, fact, fact_id, numbers, correlation, after)
        rows.append(_row(uow, fact.outgoing, envelope))
    sql_of(uow.connection).add_outbox(uow.connection, rows)


def _numbers(
    uow: UnitOfWork,
    pending: Sequence[Pending],
    roots: Mapping[str, str],
    reads: Sequence[str],
) -> tuple[dict[str, Numbered], dict[str, int]]:
    """Per stream its next number, and how far we applied the streams that we read."""
    counts = _counts(pending, roots)
    if all(fact.outgoing.subject in uow.opened for fact in pending):
        sql_of(uow.connection).open_streams(uow.connection, counts)
        return {stream: Numbered(1, correlation) for stream, _, correlation in counts}, {}
    return sql_of(uow.connection).number(uow.connection, counts, _unknown(reads, pending))


def _roots(pending: Sequence[Pending], ids: Sequence[str]) -> dict[str, str]:
    """Per subject the correlation id that its streams get if they are new."""
    roots: dict[str, str] = {}
    for fact, fact_id in zip(pending, ids, strict=True):
        cause = fact.cause
        root = fact_id if cause is None else cause.correlationid or cause.id
        roots.setdefault(fact.outgoing.subject, root)
    return roots


def _counts(pending: Sequence[Pending], roots: Mapping[str, str]) -> list[tuple[str, int, str]]:
    counts: dict[str, tuple[int, str]] = {}
    for fact in pending:
        stream = fact.outgoing.stream
        before = counts[stream][0] if stream in counts else 0
        counts[stream] = (before + 1, roots[fact.outgoing.subject])
    # Sorted: two units that touch the same streams lock them in the same order.
    return [(stream, *counts[stream]) for stream in sorted(counts)]


def _shared_correlation(
    pending: Sequence[Pending], roots: Mapping[str, str], numbered: Mapping[str, Numbered]
) -> dict[str, str]:
    """Per subject the oldest correlation id that one of its streams already had."""
    shared = dict(roots)
    for fact in pending:
        subject = fact.outgoing.subject
        kept = numbered[fact.outgoing.stream].correlation
        if kept != roots[subject]:
            shared[subject] = kept
    return shared


def _unknown(reads: Sequence[str], pending: Sequence[Pending]) -> list[str]:
    """Streams that we read and whose cursors this unit has not seen."""
    asked = {
        f"{source} {fact.outgoing.subject}"
        for fact in pending
        for source in reads
        if source not in fact.known
    }
    return sorted(asked)


def _after(
    reads: Sequence[str], fact: Pending, applied: Mapping[str, int], beside: Mapping[str, int]
) -> str | None:
    """How far the maker had come: with what it reads, and with its own other streams (`beside`)."""
    subject = fact.outgoing.subject
    known = dict(fact.known)
    known |= {source: n for source, n in beside.items() if source != fact.outgoing.source}
    for source in reads:
        if source not in known:
            known[source] = applied.get(f"{source} {subject}", 0)
    return format_after((source, number) for source, number in known.items() if number > 0)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The number of one fact among those that its unit was given in its stream."""

    sequence: int
    given: Numbered

    @property
    def epoch(self) -> int | None:
        return self.given.epoch or None

    @property
    def follows(self) -> int | None:
        first = self.given.epoch and self.sequence == self.given.epoch + 1
        return self.given.follows if first else None


def _envelope(
    uow: UnitOfWork,
    fact: Pending,
    fact_id: str,
    numbers: _Numbers,
    correlation: str,
    after: str | None,
) -> Envelope:
    outgoing = fact.outgoing
    return Envelope(
        id=fact_id,
        source=outgoing.source,
        type=outgoing.type,
        subject=outgoing.subject,
        time=uow.now,
        data=outgoing.data,
        sequence=numbers.sequence,
        epoch=numbers.epoch,
        follows=numbers.follows,
        correlationid=correlation,
        causationid=fact.cause.id if fact.cause else None,
        traceparent=_trace(fact, fact_id, correlation),
        after=after,
        actor=None if fact.actor is None else str(fact.actor),
    )


def _trace(fact: Pending, fact_id: str, correlation: str) -> str:
    """W3C trace context: the trace of the cause, or one that all facts of the subject share."""
    span = fact_id.replace("-", "")[-16:]
    inherited = fact.cause.traceparent if fact.cause else None
    if inherited is not None:
        version, trace, _, flags = inherited.split("-")
        return f"{version}-{trace}-{span}-{flags}"
    trace = correlation.replace("-", "")
    if _TRACE(trace) is None:
        trace = fact_id.replace("-", "")
    return f"00-{trace}-{span}-01"


def _row(uow: UnitOfWork, outgoing: Outgoing, envelope: Envelope) -> dict[str, Any]:
    return {
        "id": envelope.id,
        "stream": envelope.stream,
        "source": envelope.source,
        "subject": envelope.subject,
        "sequence": envelope.sequence,
        "type": envelope.type,
        "exchange": outgoing.exchange,
        "routing_key": outgoing.routing_key,
        "body": encode(envelope),
        "made_at": uow.now,
    }
