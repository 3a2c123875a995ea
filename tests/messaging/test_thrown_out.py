"""A broker takes back what is not acknowledged in its time, and counts it: that must not add up."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pika
import pika.exceptions
import pytest

from shared.database import Store
from shared.events.envelope import encode
from shared.kernel.clock import FixedClock
from shared.kernel.errors import DatabaseAway, Transient
from shared.messaging import Bus
from shared.messaging.consumer import Consumer
from shared.testing.proxy import FaultProxy
from tests.backends import ServersBackend
from tests.messaging.rig import EXCHANGES, NOON, QUEUES, Reading, applied, envelope, open_store
from tests.tls import TlsBroker

QUEUE = "reader.facts"
FACTS = 30
TIMEOUT_MS = 500  # RabbitMQ gives half an hour


@pytest.fixture
def impatient(tls_broker: TlsBroker) -> Iterator[str]:
    """The URL of a node of our own that gives consumers half a second to acknowledge."""

    def give(timeout: int, tick: int) -> None:
        tls_broker.node.control(
            "eval",
            f"application:set_env(rabbit, consumer_timeout, {timeout}),"
            f" application:set_env(rabbit, channel_tick_interval, {tick}).",
        )

    give(TIMEOUT_MS, 100)
    yield tls_broker.node.url + tls_broker.management.fresh_vhost()
    give(1_800_000, 60_000)


@contextmanager
def channel_of(url: str) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()


def put(url: str, *numbers: int) -> None:
    with channel_of(url) as channel:
        channel.confirm_delivery()
        for number in numbers:
            body = encode(envelope("/maker", f"D{number}", 1))
            channel.basic_publish("dossier.facts", "maker.test.made", body, mandatory=True)


def look(url: str) -> tuple[int, int]:
    """How many messages lie ready, and how many read."""
    with channel_of(url) as channel:
        found = channel.queue_declare(QUEUE, passive=True).method
        return found.message_count, found.consumer_count


def be_thrown_out(url: str) -> None:
    """A consumer that never acknowledges, until the broker throws it out: its hour is over."""
    with channel_of(url) as channel:
        channel.queue_declare("canary", durable=True, arguments={"x-queue-type": "quorum"})
        channel.basic_publish("", "canary", b"x")
        with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
            for _ in channel.consume("canary", inactivity_timeout=60):
                pass
        assert closed.value.reply_code == 406


def delivery_counts(url: str) -> set[int]:
    """How often each message that lies there was given back."""
    with channel_of(url) as channel:
        counts = set()
        while True:
            method, properties, _ = channel.basic_get(QUEUE)
            if method is None:
                return counts
            counts.add((properties.headers or {}).get("x-delivery-count", 0))


def reader(store: Store, bus: Bus) -> Consumer:
    handlers = Reading(echo=False).handlers()
    return Consumer(QUEUE, QUEUE, store, bus, handlers, sources=("/maker",), batch=10)


def test_a_reader_thrown_out_while_its_database_is_away_stays_out(
    on_servers: ServersBackend, impatient: str
):
    database = on_servers.settings("routing").database_url
    parts = urllib.parse.urlsplit(database)
    assert parts.hostname is not None
    assert parts.port is not None
    with FaultProxy((parts.hostname, parts.port)) as proxy:
        store = open_store(database.replace(f":{parts.port}/", f":{proxy.port}/"), FixedClock(NOON))
        bus = Bus(impatient)
        bus.declare(EXCHANGES, QUEUES)
        consumer, another = (reader(store, bus) for _ in range(2))

        def step(wait: float = 0.05) -> None:
            with suppress(Transient):
                consumer.step(wait)

        put(impatient, 0)
        while len(applied(store)) < 1:
            step()
        assert look(impatient) == (0, 1)
        proxy.cut()
        put(impatient, *range(1, FACTS + 1))
        while look(impatient) != (FACTS, 0):  # it took them, and was thrown out
            step()
        for _ in range(3):
            be_thrown_out(impatient)  # so long would each try to read have lasted
            for _ in range(20):
                step(0.01)
            assert look(impatient) == (FACTS, 0), "it came back with nowhere to put them"
        with pytest.raises(DatabaseAway):
            another.step(0.05)
        assert look(impatient) == (FACTS, 0), "one that has just been started came in"
        assert delivery_counts(impatient) <= {0, 1}
        proxy.heal()
        while len(applied(store)) < FACTS + 1 or look(impatient) != (0, 1):
            step()
        assert len(applied(store)) == FACTS + 1
        consumer.close()
        bus.close()
        store.close()
