"""The relay: from the outbox to the broker, in batches, each row until it is confirmed.

A row is marked sent only after it was confirmed, so a crash at any point sends it twice and never
not at all. A broker confirms a batch at once; in one process the readers do, later, and what is
on its way is remembered from step to step. Rows that were refused hold back only what takes
the same route; one that is refused for its own sake is parked and holds back nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from shared.database import Store
from shared.kernel.errors import Transient
from shared.log import get
from shared.messaging import Bus, OutMessage, Publisher, Sent
from shared.messaging.metrics import Metrics
from shared.messaging.refusals import Judge, park
from shared.messaging.sql import Unsent, sql_of

_log = get("relay")

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=1)
# Seconds between looks without a signal: short after work, then longer and longer.
_SHORTEST_POLL: Final = 0.02
_LONGEST_POLL: Final = 0.5
# So many may be on their way: what nobody takes waits in the outbox and not in memory.
MOST_IN_FLIGHT: Final = 10_000
# So many at a time: each is a lock in PostgreSQL's table of locks, which holds some thousands.
MOST_CLAIMED: Final = 500

Route = tuple[str, str]  # (exchange, routing key)


@dataclass(slots=True)
class _BackOff:
    """A route on which the broker last refused something: not tried again before `until` (steady)."""

    until: float
    pause: timedelta


class Relay:
    """Sends what was recorded in `store`; two may run beside each other on PostgreSQL.

    `user_id` is the broker user that the messages are signed with: our own, or none. `publisher`
    makes who hands them to the bus, where that is not the bus itself.
    """

    def __init__(
        self,
        store: Store,
        bus: Bus,
        *,
        batch: int = 100,
        name: str = "relay",
        user_id: str | None = None,
        metrics: Metrics | None = None,
        publisher: Callable[[], Publisher] | None = None,
    ) -> None:
        self.name = name
        self._new_publisher = publisher or bus.publisher
        self._user_id = user_id
        self._store = store
        self._batch = min(batch, MOST_CLAIMED)
        self._metrics = metrics
        self._publisher: Publisher | None = None
        self._back_offs: dict[Route, _BackOff] = {}
        self._in_flight: set[int] = set()  # positions that were sent and not yet confirmed
        self._confirmed: set[int] = set()  # and those that are, and not yet marked
        self._judge = Judge()
        self._blamed: dict[int, str] = {}  # refused for their own sake, and not yet parked
        self._seen = -1  # count of the store's signal when last looked
        self._looked_at = 0.0  # monotonic
        self._poll = _SHORTEST_POLL

    def step(self, wait: float) -> int:
        """Send one batch; where there is none, wait up to `wait` s for one. Counts what was sent.

        Whatever was confirmed meanwhile is marked. BrokerAway and DatabaseAway: what was not
        marked will be looked at again.
        """
        end = time.monotonic() + wait
        while True:
            self._mark()
            if self._has_news(polling=wait > 0):
                done = self._look()
                self._mark()
                if done:
                    return done
            left = end - time.monotonic()
            if left <= 0:
                return 0
            if self._publisher is not None:
                self._publisher.tend()
            self._store.recorded.wait(self._seen, min(left, self._until_poll()))

    def next_due(self) -> datetime | None:
        """When the first route that is backed off is tried again; None where none is."""
        left = self._until_free()
        return None if left is None else self._store.clock.now() + timedelta(seconds=left)

    def wake(self) -> None:
        """Look at the outbox now."""
        self._store.recorded.set()

    def close(self) -> None:
        """Close the connection to the broker; what is not known to be safe stays unsent."""
        try:
            self._mark()
        except Transient as away:  # harmless: it is sent once more
            _log.warning("relay.not_marked", relay=self.name, reason=away.code)
        self._in_flight.clear()
        self._confirmed.clear()
        self._blamed.clear()
        self._seen = -1
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()

    # --- when to look ---------------------------------------------------------------------

    def _has_news(self, *, polling: bool) -> bool:
        if self._store.recorded.count != self._seen:
            return True
        left = self._until_free()
        if left is not None and left <= 0:
            return True
        return polling and time.monotonic() - self._looked_at >= self._poll

    def _until_poll(self) -> float:
        until = max(0.001, self._looked_at + self._poll - time.monotonic())
        left = self._until_free()
        return until if left is None else max(0.001, min(until, left))

    def _until_free(self) -> float | None:
        """Seconds until the first route is tried again, none that are left where it may be now."""
        first = min((each.until for each in self._back_offs.values()), default=None)
        # To the microsecond, as instants are: a clock that is set to the end of a pause is there.
        return None if first is None else round(first - self._store.clock.steady(), 6)

    def _look(self) -> int:
        seen = self._store.recorded.count  # before looking: what is recorded meanwhile signals anew
        try:
            claimed, done = self._send_batch()
        except BaseException:
            self._seen = -1  # whatever it was, look again at the next step
            raise
        # A full batch means that there may be more.
        self._seen = -1 if claimed == self._batch else seen
        self._looked_at = time.monotonic()
        self._poll = _SHORTEST_POLL if claimed else min(self._poll * 2, _LONGEST_POLL)
        return done

    # --- sending --------------------------------------------------------------------------

    def _send_batch(self) -> tuple[int, int]:
        """Claim and publish; returns how many were claimed and how many went out."""
        if self._store.engine.dialect.name == "sqlite":
            # One writer: it must not be held up while a broker answers. The step marks.
            with self._store.read() as connection:
                rows = self._claim(connection)
            sent = self._publish(rows)
            return len(rows), self._told(rows, sent)
        # What is claimed is locked by the session, so that no other relay takes the same rows; no
        # transaction is open while the broker is waited for.
        with self._store.session() as connection:
            rows = self._claim(connection)
            try:
                sent = self._publish(rows)
            except BaseException:
                with self._store.last(connection):
                    sql_of(connection).let_go(connection)
                raise
            with self._store.last(connection):
                if self._confirmed or self._blamed:
                    self._mark_in(connection)
                sql_of(connection).let_go(connection)
        self._marked()
        return len(rows), self._told(rows, sent)

    def _claim(self, connection: sa.Connection) -> list[Unsent]:
        limit = min(self._batch, MOST_IN_FLIGHT - len(self._in_flight))
        if limit <= 0:
            return []
        return sql_of(connection).claim(connection, limit, self._backed_off(), self._in_flight)

    def _publish(self, rows: Sequence[Unsent]) -> Sent:
        if not rows:
            return Sent()
        if self._publisher is None:
            self._publisher = self._new_publisher()
        sent = self._publisher.publish([self._message(row) for row in rows])
        self._judge.blame(rows, sent)
        self._blamed |= sent.refused
        self._in_flight.update(row.position for row in rows if row.position not in sent.failed)
        self._confirmed |= sent.confirmed
        return sent

    def _message(self, row: Unsent) -> OutMessage:
        # Header names as in CloudEvents' AMQP binding; for people who look at the broker.
        headers = {"ce-id": row.id, "ce-type": row.type, "ce-subject": row.subject}
        return OutMessage(
            row.position, row.exchange, row.routing_key, bytes(row.body), headers, self._user_id
        )

    def _mark(self) -> None:
        """Mark what was confirmed since; what cannot be marked now will be at the next step."""
        if self._publisher is not None:
            self._confirmed |= self._publisher.confirmed()
        if self._confirmed or self._blamed:
            with self._store.transaction() as connection:
                self._mark_in(connection)
            self._marked()

    def _mark_in(self, connection: sa.Connection) -> None:
        now = self._store.clock.now()
        if self._blamed:
            park(connection, self.name, self._blamed, now)
        settled = sorted(self._confirmed | self._blamed.keys())
        sql_of(connection).mark_sent(connection, settled, now)

    def _marked(self) -> None:
        if len(self._in_flight) >= MOST_IN_FLIGHT:
            self._seen = -1  # there is room again
        if self._metrics is not None:
            self._metrics.sent(len(self._confirmed), len(self._blamed))
        for position, reason in self._blamed.items():
            _log.error("relay.parked", relay=self.name, position=position, reason=reason)
        self._in_flight -= self._confirmed | self._blamed.keys()
        self._confirmed.clear()
        self._blamed.clear()

    def _backed_off(self) -> list[Route]:
        now = self._store.clock.steady()
        return [route for route, each in self._back_offs.items() if each.until > now]

    def _told(self, rows: Sequence[Unsent], sent: Sent) -> int:
        """Back off from the routes on which something failed, free those that work again."""
        failed: dict[Route, str] = {}
        for row in rows:
            route = (row.exchange, row.routing_key)
            if row.position in sent.failed:
                failed[route] = sent.failed[row.position]
            else:
                self._back_offs.pop(route, None)
        for route, reason in failed.items():
            self._back_off(route, reason)
        self._forget_idle_routes(rows)
        if self._metrics is not None:
            self._metrics.sent(0, len(sent.failed))
        return len(rows) - len(sent.failed) - len(sent.refused)

    def _back_off(self, route: Route, reason: str) -> None:
        before = self._back_offs.get(route)
        pause = FIRST_PAUSE if before is None else min(before.pause * 2, LONGEST_PAUSE)
        self._back_offs[route] = _BackOff(self._store.clock.steady() + pause.total_seconds(), pause)
        _log.warning(
            "relay.not_confirmed",
            relay=self.name,
            exchange=route[0],
            routing_key=route[1],
            reason=reason,
            again_in_seconds=pause.total_seconds(),
        )

    def _forget_idle_routes(self, rows: Sequence[Unsent]) -> None:
        """A route that was tried again and had nothing left to send is forgotten."""
        if len(rows) == self._batch:
            return
        now = self._store.clock.steady()
        for route in [route for route, each in self._back_offs.items() if each.until <= now]:
            del self._back_offs[route]
