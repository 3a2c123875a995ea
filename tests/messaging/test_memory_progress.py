"""What a publisher on the memory bus knows of its messages' readers."""

import threading

import pytest

from shared.messaging import Bus, Exchange, OutMessage, Progress, Queue
from tests.backends import Backend

FACTS = Exchange("facts")
QUEUES = [Queue("one", (("facts", "a.*.*"),)), Queue("two", (("facts", "*.b.*"),))]


@pytest.fixture
def bus(embedded: Backend) -> Bus:
    made = Bus(embedded.amqp_url())
    made.declare([FACTS], QUEUES)
    return made


def messages(*keys: str) -> list[OutMessage]:
    return [OutMessage(n, "facts", key, b"{}") for n, key in enumerate(keys)]


def test_a_message_is_settled_when_every_queue_that_got_it_has_acknowledged_it(bus: Bus):
    publisher = bus.publisher()
    publisher.publish(messages("a.b.c"))
    assert publisher.progress() == Progress(1, 0)
    for queue, settled in (("one", 0), ("two", 1)):
        reader = bus.subscriber(queue)
        (delivery,) = reader.receive(10, 0)
        assert publisher.progress().settled == 0
        reader.ack_through(delivery)
        assert publisher.progress() == Progress(1, settled)


def test_only_what_is_settled_from_the_first_on_counts(bus: Bus):
    publisher = bus.publisher()
    publisher.publish(messages("x.b.c", "a.x.c", "a.x.d"))
    one, two = bus.subscriber("one"), bus.subscriber("two")
    one.ack_through(one.receive(10, 0)[-1])
    assert publisher.progress() == Progress(3, 0)
    two.ack_through(two.receive(10, 0)[0])
    assert publisher.progress() == Progress(3, 3)


def test_what_a_closed_reader_gave_back_is_settled_by_the_next_one(bus: Bus):
    publisher = bus.publisher()
    publisher.publish(messages("a.x.c", "a.x.d"))
    first = bus.subscriber("one")
    first.ack_through(first.receive(2, 0)[0])
    first.close()
    assert publisher.progress() == Progress(2, 1)
    second = bus.subscriber("one")
    second.ack_through(second.receive(2, 0)[0])
    assert publisher.progress() == Progress(2, 2)


def test_what_no_queue_is_bound_for_was_never_sent(bus: Bus):
    publisher = bus.publisher()
    assert publisher.publish(messages("x.x.x")).failed
    assert publisher.progress() == Progress(0, 0)


def test_each_publisher_knows_of_its_own_only_also_from_many_threads(bus: Bus):
    publishers = [bus.publisher() for _ in range(4)]
    threads = [
        threading.Thread(target=each.publish, args=(messages(*["a.b.c"] * 50),))
        for each in publishers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for queue in ("one", "two"):
        reader = bus.subscriber(queue, 300)
        reader.ack_through(reader.receive(300, 0)[-1])
    assert [each.progress() for each in publishers] == [Progress(50, 50)] * 4


def test_on_a_broker_that_keeps_them_all_confirmed_messages_are_settled(on_servers: Backend):
    bus = Bus(on_servers.amqp_url())
    bus.declare([FACTS], QUEUES)
    publisher = bus.publisher()
    publisher.publish(messages("a.b.c", "x.x.x"))
    assert publisher.progress() == Progress(1, 1)
    publisher.close()
    bus.close()
