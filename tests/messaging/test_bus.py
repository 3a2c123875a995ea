"""What every transport of the bus promises; the same tests in memory and on RabbitMQ."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from shared.messaging import Bus, Delivery, Exchange, OutMessage, Publisher, Queue, Sent
from tests.backends import Backend

EXCHANGES = [Exchange("facts", "topic"), Exchange("tasks", "direct")]
QUEUES = [
    Queue("routing.facts", (("facts", "intake.*.*"),)),
    Queue("notify.facts", (("facts", "intake.*.*"), ("facts", "routing.*.*"))),
    Queue("agency.a.tasks", (("tasks", "agency.a.tasks"),)),
]


@pytest.fixture
def bus(backend: Backend) -> Iterator[Bus]:
    made = Bus(backend.amqp_url())
    made.declare(EXCHANGES, QUEUES)
    yield made
    made.close()


def fact(key: int, routing_key: str = "intake.dossier.received") -> OutMessage:
    return OutMessage(key, "facts", routing_key, f"fact {key} ạ".encode(), {"type": "t"})


def send(bus: Bus, *messages: OutMessage) -> None:
    publisher = bus.publisher()
    assert publisher.publish(messages).failed == {}
    publisher.close()


def safe(bus: Bus, publisher: Publisher, sent: Sent) -> set[Any]:
    """The keys of a batch that are confirmed; in one process once the readers are done."""
    found = set(sent.confirmed)
    if bus.volatile:
        for queue in ("routing.facts", "notify.facts", "words"):
            reader = bus.subscriber(queue)
            taken = reader.receive(100, 0)
            if taken:
                reader.ack_through(taken[-1])
            reader.close()
        found |= publisher.confirmed()
    return found


def take(bus: Bus, queue: str, count: int) -> list[Delivery]:
    """Take and acknowledge `count` messages; fails when they do not come."""
    subscriber = bus.subscriber(queue)
    taken: list[Delivery] = []
    while len(taken) < count:
        some = subscriber.receive(count - len(taken), 5)
        assert some, f"only {len(taken)} of {count} came"
        subscriber.ack_through(some[-1])
        taken += some
    subscriber.close()
    return taken


def test_a_fact_reaches_every_queue_bound_for_it_with_its_bytes_and_headers(bus: Bus) -> None:
    send(bus, fact(1))
    for queue in ("routing.facts", "notify.facts"):
        [delivery] = take(bus, queue, 1)
        assert delivery.body == "fact 1 ạ".encode()
        assert delivery.headers["type"] == "t"
        assert delivery.routing_key == "intake.dossier.received"
    assert bus.depth("agency.a.tasks") == 0


def test_a_queue_keeps_the_order_in_which_facts_were_sent(bus: Bus) -> None:
    send(bus, *[fact(number) for number in range(120)])
    bodies = [delivery.body for delivery in take(bus, "routing.facts", 120)]
    assert bodies == [fact(number).body for number in range(120)]


def test_a_message_that_no_queue_is_bound_for_fails_alone(bus: Bus) -> None:
    publisher = bus.publisher()
    sent = publisher.publish([fact(1), fact(2, "notify.citizen.notified"), fact(3)])
    assert safe(bus, publisher, sent) == {1, 3}
    assert sent.failed.keys() == {2}
    assert "notify.citizen.notified" in sent.failed[2]
    publisher.close()


def test_a_message_to_an_exchange_that_is_not_there_fails_alone(bus: Bus) -> None:
    publisher = bus.publisher()
    strange = OutMessage("odd", "nowhere", "a.b.c", b"{}")
    sent = publisher.publish([fact(1), strange, fact(2)])
    assert safe(bus, publisher, sent) == {1, 2}
    assert sent.failed.keys() == {"odd"}
    assert safe(bus, publisher, publisher.publish([fact(3)])) == {3}
    publisher.close()


def test_receive_hands_out_at_most_as_many_as_asked_for(bus: Bus) -> None:
    send(bus, *[fact(number) for number in range(5)])
    subscriber = bus.subscriber("routing.facts")
    first = subscriber.receive(2, 5)
    rest = subscriber.receive(10, 5)
    while len(first) + len(rest) < 5:
        rest += subscriber.receive(10, 5)
    assert len(first) <= 2
    assert [d.body for d in first + rest] == [fact(number).body for number in range(5)]
    subscriber.close()


def test_the_window_bounds_what_is_taken_and_not_acknowledged(bus: Bus) -> None:
    send(bus, *[fact(number) for number in range(5)])
    subscriber = bus.subscriber("routing.facts", prefetch=2)
    taken: list[Delivery] = []
    while len(taken) < 2:
        taken += subscriber.receive(10, 5)
    assert len(taken) == 2
    assert subscriber.receive(10, 0.05) == []
    subscriber.ack_through(taken[-1])
    assert subscriber.receive(10, 5)
    subscriber.close()


def test_what_was_taken_and_not_acknowledged_comes_again_in_order(bus: Bus) -> None:
    send(bus, *[fact(number) for number in range(4)])
    subscriber = bus.subscriber("routing.facts")
    taken: list[Delivery] = []
    while len(taken) < 4:
        taken += subscriber.receive(10, 5)
    subscriber.ack_through(taken[1])
    subscriber.close()
    again = take(bus, "routing.facts", 2)
    assert [delivery.body for delivery in again] == [fact(2).body, fact(3).body]


def test_acknowledging_one_acknowledges_all_before_it(bus: Bus) -> None:
    send(bus, *[fact(number) for number in range(3)])
    subscriber = bus.subscriber("routing.facts")
    taken: list[Delivery] = []
    while len(taken) < 3:
        taken += subscriber.receive(10, 5)
    subscriber.ack_through(taken[2])
    subscriber.close()
    later = bus.subscriber("routing.facts")
    assert later.receive(10, 0.1) == []
    later.close()


def test_nothing_there_means_an_empty_answer_at_once_without_a_wait(bus: Bus) -> None:
    subscriber = bus.subscriber("routing.facts")
    subscriber.receive(10, 0)  # connects
    took = []
    for _ in range(10):  # one may be held up by what else the machine does, ten are not
        began = time.monotonic()
        assert subscriber.receive(10, 0) == []
        took.append(time.monotonic() - began)
    assert min(took) < 0.5
    subscriber.close()


def test_an_arrival_ends_the_wait(bus: Bus) -> None:
    subscriber = bus.subscriber("routing.facts")
    subscriber.receive(1, 0)
    sender = threading.Timer(0.1, send, (bus, fact(1)))
    sender.start()
    began = time.monotonic()
    assert [delivery.body for delivery in subscriber.receive(10, 30)] == [fact(1).body]
    assert time.monotonic() - began < 10
    sender.join()
    subscriber.close()


def test_wake_from_another_thread_ends_the_wait(bus: Bus) -> None:
    subscriber = bus.subscriber("routing.facts")
    subscriber.receive(1, 0)
    ringer = threading.Timer(0.1, subscriber.wake)
    ringer.start()
    began = time.monotonic()
    assert subscriber.receive(10, 30) == []
    assert time.monotonic() - began < 10
    ringer.join()
    subscriber.close()


def test_declaring_again_changes_nothing(bus: Bus, backend: Backend) -> None:
    send(bus, fact(1))
    bus.declare(EXCHANGES, QUEUES)
    other = Bus(backend.amqp_url())
    other.declare(EXCHANGES, QUEUES)
    assert len(take(other, "routing.facts", 1)) == 1
    other.close()


def test_a_prefix_keeps_two_installations_on_one_broker_apart(bus: Bus, backend: Backend) -> None:
    other = Bus(backend.amqp_url(), prefix="thu-nghiem.")
    other.declare(EXCHANGES, QUEUES)
    send(other, fact(7))
    assert [delivery.body for delivery in take(other, "routing.facts", 1)] == [fact(7).body]
    mine = bus.subscriber("routing.facts")
    assert mine.receive(10, 0.05) == []
    mine.close()
    other.close()


def test_depth_counts_what_waits_and_a_missing_queue_is_empty(bus: Bus) -> None:
    assert bus.depth("no.such.queue") == 0
    send(bus, fact(1), fact(2))
    waited = time.monotonic() + 10
    while bus.depth("routing.facts") != 2:  # a quorum queue counts a moment after it confirms
        assert time.monotonic() < waited
    bus.ping()


@pytest.mark.parametrize(
    ("pattern", "key", "bound"),
    [
        ("intake.*.*", "intake.dossier.received", True),
        ("intake.*.*", "intake.dossier", False),
        ("intake.*.*", "routing.dossier.started", False),
        ("answer.*.*", "answer.ubnd-phuong-1.taken", True),
        ("answer.ubnd-phuong-1.*", "answer.ubnd-phuong-11.taken", False),
        ("answer.ubnd-phuong-1.*", "answer.ubnd-phuong-1.completed", True),
    ],
)
def test_patterns_of_three_words_mean_the_same_on_every_transport(
    backend: Backend, pattern: str, key: str, bound: bool
) -> None:
    bus = Bus(backend.amqp_url())
    bus.declare([Exchange("words", "topic")], [Queue("words", (("words", pattern),))])
    publisher = bus.publisher()
    sent = publisher.publish([OutMessage(1, "words", key, b"{}")])
    assert safe(bus, publisher, sent) == ({1} if bound else set())
    publisher.close()
    bus.close()
