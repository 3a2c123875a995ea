"""Putting one service together: what all three do alike, so that each app.py says only its own.

Lives here: the store with its outbox, the declared queues, loops with the settings' sizes, metrics.
Must not: know a service, a handler or a route; they are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from shared.database import Store, UnitOfWork, make_engine
from shared.database.migrate import upgrade
from shared.kernel.clock import Clock
from shared.kernel.ids import Ids
from shared.messaging import Bus, Queue
from shared.messaging.consumer import Consumer, Handler, Verify
from shared.messaging.loops.loop import Loop
from shared.messaging.loops.ticker import Ticker
from shared.messaging.metrics import Metrics, ledgers
from shared.messaging.outbox import Outbox, stated_by
from shared.messaging.relay import Relay
from shared.messaging.service import Service
from shared.messaging.topology import exchanges_of, queues_of
from shared.settings import Settings


def store_of(
    service: str, settings: Settings, *, reads: Sequence[str], clock: Clock, ids: Ids
) -> Store:
    """A service's door to its database; nothing connects until it is used.

    `reads` are the sources whose events it applies: what it states says how far it had come.
    """
    outbox = Outbox(stated_by(service), reads)
    return Store(make_engine(settings.database_url), outbox, clock=clock, ids=ids)


class Assembly:
    """The parts of a service over its store and bus; `queues` are declared beside its own."""

    def __init__(
        self, name: str, settings: Settings, store: Store, bus: Bus, queues: Sequence[Queue] = ()
    ) -> None:
        self._name = name
        self._settings = settings
        self._store = store
        self._bus = bus
        self.metrics = Metrics()
        bus.declare(exchanges_of(name), (*queues_of(name), *queues))

    def relay(self) -> Relay:
        """Sends what the service states."""
        name, batch = f"{self._name}.relay", self._settings.relay_batch
        return Relay(self._store, self._bus, batch=batch, name=name, metrics=self.metrics)

    def consumer(
        self,
        queue: str,
        handlers: Mapping[str, Handler],
        *,
        sources: Sequence[str] = (),
        verify: Verify | None = None,
    ) -> Consumer:
        """Reads one queue, under the queue's own name."""
        return Consumer(
            queue,
            queue,
            self._store,
            self._bus,
            handlers,
            sources=sources,
            batch=self._settings.consumer_batch,
            prefetch=self._settings.prefetch,
            verify=verify,
            metrics=self.metrics,
        )

    def ticker(
        self,
        name: str,
        run: Callable[[UnitOfWork], int],
        next_due: Callable[[sa.Connection], datetime | None],
        *,
        gap: float = 0.25,
    ) -> Ticker:
        """Does what falls due by the clock; `next_due` is one question to the database."""

        def ask() -> datetime | None:
            with self._store.query() as connection:
                return next_due(connection)

        return Ticker(f"{self._name}.{name}", self._store, run, ask, gap=gap)

    def service(
        self, web: Flask, loops: Sequence[Loop], migrations: Path, beside: Sequence[Loop] = ()
    ) -> Service:
        """The whole service, its ledgers measured at each scrape; nothing runs yet.

        `beside` runs in every process that serves the web.
        """
        store = self._store
        consumers = [loop.name for loop in loops if isinstance(loop, Consumer)]
        self.metrics.measure(ledgers(store, consumers))
        return Service(
            name=self._name,
            settings=self._settings,
            store=store,
            bus=self._bus,
            web=web,
            loops=list(loops),
            beside=list(beside),
            migrate=lambda: upgrade(store.engine, migrations),
            close=store.close,
            metrics=self.metrics,
        )
