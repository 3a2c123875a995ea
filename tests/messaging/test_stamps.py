"""When the broker took a message: where it says so itself, what arrives late still happened in time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pika
import pytest

from shared.events.envelope import encode
from tests.backends import ServersBackend
from tests.messaging.rig import NOON, World, envelope, inbox

STAMP = "timestamp_in_ms"  # RabbitMQ's interceptor, from 3.12 on; here we write as it would


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@pytest.fixture
def world(on_servers: ServersBackend):
    made = World(on_servers)
    made.consumer.close()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("stamped", "headers", "counts_from"),
    [
        (True, {STAMP: milliseconds(NOON - timedelta(hours=1))}, NOON - timedelta(hours=1)),
        (False, {STAMP: milliseconds(NOON - timedelta(hours=1))}, NOON),
        (True, {}, NOON),
        (True, {STAMP: milliseconds(NOON + timedelta(days=9))}, NOON),
        (True, {STAMP: -1}, NOON),
        (True, {STAMP: "yesterday"}, NOON),
    ],
    ids=["by the broker", "by a sender", "none", "of tomorrow", "before 1970", "no number"],
)
def test_an_event_counts_from_when_a_broker_that_stamps_took_it(
    world: World,
    on_servers: ServersBackend,
    *,
    stamped: bool,
    headers: dict[str, Any],
    counts_from: datetime,
):
    seen: list[datetime | None] = []
    apply = world.reading.apply

    def noted(uow: Any, fact: Any) -> Any:
        seen.append(uow.cause.received_at)
        return apply(uow, fact)

    world.reading.apply = noted  # type: ignore[method-assign]
    consumer = world.another_consumer(stamped=stamped)
    consumer.step(0)
    with pika.BlockingConnection(pika.URLParameters(on_servers.amqp_url())) as connection:
        body = encode(envelope("/maker", "D1", 1))
        properties = pika.BasicProperties(headers=headers)
        connection.channel().basic_publish("", "reader.facts", body, properties)
    while not seen:
        consumer.step(1.0)
    consumer.close()
    assert seen == [counts_from]
    (row,) = inbox(world.reader)
    assert row.received_at == counts_from
