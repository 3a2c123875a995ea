"""The relay: from the outbox to the broker, in batches, with every confirm awaited.

A row is marked sent only after the broker confirmed it, so a crash at any point sends it twice
and never not at all. Rows that the broker refused hold back only what goes the same way.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.database import Store
from shared.kernel.errors import Transient
from shared.log import get
from shared.messaging import Bus, OutMessage, Publisher, Sent
from shared.messaging.metrics import Metrics
from shared.messaging.resending import begin_volatile
from shared.messaging.sql import Unsent, sql_of
from shared.messaging.watermark import Watermark

_log = get("relay")

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=1)
# Seconds between looks where nobody rang: short after work, then longer and longer.
_SHORTEST_POLL: Final = 0.02
_LONGEST_POLL: Final = 0.5

Way = tuple[str, str]  # (exchange, routing key)


@dataclass(slots=True)
class _Held:
    """A way on which the broker last refused something: not tried again before `until`."""

    until: datetime
    pause: timedelta


class Relay:
    """Sends what was recorded in `store`; two may run beside each other on PostgreSQL."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        *,
        batch: int = 100,
        name: str = "relay",
        metrics: Metrics | None = None,
    ) -> None:
        self.name = name
        self._store = store
        self._bus = bus
        self._batch = batch
        self._metrics = metrics
        self._publisher: Publisher | None = None
        self._held: dict[Way, _Held] = {}
        self._started = not bus.volatile
        self._watermark = Watermark(store) if bus.volatile else None
        self._seen = -1  # rings of the store's bell when last looked
        self._looked_at = 0.0  # monotonic
        self._poll = _SHORTEST_POLL

    def step(self, wait: float) -> int:
        """Send one batch; where there is none, wait up to `wait` s for one. Counts confirms.

        BrokerAway and DatabaseAway: nothing was marked, everything will be looked at again.
        """
        end = time.monotonic() + wait
        while True:
            if self._has_news(polling=wait > 0):
                done = self._look()
                if done:
                    self._look_back()
                    return done
            self._look_back()
            left = end - time.monotonic()
            if left <= 0:
                return 0
            if self._publisher is not None:
                self._publisher.tend()
            self._store.recorded.wait(self._seen, min(left, self._until_poll()))

    def next_due(self) -> datetime | None:
        """When the first held way is tried again; None where nothing is held."""
        return min((held.until for held in self._held.values()), default=None)

    def wake(self) -> None:
        """Look at the outbox now."""
        self._store.recorded.set()

    def close(self) -> None:
        """Close the connection to the broker; what is unsent stays in the outbox."""
        try:
            self._look_back(at_once=True)
        except Transient as away:  # harmless: the next start sends more again than it must
            _log.warning("relay.watermark_not_moved", relay=self.name, reason=away.code)
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()

    # --- when to look ---------------------------------------------------------------------

    def _has_news(self, *, polling: bool) -> bool:
        if not self._started or self._store.recorded.count != self._seen:
            return True
        now = self._store.clock.now()
        if any(held.until <= now for held in self._held.values()):
            return True
        return polling and time.monotonic() - self._looked_at >= self._poll

    def _until_poll(self) -> float:
        until = max(0.001, self._looked_at + self._poll - time.monotonic())
        due = self.next_due()
        if due is None:
            return until
        return max(0.001, min(until, (due - self._store.clock.now()).total_seconds()))

    def _look(self) -> int:
        seen = self._store.recorded.count  # before looking: what is recorded meanwhile rings anew
        try:
            self._start()
            claimed, done = self._send_batch()
        except BaseException:
            self._seen = -1  # whatever it was, look again at the next step
            raise
        # A full batch means that there may be more.
        self._seen = -1 if claimed == self._batch else seen
        self._looked_at = time.monotonic()
        self._poll = _SHORTEST_POLL if claimed else min(self._poll * 2, _LONGEST_POLL)
        return done

    def _start(self) -> None:
        if self._started:
            return
        with self._store.transaction() as connection:
            again = begin_volatile(connection, self._store.clock.now())
        self._started = True
        if again:
            _log.info("relay.sends_again", relay=self.name, facts=again)

    def _look_back(self, *, at_once: bool = False) -> None:
        if self._watermark is not None and self._publisher is not None:
            self._watermark.look(self._publisher, at_once=at_once)

    # --- sending --------------------------------------------------------------------------

    def _send_batch(self) -> tuple[int, int]:
        """Claim, publish, mark; returns how many were claimed and how many are now sent."""
        if self._store.engine.dialect.name == "sqlite":
            return self._read_then_mark()
        # The claim's row locks last until the mark, so that no other relay takes the same rows.
        with self._store.transaction() as connection:
            rows = sql_of(connection).claim(connection, self._batch, self._ways_held())
            sent = self._publish(rows)
            if sent.confirmed:
                now = self._store.clock.now()
                with self._store.ending(connection):
                    sql_of(connection).mark_sent(connection, sorted(sent.confirmed), now)
        return len(rows), self._told(rows, sent)

    def _read_then_mark(self) -> tuple[int, int]:
        """SQLite has one writer: it must not be held up while the broker answers."""
        with self._store.read() as connection:
            rows = sql_of(connection).claim(connection, self._batch, self._ways_held())
        sent = self._publish(rows)
        if sent.confirmed:
            with self._store.transaction() as connection:
                now = self._store.clock.now()
                sql_of(connection).mark_sent(connection, sorted(sent.confirmed), now)
        return len(rows), self._told(rows, sent)

    def _publish(self, rows: Sequence[Unsent]) -> Sent:
        if not rows:
            return Sent()
        if self._publisher is None:
            self._publisher = self._bus.publisher()
        sent = self._publisher.publish([_message(row) for row in rows])
        if self._watermark is not None and sent.confirmed:
            self._watermark.sent(sent.confirmed)
        return sent

    def _ways_held(self) -> list[Way]:
        now = self._store.clock.now()
        return [way for way, held in self._held.items() if held.until > now]

    def _told(self, rows: Sequence[Unsent], sent: Sent) -> int:
        """Hold the ways on which something failed, free those that work again."""
        failed: dict[Way, str] = {}
        for row in rows:
            way = (row.exchange, row.routing_key)
            if row.position in sent.confirmed:
                self._held.pop(way, None)
            else:
                failed[way] = sent.failed.get(row.position, "not confirmed")
        for way, reason in failed.items():
            self._hold(way, reason)
        self._free_idle_ways(rows)
        if self._metrics is not None and rows:
            self._metrics.sent(len(sent.confirmed), len(rows) - len(sent.confirmed))
        return len(sent.confirmed)

    def _hold(self, way: Way, reason: str) -> None:
        before = self._held.get(way)
        pause = FIRST_PAUSE if before is None else min(before.pause * 2, LONGEST_PAUSE)
        self._held[way] = _Held(self._store.clock.now() + pause, pause)
        _log.warning(
            "relay.not_confirmed",
            relay=self.name,
            exchange=way[0],
            routing_key=way[1],
            reason=reason,
            again_in_seconds=pause.total_seconds(),
        )

    def _free_idle_ways(self, rows: Sequence[Unsent]) -> None:
        """A way that was tried again and had nothing left to send is forgotten."""
        if len(rows) == self._batch:
            return
        now = self._store.clock.now()
        for way in [way for way, held in self._held.items() if held.until <= now]:
            del self._held[way]


def _message(row: Unsent) -> OutMessage:
    # Header names as in CloudEvents' AMQP binding; for people who look at the broker.
    headers = {"ce-id": row.id, "ce-type": row.type, "ce-subject": row.subject}
    return OutMessage(row.position, row.exchange, row.routing_key, bytes(row.body), headers)
