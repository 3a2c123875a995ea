"""Dead letters: what the broker gave up delivering becomes a parked row, and lies nowhere else.

A fact or an answer is parked with the consumer from whose queue it comes, as if that had parked
it, and is replayed there. What came back from a queue of somebody else's (an agency's task) is
parked here; to replay it is to send it again from the outbox, under its id and number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from shared.database import Store, UnitOfWork
from shared.events.names import dead_letters
from shared.log import get
from shared.messaging import Bus, Delivery
from shared.messaging.consumer.batch import row_of
from shared.messaging.consumer.model import Arrival, Verify, from_delivery
from shared.messaging.consumer.window import Window
from shared.messaging.metrics import Metrics
from shared.messaging.sql import Known, sql_of
from shared.messaging.tables import PARKED

_log = get("dead_letters")

_BATCH: Final = 50
# Why a broker gives up, in its own words; anything else is not repeated.
_REASONS: Final = frozenset({"rejected", "expired", "maxlen", "delivery_limit"})
# Names of queues as we give them; what else stands in that header is not repeated.
_PLAIN: Final = re.compile(r"[a-z0-9.-]{1,100}").fullmatch


@dataclass(frozen=True, slots=True)
class Death:
    """What the broker says of the last queue that a dead letter was on (header `x-death`)."""

    queue: str
    reason: str
    count: int
    routing_key: str
    at: datetime | None  # aware UTC

    @classmethod
    def of(cls, letter: Delivery, prefix: str) -> Death:
        """Read tolerantly: a letter without such a header was put here by hand."""
        told = letter.headers.get("x-death")
        last = told[0] if isinstance(told, list) and told and isinstance(told[0], dict) else {}
        reason, count, at = last.get("reason"), last.get("count"), last.get("time")
        keys = last.get("routing-keys")
        key = keys[0] if isinstance(keys, list) and keys else letter.routing_key
        return cls(
            queue=str(last.get("queue", "")).removeprefix(prefix),
            reason=reason if reason in _REASONS else "unknown",
            count=count if isinstance(count, int) else 1,
            routing_key=str(key),
            at=_in_utc(at) if isinstance(at, datetime) else None,
        )


@dataclass(frozen=True, slots=True)
class _Letter:
    consumer: str
    arrival: Arrival
    reason: str


class DeadLetters:
    """The loop that parks the dead letters of one service.

    `readers` are the service's own queues, each with what says who may speak there.
    """

    def __init__(
        self,
        service: str,
        store: Store,
        bus: Bus,
        readers: Mapping[str, Verify],
        *,
        metrics: Metrics | None = None,
    ) -> None:
        self.name = dead_letters(service)
        self._store = store
        self._prefix = bus.prefix
        self._readers = readers
        self._metrics = metrics
        self._window = Window(bus, self.name, _BATCH)
        self._asked = False  # whether the database answered since something last failed

    def step(self, wait: float) -> int:
        """Park what has arrived; waits up to `wait` s for it. DatabaseAway, BrokerAway."""
        try:
            if not self._asked:
                self._store.ping()
                self._asked = True
            taken = self._window.take(_BATCH, wait)
            if taken:
                self._park([self._read(each) for each in taken])
        except Exception:
            self._asked = False
            self._window.tend()
            raise
        if taken:
            self._window.acknowledge()
        return len(taken)

    def next_due(self) -> datetime | None:
        """Never by the clock."""
        return None

    def wake(self) -> None:
        """End a waiting step."""
        self._window.wake()

    def close(self) -> None:
        """Leave the queue; what was not acknowledged comes again."""
        self._window.close()

    def _read(self, letter: Delivery) -> _Letter:
        death = Death.of(letter, self._prefix)
        known = death.queue in self._readers
        first = replace(letter, routing_key=death.routing_key)
        arrival = from_delivery(first, self._readers[death.queue] if known else None)
        if death.at is not None:
            at = min(death.at, self._store.clock.now())
            arrival = replace(arrival, received_at=at)
        queue = death.queue if _PLAIN(death.queue) else "another queue"
        told = f"dead_letter: {death.reason} on {queue} ({death.count})"
        if arrival.refusal is not None:
            told = f"{arrival.refusal} ({told})"
        return _Letter(death.queue if known else self.name, arrival, told)

    def _park(self, letters: Sequence[_Letter]) -> None:
        by_consumer = attrgetter("consumer")
        with self._store.begin() as uow:
            parked = [
                each
                for consumer, group in groupby(sorted(letters, key=by_consumer), by_consumer)
                for each in self._park_all(uow, consumer, list(group))
            ]
        for each in parked:
            if self._metrics is not None:
                self._metrics.handled(each.consumer, each.arrival.type, PARKED, age=None)
            _log.warning(
                "fact.dead_lettered",
                consumer=each.consumer,
                type=each.arrival.type,
                subject=each.arrival.subject,
                id=each.arrival.fact_id,
                why=each.reason,
            )

    def _park_all(
        self, uow: UnitOfWork, consumer: str, letters: Sequence[_Letter]
    ) -> list[_Letter]:
        """Write down those that the ledger has not; all of them are of one consumer."""
        unique = {each.arrival.key: each for each in letters}
        sql = sql_of(uow.connection)
        sql.lock(uow.connection, consumer, {each.arrival.subject for each in letters})
        known = sql.known(uow.connection, consumer, list(unique))
        new = [each for key, each in unique.items() if key not in known]
        back = [each for key, each in unique.items() if self._came_back(consumer, known.get(key))]
        if new:
            sql.add_inbox(uow.connection, [_row(uow, each) for each in new])
        if back:
            sql.change_inbox(uow.connection, [_row(uow, each) for each in back])
        return [*new, *back]

    def _came_back(self, consumer: str, known: Known | None) -> bool:
        """Whether one that a person sent again is dead once more; what a reader knows, it has."""
        return consumer == self.name and known is not None and known.state != PARKED


def _row(uow: UnitOfWork, letter: _Letter) -> dict[str, Any]:
    return row_of(letter.consumer, letter.arrival, uow) | {
        "state": PARKED,
        "reason": letter.reason,
    }


def _in_utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
