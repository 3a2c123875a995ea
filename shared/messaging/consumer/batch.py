"""One transaction of a consumer: what is new is applied in order, the rest waits, all is noted.

The rules of order, in one place:
- the facts of one subject are handled by one worker at a time (a lock at the beginning);
- of each stream only the next number is applied, and only once every fact that its maker had
  applied (`after`) was applied here too, as far as this consumer reads those sources;
- what comes too early waits as a row, and is taken up by the batch that fills the gap;
- a maker whose database was restored says with the first fact of its new epoch which number that
  one `follows`: what was applied beyond stays applied, what comes of it from now on is late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from shared.database import Cause, UnitOfWork
from shared.events.envelope import Envelope, parse_after
from shared.events.names import agency_of, short
from shared.kernel.actor import Actor
from shared.kernel.errors import Unreadable
from shared.messaging.consumer.model import Arrival, Setup, from_row
from shared.messaging.salvage import Place
from shared.messaging.sql import Asked, Known, sql_of
from shared.messaging.tables import DISCARDED, DONE, LATE, PARKED, REFUSED, RETRY, WAITING

_SETTLED: Final = frozenset({DONE, LATE, REFUSED})
# Beside the fact in the dossier's timeline.
_ANEW: Final = (
    "Cơ sở dữ liệu của nơi gửi đã khôi phục từ bản sao: nơi gửi không còn biết các bản tin sau"
    " số {follows} của mình, tới số {applied}; ở đây chúng vẫn có hiệu lực."
)
_LOST: Final = (
    "Đến muộn: cơ sở dữ liệu của nơi gửi đã khôi phục từ bản sao và không còn bản tin này."
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one fact; one that only waits for its turn is not settled."""

    arrival: Arrival
    state: str
    attempts: int
    note: str | None = None


@dataclass(slots=True)
class Batch:
    """Handles arrivals inside `uow`; with `single`, applies one fact at most.

    `current` is the fact whose handler was last called: who is to blame when the batch raises.
    """

    uow: UnitOfWork
    setup: Setup
    single: bool = False
    current: Arrival | None = None
    settled: list[Settled] = field(default_factory=list)
    applied: int = 0
    _known: dict[tuple[str, str], Known] = field(default_factory=dict)
    _cursors: dict[str, int] = field(default_factory=dict)
    _moved: dict[str, int] = field(default_factory=dict)
    _epochs: dict[str, int] = field(default_factory=dict)  # of those moved in a later one
    _waiting: list[Arrival] = field(default_factory=list)
    _queues: dict[str, list[Arrival]] = field(default_factory=dict)
    _new: list[dict[str, Any]] = field(default_factory=list)
    _changed: list[dict[str, Any]] = field(default_factory=list)

    def run(self, arrivals: Sequence[Arrival]) -> None:
        """Apply what is next, note everything; the caller's unit commits it."""
        unique = {arrival.key: arrival for arrival in reversed(arrivals)}
        first = list(reversed(unique.values()))
        fresh = self._lock_and_sort_out(first)
        self._take_over(first)
        self.uow.on_flush(self._write)
        if fresh or self.single:
            self._queue_up(fresh)
            self._load_states(fresh)
            self._apply_free(fresh)
            self._apply_queues()
            self._leave_waiting()
        if len(fresh) < len(arrivals):
            self._look_again(arrivals, fresh)

    # --- loading --------------------------------------------------------------------------

    def _lock_and_sort_out(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Those that were never seen, or whose time to be tried again has come."""
        numbered = [each for each in arrivals if each.sequence is not None]
        subjects = sorted({arrival.subject for arrival in numbered})
        sources = {*self.setup.sources, *self.uow.log.reads}
        streams = {f"{source} {subject}" for source in sources for subject in subjects}
        streams.update(arrival.stream for arrival in numbered)
        asked = Asked(
            subjects={arrival.subject for arrival in arrivals},
            keys=[arrival.key for arrival in arrivals],
            numbered=subjects,
            streams=sorted(streams),
        )
        found = sql_of(self.uow.connection).look_up(self.uow.connection, self.setup.name, asked)
        self._known = found.known
        self._waiting = [from_row(row, self.setup.verify) for row in found.waiting]
        self._learn(asked.streams, found.own, found.anyone)
        return [arrival for arrival in arrivals if self._is_open(arrival)]

    def _learn(
        self, streams: Iterable[str], own: Mapping[str, int], anyone: Mapping[str, int]
    ) -> None:
        self._cursors |= own
        for stream in streams:  # also those at 0: the unit of work need not ask for them again
            self.uow.progress[stream] = anyone.get(stream, 0)

    def _is_open(self, arrival: Arrival) -> bool:
        known = self._known.get(arrival.key)
        if known is None:
            return True
        if known.state != RETRY or known.next_at is None:
            return False
        now = self.uow.now
        return known.next_at <= now or known.next_at > self.setup.policy.beyond(now)

    def _take_over(self, arrivals: Sequence[Arrival]) -> None:
        """Close the rows of bytes that can be read by now: they go on under their own key."""
        for arrival in arrivals:
            if arrival.replaces is None:
                continue
            source, fact_id = arrival.replaces
            row = row_of(self.setup.name, arrival, self.uow)
            row |= {"source": source, "fact_id": fact_id, "state": DISCARDED, "owner": "system"}
            row |= {"note": f"read at last, as {arrival.fact_id}", "handled_at": self.uow.now}
            self._changed.append(row)

    def _queue_up(self, fresh: Sequence[Arrival]) -> None:
        self._known |= {each.key: Known(WAITING, 0, None) for each in self._waiting}
        for arrival in [*(each for each in fresh if each.sequence is not None), *self._waiting]:
            self._queues.setdefault(arrival.stream, []).append(arrival)
        for queue in self._queues.values():
            queue.sort(key=lambda each: each.sequence or 0)
        more = sorted(self._queues.keys() - self.uow.progress.keys())
        if more:  # something waits that came from a source which we are not said to read
            uow = self.uow
            self._learn(
                more, *sql_of(uow.connection).cursors(uow.connection, self.setup.name, more)
            )

    def _load_states(self, fresh: Sequence[Arrival]) -> None:
        """Let handlers that load alike do it once for all their facts: in one trip, in one order."""
        if self.single:  # each is loaded alone, so that a failure has one to blame
            return
        free = (each for each in fresh if each.sequence is None)
        loads: dict[Any, list[Envelope]] = {}
        for arrival in chain(free, *self._queues.values()):
            handler = self.setup.handler(arrival.type)
            if arrival.envelope and handler and handler.load:
                loads.setdefault(handler.load, []).append(arrival.envelope)
        for load, envelopes in loads.items():
            load(self.uow, envelopes)

    # --- applying -------------------------------------------------------------------------

    def _full(self) -> bool:
        return self.single and self.applied > 0

    def _apply_free(self, fresh: Sequence[Arrival]) -> None:
        """Facts without a number are applied as they come; what is refused is parked."""
        for arrival in fresh:
            if arrival.sequence is not None:
                continue
            if arrival.envelope is None:
                self._park(arrival, arrival.refusal or "refused")
            elif not self._full():
                self._apply(arrival, arrival.envelope)

    def _apply_queues(self) -> None:
        moved = True
        while moved and not self._full():
            # Once more after each pass that moved: one stream may have waited for another.
            moved = sum(self._apply_queue(stream) for stream in self._queues) > 0

    def _apply_queue(self, stream: str) -> bool:
        queue = self._queues[stream]
        moved = False
        while queue and not self._full():
            applied = self._cursors.get(stream, 0)
            if (number := queue[0].sequence or 0) <= applied:
                self._used(queue.pop(0), applied)
                continue
            # Mostly the first; behind what was lost there may stand one that follows none of it.
            free = (each for each in queue if each.envelope and not self._missing(each.envelope))
            arrival = next(free, None)
            if arrival is None or arrival.envelope is None:
                break
            queue.remove(arrival)
            number = arrival.sequence or 0
            self._cursors[stream] = self._moved[stream] = number
            if arrival.envelope.epoch is not None:
                self._epochs[stream] = arrival.envelope.epoch
            self.uow.progress[stream] = max(number, self.uow.progress.get(stream, 0))
            self._apply(arrival, arrival.envelope, _passed_over(arrival.envelope, applied))
            moved = True
        return moved

    def _missing(self, envelope: Envelope) -> str | None:
        """What must be applied before this fact, in words; None where it may be applied now."""
        if envelope.previous > (applied := self._cursors.get(envelope.stream, 0)):
            return f"waits for number {applied + 1} of {envelope.source}"
        for source, needed in parse_after(envelope.after):
            if source not in self.setup.sources:
                continue
            if self._cursors.get(f"{source} {envelope.subject}", 0) < needed:
                return f"waits for number {needed} of {source}"
        return None

    def _apply(self, arrival: Arrival, envelope: Envelope, note: str | None = None) -> None:
        self._begin(arrival, envelope)
        self.applied += 1
        uow = self.uow
        handler = self.setup.handler(envelope.type)
        outcome = None
        if handler is None:
            self._pass_over(envelope)
        else:
            if self.single and handler.load is not None:
                handler.load(uow, [envelope])
            outcome = handler.apply(uow, envelope)
        uow.cause = uow.actor = None
        if outcome is None:
            self._note(arrival, DONE, note=note)
        else:
            self._note(arrival, outcome.state, note=outcome.note)

    def _begin(self, arrival: Arrival, envelope: Envelope) -> None:
        """From here on this fact is the cause of whatever is said, and to blame for what fails."""
        self.current = arrival
        self.uow.cause = Cause(
            envelope.id,
            envelope.correlationid,
            envelope.traceparent,
            made_at=envelope.time,
            received_at=arrival.received_at or self.uow.now,
            routing_key=arrival.routing_key,
            origin=envelope.causationid,
            again=envelope.epoch is not None,
        )
        self.uow.actor = actor_of(envelope)

    def _look_again(self, arrivals: Sequence[Arrival], fresh: Sequence[Arrival]) -> None:
        """Show what came under the id of a settled fact to its handler: it may say something else."""
        settled = {key for key, known in self._known.items() if known.state in _SETTLED}
        if not self.single:  # else it must be safe first: a failure may not be put down to it
            settled.update(each.arrival.key for each in self.settled if each.state in _SETTLED)
        new = set(map(id, fresh))
        for arrival in arrivals:
            if id(arrival) in new or arrival.sequence is not None or arrival.key not in settled:
                continue
            handler = self.setup.handler(arrival.type)
            if arrival.envelope is not None and handler is not None and handler.again is not None:
                self._begin(arrival, arrival.envelope)
                handler.again(self.uow, arrival.envelope)
                self.uow.cause = self.uow.actor = None

    def _pass_over(self, envelope: Envelope) -> None:
        """Let a fact go by that means nothing here; another version of one that does is none."""
        if short(envelope.type) in self.setup.names:
            raise Unreadable(
                f"{short(envelope.type)} is a version that is not known here; update this service,"
                " then replay"
            )

    # --- noting ---------------------------------------------------------------------------

    def _leave_waiting(self) -> None:
        """Note what stays: to wait for others, or, where its turn has come, to be taken up at once.

        The latter is written down (as due now), not remembered: a process that dies between two
        single batches must find it again.
        """
        for queue in self._queues.values():
            for arrival in queue:
                if arrival.envelope is None:
                    continue
                known = self._known.get(arrival.key)
                missing = self._missing(arrival.envelope)
                if missing is None:
                    self._note(arrival, RETRY)
                elif known is None or known.state != WAITING:
                    self._note(arrival, WAITING, reason=missing)

    def _used(self, arrival: Arrival, applied: int) -> None:
        """A number behind us: of another fact, or of this one, whose row is gone, or passed over."""
        connection, stream = self.uow.connection, arrival.stream
        place = Place(arrival.source, arrival.subject, arrival.sequence or 0)
        others, epoch = sql_of(connection).behind(
            connection, self.setup.name, place, arrival.fact_id
        )
        just_now = any(
            (row["stream"], row["sequence"]) == (stream, place.sequence) for row in self._new
        )
        own = (arrival.envelope and arrival.envelope.epoch) or 0
        if others or just_now:
            self._park(arrival, f"number already used: the stream is at {applied}")
        elif own < self._epochs.get(stream, epoch):
            self._note(arrival, LATE, note=_LOST)
        elif arrival.key in self._known:
            self._park(arrival, f"number already used: the stream is at {applied}")
        else:
            self.settled.append(Settled(arrival, DONE, 0, "came again after its row was cleared"))

    def _park(self, arrival: Arrival, reason: str) -> None:
        self._note(arrival, PARKED, reason=reason)

    def _note(
        self, arrival: Arrival, state: str, *, reason: str | None = None, note: str | None = None
    ) -> None:
        known = self._known.get(arrival.key)
        row = row_of(self.setup.name, arrival, self.uow)
        row |= {"state": state, "reason": reason, "note": note}
        if state in _SETTLED:  # who sent it matters no more
            row |= {"routing_key": None, "user_id": None}
        row["attempts"] = known.attempts if known else 0
        row["handled_at"] = self.uow.now if state in _SETTLED else None
        row["next_at"] = self.uow.now if state == RETRY else None
        (self._changed if known else self._new).append(row)
        if state in (WAITING, RETRY):
            return
        self.settled.append(Settled(arrival, state, row["attempts"], reason or note))

    def _write(self) -> None:
        uow = self.uow
        if self._new:
            sql_of(uow.connection).add_inbox(uow.connection, self._new)
        if self._changed:
            sql_of(uow.connection).change_inbox(uow.connection, self._changed)
        if self._moved:
            sql_of(uow.connection).move_cursors(
                uow.connection, self.setup.name, self._moved, self._epochs
            )


def _passed_over(envelope: Envelope, applied: int) -> str | None:
    """What is said beside the first fact of an epoch where others are passed over by it."""
    follows = envelope.follows
    if follows is None or follows >= applied:
        return None
    return _ANEW.format(follows=follows, applied=applied)


def actor_of(envelope: Envelope) -> Actor | None:
    """Who is behind an event: as it says itself; an agency's answer is the agency's by its source."""
    agency = agency_of(envelope.source)
    return Actor("agency", agency) if agency is not None else Actor.parse(envelope.actor)


def row_of(consumer: str, arrival: Arrival, uow: UnitOfWork) -> dict[str, Any]:
    """An inbox row for this arrival; its state is for the caller to say."""
    return {
        "consumer": consumer,
        "source": arrival.source,
        "fact_id": arrival.fact_id,
        "stream": arrival.stream,
        "sequence": arrival.sequence,
        "type": arrival.type,
        "subject": arrival.subject,
        "body": arrival.body,
        "attempts": 0,
        "next_at": None,
        "reason": None,
        "owner": None,
        "note": None,
        "received_at": arrival.received_at or uow.now,
        "handled_at": None,
        "routing_key": arrival.routing_key,
        "user_id": arrival.user_id,
    }
