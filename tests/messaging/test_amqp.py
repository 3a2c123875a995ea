"""What only a real broker can do to us: refuse, break off, go silent, come back."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pika
import pytest

from shared.kernel.errors import BrokerAway, SettingsError
from shared.messaging import Bus, Delivery, Exchange, OutMessage, Queue, Subscriber, TopologyBroken
from shared.messaging.amqp.address import parse
from shared.messaging.amqp.publisher import AmqpPublisher
from shared.testing.proxy import FaultProxy
from tests.backends import ServersBackend

TOPOLOGY = (
    [Exchange("facts")],
    [Queue("in", (("facts", "a.*.*"),)), Queue("too", (("facts", "a.*.*"),))],
)


@pytest.fixture
def bus(on_servers: ServersBackend) -> Iterator[Bus]:
    made = Bus(on_servers.amqp_url())
    made.declare(*TOPOLOGY)
    yield made
    made.close()


@pytest.fixture
def line(bus: Bus, on_servers: ServersBackend) -> Iterator[FaultProxy]:
    parts = urllib.parse.urlsplit(on_servers.amqp_url())
    with FaultProxy((str(parts.hostname), int(parts.port or 5672))) as proxy:
        yield proxy


def through(line: FaultProxy, backend: ServersBackend) -> str:
    parts = urllib.parse.urlsplit(backend.amqp_url())
    login = parts.netloc.rpartition("@")[0]
    return f"amqp://{login}@{line.host}:{line.port}{parts.path}"


def message(key: object, body: bytes = b"{}") -> OutMessage:
    return OutMessage(str(key), "facts", "a.b.c", body)


def insistently(attempt: Callable[[], Any]) -> Any:
    """What a loop does: ask again while the broker is away, at most 20 s."""
    end = time.monotonic() + 20
    while True:
        try:
            return attempt()
        except BrokerAway:
            assert time.monotonic() < end
            time.sleep(0.02)


def receive(subscriber: Subscriber, count: int) -> list[Delivery]:
    taken: list[Delivery] = []
    while len(taken) < count:
        taken += insistently(partial(subscriber.receive, count - len(taken), 1))
    return taken


def breaks_off(subscriber: Subscriber) -> bool:
    """Whether reading on meets a connection that is gone, within 10 s."""
    end = time.monotonic() + 10
    try:
        while time.monotonic() < end:
            subscriber.receive(1, 0.1)
    except BrokerAway:
        return True
    return False


def test_queues_are_quorum_queues_and_durable(bus: Bus, on_servers: ServersBackend) -> None:
    [queue] = [
        each
        for each in on_servers.management.call("GET", f"/queues/{on_servers.vhost}")
        if each["name"] == "in"
    ]
    assert queue["type"] == "quorum"
    assert queue["durable"]
    assert queue["arguments"] == {"x-queue-type": "quorum"}
    assert not bus.volatile


def test_messages_are_persistent_and_say_what_they_are(
    bus: Bus, on_servers: ServersBackend
) -> None:
    bus.publisher().publish([message(5)])
    with pika.BlockingConnection(pika.URLParameters(on_servers.amqp_url())) as stranger:
        _, properties, body = stranger.channel().basic_get("in", auto_ack=True)
    assert body == b"{}"
    assert properties.delivery_mode == 2
    assert properties.content_type == "application/cloudevents+json"
    assert properties.message_id == "5"


def test_confirms_that_come_out_of_order_and_multiple_are_all_counted(bus: Bus) -> None:
    publisher = bus.publisher()
    keys = [str(number) for number in range(1500)]
    sent = publisher.publish([message(key, b"x" * 500) for key in keys])
    assert sent.confirmed == set(keys)
    assert sent.failed == {}


def test_a_full_queue_that_refuses_fails_what_it_refused(
    bus: Bus, on_servers: ServersBackend
) -> None:
    policy = {
        "pattern": "^in$",
        "definition": {"max-length": 3, "overflow": "reject-publish"},
        "apply-to": "queues",
    }
    on_servers.management.call("PUT", f"/policies/{on_servers.vhost}/small", policy)
    publisher = bus.publisher()
    end = time.monotonic() + 30
    while not (sent := publisher.publish([message("x")])).failed:
        assert time.monotonic() < end  # policies take hold a moment after they are set
    assert "nack" in sent.failed["x"]


def test_a_message_too_large_for_the_frame_is_carried_whole(bus: Bus) -> None:
    body = bytes(range(256)) * 1000
    assert bus.publisher().publish([message(1, body)]).confirmed == {"1"}
    subscriber = bus.subscriber("in")
    assert receive(subscriber, 1)[0].body == body
    subscriber.close()


def test_the_user_checked_by_the_broker_is_told(bus: Bus, on_servers: ServersBackend) -> None:
    with pika.BlockingConnection(pika.URLParameters(on_servers.amqp_url())) as stranger:
        properties = pika.BasicProperties(user_id="guest")
        stranger.channel().basic_publish("facts", "a.b.c", b"{}", properties)
    subscriber = bus.subscriber("in")
    assert receive(subscriber, 1)[0].user_id == "guest"
    subscriber.close()


def test_a_broker_that_cannot_be_reached_is_away_and_names_no_password() -> None:
    bus = Bus("amqp://somebody:geheim@127.0.0.1:1/v")
    for attempt in (
        lambda: bus.publisher().publish([message(1)]),
        lambda: bus.subscriber("in").receive(1, 0),
        bus.ping,
    ):
        with pytest.raises(BrokerAway) as raised:
            attempt()
        assert "geheim" not in str(raised.value)


@pytest.mark.parametrize("ask", [Bus.ping, lambda bus: bus.depth("in")], ids=["ping", "depth"])
def test_a_line_that_the_broker_closed_while_nobody_asked_says_nothing_of_the_broker(
    on_servers: ServersBackend, ask: Callable[[Bus], object]
) -> None:
    real = urllib.parse.urlsplit(on_servers.amqp_url())
    with FaultProxy((real.hostname or "", real.port or 0)) as proxy:
        login = real.netloc.rpartition("@")[0]
        bus = Bus(f"amqp://{login}@{proxy.host}:{proxy.port}{real.path}")
        ask(bus)
        proxy.cut()
        proxy.heal()
        ask(bus)
        bus.close()


def test_of_a_list_of_brokers_the_first_that_answers_is_taken(on_servers: ServersBackend) -> None:
    real = on_servers.amqp_url()
    login = urllib.parse.urlsplit(real).netloc.rpartition("@")[0]
    bus = Bus(f"amqp://{login}@127.0.0.1:1/{on_servers.vhost};{real}")
    bus.declare(*TOPOLOGY)
    assert bus.publisher().publish([message(1)]).confirmed == {"1"}


def test_a_publisher_whose_connection_is_cut_sends_again_by_its_next_call(
    line: FaultProxy, on_servers: ServersBackend
) -> None:
    publisher = Bus(through(line, on_servers)).publisher()
    assert publisher.publish([message(1)]).confirmed == {"1"}
    line.cut()
    with pytest.raises(BrokerAway):
        publisher.publish([message(2)])
    line.heal()
    assert insistently(lambda: publisher.publish([message(2)])).confirmed == {"2"}


def test_a_subscriber_whose_connection_is_cut_takes_up_where_it_was(
    bus: Bus, line: FaultProxy, on_servers: ServersBackend
) -> None:
    bus.publisher().publish([message(n, str(n).encode()) for n in range(4)])
    subscriber = Bus(through(line, on_servers)).subscriber("in")
    taken = receive(subscriber, 4)
    subscriber.ack_through(taken[0])
    subscriber.receive(1, 0.2)  # the acknowledgement has gone out
    line.cut()
    assert breaks_off(subscriber)
    line.heal()
    again = receive(subscriber, 3)
    assert [delivery.body for delivery in again] == [b"1", b"2", b"3"]
    subscriber.ack_through(taken[3])  # of the old connection: says nothing
    subscriber.ack_through(again[-1])
    subscriber.close()


def test_a_line_that_swallows_everything_confirms_nothing_and_is_away(
    line: FaultProxy, on_servers: ServersBackend
) -> None:
    publisher = AmqpPublisher(parse(through(line, on_servers)), "", confirm_seconds=2.0)
    assert publisher.publish([message(1)]).confirmed == {"1"}
    line.hole()
    with pytest.raises(BrokerAway):
        publisher.publish([message(2)])
    line.heal()
    assert insistently(lambda: publisher.publish([message(2)])).confirmed == {"2"}
    publisher.close()


def test_a_connection_closed_by_an_operator_is_made_again_without_a_word(
    bus: Bus, on_servers: ServersBackend
) -> None:
    publisher = bus.publisher()
    publisher.publish([message(1)])
    end = time.monotonic() + 30
    while not (found := _connections(on_servers)):  # the list is some seconds behind
        assert time.monotonic() < end
        time.sleep(0.2)
    for name in found:
        on_servers.management.call("DELETE", f"/connections/{urllib.parse.quote(name, safe='')}")
    assert insistently(lambda: publisher.publish([message(2)])).confirmed == {"2"}
    publisher.tend()


def _connections(backend: ServersBackend) -> list[str]:
    found = backend.management.call("GET", f"/vhosts/{backend.vhost}/connections") or []
    return [each["name"] for each in found if "name" in each]


@pytest.fixture
def limited_url(on_servers: ServersBackend) -> Iterator[str]:
    """A user who may read and write all and declare nothing."""
    management, name = on_servers.management, f"limited-{on_servers.vhost}"
    management.call("PUT", f"/users/{name}", {"password": "x", "tags": ""})
    rights = {"configure": "^$", "write": ".*", "read": ".*"}
    management.call("PUT", f"/permissions/{on_servers.vhost}/{name}", rights)
    yield on_servers.amqp_url(name, "x")
    management.call("DELETE", f"/users/{name}")


def test_a_user_without_rights_is_content_with_what_exists(bus: Bus, limited_url: str) -> None:
    limited = Bus(limited_url)
    limited.declare(*TOPOLOGY)
    with pytest.raises(TopologyBroken) as raised:
        limited.declare([Exchange("absent"), *TOPOLOGY[0]], [Queue("missing"), *TOPOLOGY[1]])
    assert str(raised.value).endswith("exchange absent, queue missing")


def test_a_queue_that_was_made_otherwise_is_taken_as_it_is(
    bus: Bus, on_servers: ServersBackend
) -> None:
    with pika.BlockingConnection(pika.URLParameters(on_servers.amqp_url())) as stranger:
        stranger.channel().queue_declare("odd", durable=True)
    bus.declare(TOPOLOGY[0], [Queue("odd", (("facts", "a.*.*"),))])
    assert bus.publisher().publish([message(1)]).confirmed == {"1"}
    assert insistently(lambda: bus.depth("odd")) == 1


def test_a_queue_that_is_deleted_under_its_reader_is_away_not_silence(
    bus: Bus, on_servers: ServersBackend
) -> None:
    subscriber = bus.subscriber("in")
    subscriber.receive(1, 0)
    on_servers.management.call("DELETE", f"/queues/{on_servers.vhost}/in")
    assert breaks_off(subscriber)
    # ... and a broker that lost it gets it again, bindings and all.
    insistently(lambda: subscriber.receive(1, 0))
    assert bus.publisher().publish([message(1)]).confirmed == {"1"}
    assert receive(subscriber, 1)
    subscriber.close()


def test_what_is_declared_while_the_broker_is_away_is_declared_when_it_is_back(
    line: FaultProxy, on_servers: ServersBackend
) -> None:
    line.cut()
    late = Bus(through(line, on_servers), prefix="late.")
    late.declare(*TOPOLOGY)
    publisher = late.publisher()
    with pytest.raises(BrokerAway):
        publisher.publish([message(1)])
    line.heal()
    assert insistently(lambda: publisher.publish([message(1)])).confirmed == {"1"}
    publisher.close()


def test_heartbeats_that_arrive_with_nothing_behind_them_hold_up_nobody(
    bus: Bus, on_servers: ServersBackend
) -> None:
    quick = Bus(f"{on_servers.amqp_url()}?heartbeat=1")
    subscriber, publisher = quick.subscriber("in"), quick.publisher()
    publisher.publish([message(1)])
    subscriber.ack_through(receive(subscriber, 1)[0])
    began = time.monotonic()
    while time.monotonic() - began < 3.5:  # several heartbeats both ways, and nothing else
        assert subscriber.receive(1, 0.1) == []
        publisher.tend()
    assert time.monotonic() - began < 15  # held up is for ever: heartbeats go on coming
    assert publisher.publish([message(2)]).confirmed == {"2"}
    assert receive(subscriber, 1)
    subscriber.close()
    publisher.close()


def test_the_parts_of_an_amqp_url_are_read() -> None:
    [one, two] = parse(
        "amqps://m%40y:p%2Fw@a.example:5999/h%2fx?heartbeat=7&verify=verify_none"
        "&connection_timeout=1500&auth_mechanism=external;amqps://b.example"
    )
    assert (one.host, one.port, one.vhost) == ("a.example", 5999, "h/x")
    assert (one.user, one.password) == ("m@y", "p/w")
    assert (one.heartbeat, one.connect_timeout, one.login_method) == (7, 1.5, "EXTERNAL")
    assert one.tls is not None
    assert (two.host, two.port, two.user, two.vhost) == ("b.example", 5671, "m@y", "h/x")
    assert "p/w" not in repr(one)


@pytest.mark.parametrize(
    "url",
    ["amqp://h/?colour=red", "amqp://h:port/", "amqp://h/?heartbeat=often", "amqps://h/?verify=no"],
)
def test_an_amqp_url_that_is_wrong_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        parse(url)


def test_a_transport_that_the_bus_does_not_know_is_refused() -> None:
    with pytest.raises(SettingsError, match="redis"):
        Bus("redis://h")
