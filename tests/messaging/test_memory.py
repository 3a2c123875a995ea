"""What is special about the bus inside one process."""

from __future__ import annotations

from shared.messaging import Bus, Exchange, OutMessage, Queue, reset_memory
from tests.backends import EmbeddedBackend

TOPOLOGY = ([Exchange("facts")], [Queue("in", (("facts", "a.*.*"),))])


def _bus(url: str = "memory://shared") -> Bus:
    bus = Bus(url)
    bus.declare(*TOPOLOGY)
    return bus


def test_it_says_that_it_forgets(embedded: EmbeddedBackend) -> None:
    assert _bus(embedded.amqp_url()).volatile


def test_buses_of_the_same_name_share_their_queues_and_others_do_not(
    embedded: EmbeddedBackend,
) -> None:
    one, two, other = _bus(), _bus(), _bus("memory://other")
    one.publisher().publish([OutMessage(1, "facts", "a.b.c", b"x")])
    assert two.depth("in") == 1
    assert other.depth("in") == 0


def test_a_bus_without_a_name_shares_with_nobody(embedded: EmbeddedBackend) -> None:
    one, two = _bus("memory://"), _bus("memory://")
    one.publisher().publish([OutMessage(1, "facts", "a.b.c", b"x")])
    assert one.depth("in") == 1
    assert two.depth("in") == 0


def test_a_reset_forgets_everything_as_the_death_of_the_process_would(
    embedded: EmbeddedBackend,
) -> None:
    bus = _bus()
    bus.publisher().publish([OutMessage(n, "facts", "a.b.c", b"x") for n in range(2)])
    reader = bus.subscriber("in")
    assert len(reader.receive(1, 0)) == 1
    reset_memory()
    assert bus.publisher().publish([OutMessage(3, "facts", "a.b.c", b"x")]).failed
    bus.declare(*TOPOLOGY)
    reader.close()  # a reader of the earlier life gives nothing back
    assert bus.depth("in") == 0


def test_what_comes_again_comes_before_what_arrived_since(embedded: EmbeddedBackend) -> None:
    bus = _bus()
    publisher = bus.publisher()
    publisher.publish(
        [OutMessage(1, "facts", "a.b.c", b"1"), OutMessage(2, "facts", "a.b.c", b"2")]
    )
    first = bus.subscriber("in")
    first.receive(2, 0)
    publisher.publish([OutMessage(3, "facts", "a.b.c", b"3")])
    first.close()
    assert bus.depth("in") == 3
    second = bus.subscriber("in")
    assert [delivery.body for delivery in second.receive(10, 0)] == [b"1", b"2", b"3"]
