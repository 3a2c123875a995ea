"""Putting one service together: what all three do alike, so that each app.py says only its own.

Lives here: the store with its outbox, the declared queues, loops with the settings' sizes, metrics.
Must not: know a service, a handler or a route; they are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path

from flask import Flask
from sqlalchemy import make_url

from shared.database import Store, make_engine, sealing
from shared.database.engine import Limits
from shared.database.keyring import KeyFile
from shared.database.migrate import upgrade
from shared.database.sealing import Sealer
from shared.kernel.clock import Clock
from shared.kernel.ids import Ids
from shared.messaging import Bus, Publisher, Queue
from shared.messaging.consumer import Consumer, Handler, Verify
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.loops.loop import Loop
from shared.messaging.loops.nightly import Nightly
from shared.messaging.loops.ticker import Ticker, Timely
from shared.messaging.metrics import Metrics, ledgers
from shared.messaging.outbox import Outbox, stated_by
from shared.messaging.relay import Relay
from shared.messaging.senders import anybody, verify_facts
from shared.messaging.service import Service
from shared.messaging.standing import Matters
from shared.messaging.topology import exchanges_of, queues_of
from shared.settings import Settings


def store_of(
    service: str, settings: Settings, *, reads: Sequence[str], clock: Clock, ids: Ids
) -> Store:
    """A service's door to its database; nothing connects until it is used.

    `reads` are the sources whose events it applies: what it states says how far it had come.
    """
    outbox = Outbox(stated_by(service), reads)
    engine = make_engine(settings.database_url, limits_of(settings))
    sealing.give(engine, Sealer(key_file(settings)))
    return Store(engine, outbox, clock=clock, ids=ids)


def key_file(settings: Settings) -> KeyFile:
    """The keys that personal data is sealed with: the setting's file, else one in the data folder.

    Beside SQLite's file, wherever that is: a command that is told the file finds its keys.
    """
    if settings.privacy_keys is not None:
        return KeyFile(settings.privacy_keys, draws=False)
    url = make_url(settings.database_url)
    in_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    folder = Path(url.database or "").parent if in_file else settings.data_dir
    return KeyFile(folder / "privacy.keys")


def limits_of(settings: Settings) -> Limits:
    """How long the database is waited for, as the operator has set it."""
    names = (each.name for each in fields(Limits))
    return Limits(**{name: getattr(settings, f"database_{name}_seconds") for name in names})


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
        if sealer := sealing.sealer_of(store.engine.dialect):
            sealer.reread()  # without its keys it does not begin
        self._readers: dict[str, Verify] = {}
        bus.declare(exchanges_of(name), (*queues_of(name), *queues))

    def relay(self, publisher: Callable[[], Publisher] | None = None) -> Relay:
        """Sends what the service states, by the bus or by this publisher over it."""
        return Relay(
            self._store,
            self._bus,
            batch=self._settings.relay_batch,
            name=f"{self._name}.relay",
            # A user that is not the service's own says nothing to those who read.
            user_id=self._name if self._bus.user == self._name else None,
            metrics=self.metrics,
            publisher=publisher,
        )

    def consumer(
        self,
        queue: str,
        handlers: Mapping[str, Handler],
        *,
        sources: Sequence[str] = (),
        verify: Verify | None = None,
        keep_forms: bool = True,
    ) -> Consumer:
        """Reads one queue, under the queue's own name; `verify` says who may speak there.

        `keep_forms`: the inbox needs them.
        """
        verify = self._readers[queue] = verify or verify_facts(queue, anybody(self._bus))
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
            keep_forms=keep_forms,
            stamped=self._settings.broker_stamps,
            metrics=self.metrics,
        )

    def ticker(self, name: str, work: Timely, *, gap: float = 0.25) -> Ticker:
        """Does what falls due by the clock."""
        return Ticker(f"{self._name}.{name}", self._store, work, gap=gap)

    def nightly(
        self, work: Callable[[Store, Settings], Iterator[object]], name: str = "prune"
    ) -> Nightly:
        """What is done once a night, such as to let go of what has outlived its term."""
        done = partial(work, self._store, self._settings)
        return Nightly(f"{self._name}.{name}", self._store.clock, done)

    def service(
        self,
        web: Flask,
        loops: Sequence[Loop],
        migrations: Path,
        matters: Matters,
        beside: Sequence[Loop] = (),
        outside: Sequence[Loop] = (),
        managing: Sequence[Loop] = (),
    ) -> Service:
        """The whole service, its ledgers measured at each scrape; nothing runs yet.

        `beside` runs in every process that serves the web, `outside` where others are called,
        `managing` where the broker may be managed.
        """
        store = self._store
        consumers = [loop.name for loop in loops if isinstance(loop, Consumer | Relay | Ticker)]
        if not self._bus.volatile:  # in one process nothing is delivered in vain
            dead = DeadLetters(self._name, store, self._bus, self._readers, metrics=self.metrics)
            consumers.append(dead.name)
            loops = [*loops, dead]
        self.metrics.measure(ledgers(store, consumers))
        return Service(
            name=self._name,
            settings=self._settings,
            store=store,
            bus=self._bus,
            web=web,
            loops=list(loops),
            beside=list(beside),
            outside=list(outside),
            managing=list(managing),
            migrate=lambda: upgrade(store.engine, migrations),
            close=store.close,
            metrics=self.metrics,
            matters=matters,
        )
