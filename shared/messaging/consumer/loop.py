"""The loop of a consumer: take what has arrived, settle it in the ledgers, then acknowledge.

A batch is one transaction; when it raises, each of its subjects is gone through one fact at a
time, so that only the bad fact is held back. Retries are rows with a time; the broker never holds
a message for us longer than a transaction takes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from shared.database import Store
from shared.database.trouble import Contention
from shared.events.forms import without_forms
from shared.kernel.errors import DatabaseAway, ParkNow
from shared.kernel.retry import RetryPolicy
from shared.log import FixedEvent, Plain
from shared.messaging import Bus, Delivery
from shared.messaging.consumer import told
from shared.messaging.consumer.batch import Batch, Settled, row_of
from shared.messaging.consumer.model import (
    ANY,
    Arrival,
    Handler,
    Setup,
    Verify,
    from_delivery,
    from_row,
    reason_of,
    stamp_of,
)
from shared.messaging.consumer.window import Window
from shared.messaging.metrics import Metrics
from shared.messaging.sql import sql_of
from shared.messaging.tables import PARKED, RETRY, WAITING

_HANDLED = FixedEvent(
    "consumer",
    "fact.handled",
    ("consumer", "outcome", "type", "source", "subject", "sequence", "id", "attempts",
     "age_seconds", "why"),
)  # fmt: skip

# Seconds between looks for due rows while waiting: another process may have released some.
_POLL: Final = 1.0
_TRIES: Final = 4  # of a transaction that met another writer


class Consumer:
    """Applies the facts of one queue; several may read the same queue beside each other.

    `sources` are those whose facts come to this queue whole; a fact that names one of them in
    `after` waits for it. Facts without a number are only kept from being applied twice.
    """

    def __init__(
        self,
        name: str,
        queue: str,
        store: Store,
        bus: Bus,
        handlers: Mapping[str, Handler],
        *,
        sources: Sequence[str] = (),
        batch: int = 50,
        prefetch: int = 200,
        policy: RetryPolicy | None = None,
        verify: Verify | None = None,
        metrics: Metrics | None = None,
        keep_forms: bool = True,
        stamped: bool = False,
    ) -> None:
        self.name = name
        self._store = store
        self._setup = Setup(name, handlers, tuple(sources), policy or RetryPolicy(), verify)
        self._batch = batch
        self._metrics = metrics
        self._keep_forms = keep_forms
        self._stamped = stamped
        self._window = Window(bus, queue, max(prefetch, batch))
        self._next_retry: datetime | None = None
        self._looked_at: float | None = None  # monotonic; None: look at the next step
        self._seen = -1  # count of the replay signal when last looked

    def step(self, wait: float) -> int:
        """Settle what is due and what has arrived, at most a batch of each.

        Blocks up to `wait` s where there is neither. DatabaseAway: nothing was acknowledged, what
        was taken is kept for the next step. BrokerAway: nothing new can be had.
        """
        try:
            done = self._retry_due(polling=wait > 0)
            deliveries = self._window.take(self._batch, 0.0 if done else self._bounded(wait))
            if deliveries:
                self._settle([self._arrival(each) for each in deliveries])
        except Exception:
            self._looked_at = None  # the database must answer before more is taken
            self._window.tend()
            raise
        if deliveries:
            self._window.acknowledge()
        return done + len(deliveries)

    def _arrival(self, delivery: Delivery) -> Arrival:
        """What came; the row that is kept of it has no form where none is to be kept."""
        # Where every type has a handler, one answers for broken envelopes too.
        at = self._store.clock.now() if ANY in self._setup.handlers else None
        arrival = from_delivery(delivery, self._setup.verify, at)
        if self._stamped:
            taken_at = stamp_of(delivery, self._store.clock.now())
            arrival = replace(arrival, received_at=taken_at)
        if self._keep_forms or arrival.envelope is None:
            return arrival
        return replace(arrival, body=without_forms(arrival.body, arrival.envelope))

    def next_due(self) -> datetime | None:
        """When the next fact that failed is tried again, as far as this process knows."""
        return self._next_retry

    def wake(self) -> None:
        """End a waiting step and look at the ledgers again."""
        self._looked_at = None
        self._window.wake()

    def close(self) -> None:
        """Leave the queue; what was not acknowledged comes again."""
        self._window.close()

    # --- what waits in the ledgers --------------------------------------------------------

    def _bounded(self, wait: float) -> float:
        if self._next_retry is not None:
            left = (self._next_retry - self._store.clock.now()).total_seconds()
            wait = min(wait, max(0.0, left))
        return min(wait, _POLL)

    def _should_look(self, *, polling: bool) -> bool:
        if self._looked_at is None or self._store.replayed.count != self._seen:
            return True
        if self._next_retry is not None and self._next_retry <= self._store.clock.now():
            return True
        return polling and time.monotonic() - self._looked_at >= _POLL

    def _retry_due(self, *, polling: bool) -> int:
        if not self._should_look(polling=polling):
            return 0
        seen, name = self._store.replayed.count, self.name
        with self._store.query() as connection:
            now = self._store.clock.now()
            sql = sql_of(connection)
            beyond = self._setup.policy.beyond(now)
            due = sql.due(connection, name, now, self._batch, beyond=beyond)
            if not due:
                self._next_retry = sql.next_retry(connection, name)
        if due:
            # What comes after these is asked once they are settled.
            self._settle([from_row(row, self._setup.verify) for row in due])
            self._looked_at = None
            return len(due)
        self._seen, self._looked_at = seen, time.monotonic()
        return 0

    # --- settling -------------------------------------------------------------------------

    def _settle(self, arrivals: Sequence[Arrival]) -> None:
        started = time.monotonic()
        try:
            self._transact(arrivals, single=False)
        except DatabaseAway:
            raise
        # Whatever a handler raises is caught: the batch was rolled back, and going through it one
        # by one finds out which fact it was and writes that down.
        except Exception:  # noqa: BLE001
            self._looked_at = None  # facts that waited may have become due
            for group in _by_subject(arrivals):
                self._one_by_one(group)
        if self._metrics is not None:
            self._metrics.batch(self.name, time.monotonic() - started)

    def _transact(self, arrivals: Sequence[Arrival], *, single: bool) -> Batch:
        """One batch in a transaction of its own, tried again where another writer was met."""
        for left in range(_TRIES - 1, -1, -1):
            batch: Batch | None = None
            try:
                with self._store.begin() as uow:
                    batch = Batch(uow, self._setup, single=single)
                    batch.run(arrivals)
            except Contention as met:
                if not left:
                    raise _Failed(batch.current if batch else None) from met
            except DatabaseAway:
                raise
            except Exception as error:
                raise _Failed(batch.current if batch else None) from error
            else:
                self._tell(batch.settled)
                return batch
        raise AssertionError("unreachable")

    def _one_by_one(self, group: Sequence[Arrival]) -> None:
        """Facts of one subject, each in its own transaction, until none can be applied."""
        while True:
            try:
                if not self._transact(group, single=True).applied:
                    return
            except _Failed as failed:
                error = failed.__cause__ or failed
                if failed.culprit is None:  # no handler was called: not the fault of any fact
                    raise error from None
                if not self._hold_back(failed.culprit, error):  # a repeat of what is settled
                    group = [each for each in group if each is not failed.culprit]

    def _hold_back(self, culprit: Arrival, error: BaseException) -> bool:
        """Write down that this fact failed: to be tried again later, or parked.

        False where a fact of its id is settled: nothing can be written down of it then.
        """
        name, policy = self.name, self._setup.policy
        with self._store.begin() as uow:
            sql_of(uow.connection).lock(uow.connection, name, [culprit.subject])
            known = (
                sql_of(uow.connection).known(uow.connection, name, [culprit.key]).get(culprit.key)
            )
            if known is not None and known.state not in (RETRY, WAITING):
                return False
            attempts = (known.attempts if known else 0) + 1
            parked = isinstance(error, ParkNow) or policy.spent(attempts)
            row = row_of(name, culprit, uow)
            row |= {"state": PARKED, "attempts": attempts, "reason": reason_of(error)}
            if not parked:
                at = uow.now + policy.pause(attempts, culprit.fact_id)
                row |= {"state": RETRY, "next_at": at}
                self._next_retry = min(at, self._next_retry or at)
            sql = sql_of(uow.connection)
            write = sql.change_inbox if known else sql.add_inbox
            write(uow.connection, [row])
        self._tell([Settled(culprit, row["state"], attempts, row["reason"])])
        return True

    def _tell(self, settled: Sequence[Settled]) -> None:
        """One line per fact; one that waits for its turn gets its line when it is handled."""
        now = self._store.clock.now()
        ages = [_age(each.arrival, now) for each in settled]
        if self._metrics is not None:
            for each, age in zip(settled, ages, strict=True):
                kind = told.type_of(each.arrival.type, self._setup.handlers)
                self._metrics.handled(self.name, kind, each.state, age=age)
        _HANDLED.write(map(self._line, settled, ages))

    def _line(self, settled: Settled, age: float | None) -> tuple[str, Sequence[Plain]]:
        level = "warning" if settled.state in (RETRY, PARKED) else "info"
        fact = settled.arrival
        return level, (
            self.name,
            settled.state,
            told.type_of(fact.type, self._setup.handlers),
            told.source_of(fact.source),
            told.id_of(fact.subject),
            fact.sequence,
            told.id_of(fact.fact_id),
            settled.attempts,
            age,
            settled.note,
        )


def _age(arrival: Arrival, now: datetime) -> float | None:
    return (now - arrival.envelope.time).total_seconds() if arrival.envelope else None


class _Failed(Exception):
    """A batch raised; its cause is the error, `culprit` the fact whose handler was called last."""

    def __init__(self, culprit: Arrival | None) -> None:
        super().__init__()
        self.culprit = culprit


def _by_subject(arrivals: Sequence[Arrival]) -> list[list[Arrival]]:
    groups: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        groups.setdefault(arrival.subject, []).append(arrival)
    return list(groups.values())
