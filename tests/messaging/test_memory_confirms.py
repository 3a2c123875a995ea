"""When a publisher on the memory bus learns that a message is safe: its readers are done with it."""

import threading

import pytest

from shared.messaging import Bus, Exchange, OutMessage, Queue
from tests.backends import Backend

FACTS, TASKS = Exchange("facts"), Exchange("tasks")
QUEUES = [
    Queue("one", (("facts", "a.*.*"),)),
    Queue("two", (("facts", "*.b.*"),)),
    Queue("agency", (("tasks", "*.*.*"), ("facts", "a.x.agency")), catch_up=True),
]


@pytest.fixture
def bus(embedded: Backend) -> Bus:
    made = Bus(embedded.amqp_url())
    made.declare([FACTS, TASKS], QUEUES)
    return made


def messages(*keys: str, exchange: str = "facts") -> list[OutMessage]:
    return [OutMessage(n, exchange, key, b"{}") for n, key in enumerate(keys)]


def test_a_message_is_confirmed_when_every_queue_that_got_it_has_acknowledged_it(bus: Bus):
    publisher = bus.publisher()
    sent = publisher.publish(messages("a.b.c"))
    assert (sent.confirmed, sent.failed) == (set(), {})
    for queue, confirmed in (("one", set()), ("two", {0})):
        reader = bus.subscriber(queue)
        (delivery,) = reader.receive(10, 0)
        assert publisher.confirmed() == set()
        reader.ack_through(delivery)
        assert publisher.confirmed() == confirmed
    assert publisher.confirmed() == set(), "each is told once"


def test_each_is_confirmed_by_itself_in_whatever_order(bus: Bus):
    publisher = bus.publisher()
    publisher.publish(messages("x.b.c", "a.x.c", "a.x.d"))
    one, two = bus.subscriber("one"), bus.subscriber("two")
    one.ack_through(one.receive(10, 0)[-1])
    assert publisher.confirmed() == {1, 2}
    two.ack_through(two.receive(10, 0)[0])
    assert publisher.confirmed() == {0}


def test_what_a_closed_reader_gave_back_is_confirmed_by_the_next_one(bus: Bus):
    publisher = bus.publisher()
    publisher.publish(messages("a.x.c", "a.x.d"))
    first = bus.subscriber("one")
    first.ack_through(first.receive(2, 0)[0])
    first.close()
    first.close()
    assert publisher.confirmed() == {0}
    second = bus.subscriber("one")
    second.ack_through(second.receive(2, 0)[0])
    assert publisher.confirmed() == {1}


def test_what_no_queue_is_bound_for_is_never_confirmed(bus: Bus):
    publisher = bus.publisher()
    sent = publisher.publish(messages("x.x.x"))
    assert sent.failed.keys() == {0}
    assert sent.confirmed | publisher.confirmed() == set()


def test_a_publisher_that_never_asks_is_told_with_its_next_batch(bus: Bus):
    publisher = bus.publisher()
    publisher.publish(messages("a.x.c"))
    reader = bus.subscriber("one")
    reader.ack_through(reader.receive(10, 0)[-1])
    assert publisher.publish([OutMessage("next", "facts", "a.x.c", b"{}")]).confirmed == {0}


def test_each_publisher_is_told_of_its_own_only_also_from_many_threads(bus: Bus):
    publishers = [bus.publisher() for _ in range(4)]
    told: list[set[int]] = [set() for _ in publishers]

    def send(number: int) -> None:
        for first in range(0, 200, 10):
            batch = [OutMessage(first + n, "facts", "a.b.c", b"{}") for n in range(10)]
            told[number] |= publishers[number].publish(batch).confirmed

    def read(queue: str) -> None:
        reader, left = bus.subscriber(queue, 50), 4 * 200
        while left:
            taken = reader.receive(50, 5)
            assert taken, f"{left} never came"
            reader.ack_through(taken[-1])
            left -= len(taken)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    threads += [threading.Thread(target=read, args=(queue,)) for queue in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for number, publisher in enumerate(publishers):
        rest = publisher.confirmed()
        assert not rest & told[number], "each is told once"
        assert rest | told[number] == set(range(200))


# --- readers that catch up from the sender's ledger ----------------------------------------------


def test_what_goes_to_readers_who_catch_up_is_confirmed_at_once(bus: Bus):
    reader = bus.subscriber("agency")
    assert bus.publisher().publish(messages("a.b.c", exchange="tasks")).confirmed == {0}
    (delivery,) = reader.receive(10, 0)
    reader.ack_through(delivery)


def test_for_readers_who_catch_up_and_are_not_there_nothing_fills_the_memory(bus: Bus):
    publisher = bus.publisher()
    reader = bus.subscriber("agency")
    reader.close()
    reader.close()
    for _ in range(3):
        assert publisher.publish(messages("a.b.c", "d.e.f", exchange="tasks")).confirmed == {0, 1}
    assert bus.depth("agency") == 0
    again = bus.subscriber("agency")
    publisher.publish(messages("a.b.c", exchange="tasks"))
    assert len(again.receive(10, 0)) == 1


def test_a_reader_who_catches_up_does_not_speak_for_another_queue(bus: Bus):
    publisher = bus.publisher()
    agency, one = bus.subscriber("agency"), bus.subscriber("one")
    assert publisher.publish(messages("a.x.agency")).confirmed == set()
    agency.ack_through(agency.receive(10, 0)[-1])
    assert publisher.confirmed() == set()
    one.ack_through(one.receive(10, 0)[-1])
    assert publisher.confirmed() == {0}


def test_a_broker_that_keeps_messages_confirms_within_the_batch(on_servers: Backend):
    bus = Bus(on_servers.amqp_url())
    bus.declare([FACTS, TASKS], QUEUES)
    publisher = bus.publisher()
    sent = publisher.publish(messages("a.b.c", "x.x.x"))
    assert (sent.confirmed, set(sent.failed)) == ({0}, {1})
    assert publisher.confirmed() == set()
    assert bus.depth("one") == 1
    publisher.close()
    bus.close()
