"""Frames and pieces: whatever pieces the network makes of them, no message is lost or changed."""

from __future__ import annotations

import socket
import struct
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pika
import pytest
from amqp.exceptions import UnexpectedFrame
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import BrokerAway
from shared.messaging import Bus, Delivery, OutMessage, Subscriber
from shared.messaging.amqp import buffered, connection
from shared.messaging.amqp.address import parse
from shared.messaging.amqp.buffered import Frame, Frames
from shared.messaging.amqp.publisher import AmqpPublisher
from shared.testing.proxy import FaultProxy
from tests.backends import ServersBackend
from tests.messaging.test_amqp import TOPOLOGY, insistently, receive, through

HEADERS = {"ce-id": "1", "ce-type": "hồ sơ"}
HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"
LARGER_THAN_A_FRAME = 200_000


def message(number: int, size: int = 20) -> OutMessage:
    body = (f"{number} " * size).encode()[:size] or b"{}"
    return OutMessage(str(number), "facts", f"a.b.n{number}", body, HEADERS | {"n": str(number)})


def same(delivery: Delivery, sent: OutMessage) -> bool:
    """Of what comes again the broker says how often, in a header of its own."""
    headers = {name: value for name, value in delivery.headers.items() if name[:2] != "x-"}
    found = (delivery.body, delivery.routing_key, headers)
    return found == (sent.body, sent.routing_key, sent.headers)


@pytest.fixture
def bus(on_servers: ServersBackend) -> Iterator[Bus]:
    made = Bus(on_servers.amqp_url())
    made.declare(*TOPOLOGY)
    yield made
    made.close()


def broker(on_servers: ServersBackend) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(on_servers.amqp_url())
    return str(parts.hostname), int(parts.port or 5672)


@pytest.fixture
def line(bus: Bus, on_servers: ServersBackend) -> Iterator[FaultProxy]:
    with FaultProxy(broker(on_servers)) as proxy:
        yield proxy


# --- frames out of bytes --------------------------------------------------------------------------


def framed(frame: Frame) -> bytes:
    kind, channel, payload = frame
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def all_of(frames: Frames) -> list[Frame]:
    found = []
    while (frame := frames.next()) is not None:
        found.append(frame)
    return found


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2, 3, 8]), st.integers(0, 65535), st.binary(max_size=40)),
        max_size=8,
    ),
    st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=30),
)
def test_frames_are_the_same_however_they_are_cut(
    sent: list[Frame], cuts: list[tuple[int, bool]]
) -> None:
    """Looked for after each piece or only after some, down to single bytes."""
    stream, frames, found = b"".join(map(framed, sent)), Frames(), []
    at = turn = 0
    while at < len(stream):
        size, look = cuts[turn % len(cuts)]
        frames.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
        if look:
            one = frames.next()  # and what is behind it stays where it is
            found += [one] if one is not None else []
    assert found + all_of(frames) == sent
    assert frames.next() is None


@pytest.mark.parametrize("stream", [framed((1, 1, b"abc"))[:-1] + b"x", b"HTTP/1.1 400 "])
def test_what_is_no_frame_is_an_error_of_the_connection(stream: bytes) -> None:
    frames = Frames()
    frames.feed(stream)
    with pytest.raises(UnexpectedFrame):
        frames.next()
    assert issubclass(UnexpectedFrame, connection.BufferedTransport.connection_errors)


# --- against the real broker ----------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_is_read_in_small_pieces_is_what_was_sent(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(buffered, "PIECE", size)
    publisher, subscriber = bus.publisher(), bus.subscriber("in")
    batch = [message(n, 7 * n) for n in range(60)] + [message(60, size * 200)]
    sent = publisher.publish(batch)
    assert (sent.confirmed, sent.failed) == ({m.key for m in batch}, {})
    taken = receive(subscriber, len(batch))
    assert all(same(*pair) for pair in zip(taken, batch, strict=True))
    subscriber.close()
    publisher.close()


def test_a_line_that_passes_on_single_bytes_carries_everything_both_ways(
    line: FaultProxy, on_servers: ServersBackend
) -> None:
    line.crumble(1)
    far = Bus(through(line, on_servers))
    publisher, subscriber = far.publisher(), far.subscriber("in")
    batch = [message(n, 50) for n in range(30)]
    strange = OutMessage("lost", "facts", "nobody.hears.it", b"{}")
    sent = publisher.publish([*batch, strange])
    assert sent.confirmed == {m.key for m in batch}
    assert sent.failed.keys() == {"lost"}
    taken = receive(subscriber, len(batch))
    assert all(same(*pair) for pair in zip(taken, batch, strict=True))
    subscriber.ack_through(taken[-1])
    subscriber.close()
    assert far.depth("in") == 0


@pytest.mark.parametrize("size", [999, 65_536])
def test_bodies_of_several_frames_arrive_whole_between_small_ones(
    line: FaultProxy, on_servers: ServersBackend, size: int
) -> None:
    line.crumble(size)
    far = Bus(through(line, on_servers))
    publisher, subscriber = far.publisher(), far.subscriber("in")
    batch = [message(n, LARGER_THAN_A_FRAME if n % 3 == 1 else 30) for n in range(12)]
    assert publisher.publish(batch).confirmed == {m.key for m in batch}
    taken = receive(subscriber, len(batch))
    assert all(same(*pair) for pair in zip(taken, batch, strict=True))
    subscriber.close()
    publisher.close()


def test_large_messages_that_all_come_back_do_not_stop_the_line(bus: Bus) -> None:
    """Both sides would write and neither read, if nobody read between the parts of a batch."""
    publisher = bus.publisher()
    batch = [OutMessage(n, "facts", "nobody.hears.it", bytes(1_000_000)) for n in range(30)]
    sent = publisher.publish(batch)
    assert sent.failed.keys() == set(range(30))
    assert publisher.publish([message(1)]).confirmed == {"1"}
    publisher.close()


def test_the_sender_that_the_broker_checked_is_read_with_its_headers(
    bus: Bus, on_servers: ServersBackend
) -> None:
    headers = {"text": "ạ", "number": 5, "table": {"a": [1, True, None]}}
    with pika.BlockingConnection(pika.URLParameters(on_servers.amqp_url())) as stranger:
        properties = pika.BasicProperties(
            user_id="guest", headers=headers, expiration="60000", app_id="x", priority=1
        )
        stranger.channel().basic_publish("facts", "a.b.c", b"", properties)
        stranger.channel().basic_publish("facts", "a.b.d", b"{}")
    subscriber = bus.subscriber("in")
    one, other = receive(subscriber, 2)
    assert (one.user_id, one.headers, one.routing_key, one.body) == (
        "guest", headers, "a.b.c", b""
    )  # fmt: skip
    assert (other.user_id, other.headers, other.body) == (None, {}, b"{}")
    subscriber.close()


class Babbler(FaultProxy):
    """Once armed, says something that is no AMQP in the place of the broker's words."""

    armed = False

    def _pass_on(self, there: socket.socket, chunk: bytes) -> None:
        babbling = self.armed and there.getpeername() != self._target
        super()._pass_on(there, b"HTTP/1.1 400 Bad Request" if babbling else chunk)


def test_a_line_that_babbles_is_a_broker_away_and_no_fault_of_a_message(
    bus: Bus, on_servers: ServersBackend
) -> None:
    with Babbler(broker(on_servers)) as line:
        publisher = Bus(through(line, on_servers)).publisher()
        assert publisher.publish([message(1)]).confirmed == {"1"}
        line.armed = True
        with pytest.raises(BrokerAway):
            publisher.publish([message(2), message(3)])
        line.armed = False
        batch = [message(2), message(3)]
        assert insistently(lambda: publisher.publish(batch)).confirmed == {"2", "3"}
        publisher.close()


# --- heartbeats -----------------------------------------------------------------------------------


class Heart(FaultProxy):
    """Puts a heartbeat after every frame that comes from the broker, within contents as well."""

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(target)
        self._streams: dict[socket.socket, Frames] = {}
        self.beats = 0

    def _pass_on(self, there: socket.socket, chunk: bytes) -> None:
        if there.getpeername() == self._target:
            super()._pass_on(there, chunk)
            return
        frames = self._streams.setdefault(there, Frames())
        frames.feed(chunk)
        for frame in all_of(frames):
            self.beats += 1
            super()._pass_on(there, framed(frame) + HEARTBEAT)


def test_heartbeats_between_the_frames_of_one_message_belong_to_none(
    bus: Bus, on_servers: ServersBackend
) -> None:
    with Heart(broker(on_servers)) as heart:
        heart.crumble(50)
        far = Bus(through(heart, on_servers))
        publisher, subscriber = far.publisher(), far.subscriber("in")
        batch = [message(1), message(2, LARGER_THAN_A_FRAME), message(3)]
        assert publisher.publish(batch).confirmed == {"1", "2", "3"}
        taken = receive(subscriber, 3)
        assert all(same(*pair) for pair in zip(taken, batch, strict=True))
        assert heart.beats > 3 * 3
        subscriber.close()
        publisher.close()


class Halves(FaultProxy):
    """Once armed, passes on half of what comes from the broker, and the rest when told to go on."""

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(target)
        self.armed = False
        self.go_on = threading.Event()

    def _pass_on(self, there: socket.socket, chunk: bytes) -> None:
        half = len(chunk)
        if self.armed and there.getpeername() != self._target:
            half //= 2
        super()._pass_on(there, chunk[:half])
        if half < len(chunk):
            assert self.go_on.wait(30)
            super()._pass_on(there, chunk[half:])


def test_half_a_frame_holds_up_nobody_and_is_completed_later(
    bus: Bus, on_servers: ServersBackend
) -> None:
    """Waiting for the rest would hold up our own heartbeats, and a loop that is asked to end."""
    with Halves(broker(on_servers)) as line:
        subscriber = Bus(through(line, on_servers)).subscriber("in")
        subscriber.receive(1, 0)
        line.armed = True
        sent = message(1, 5000)
        bus.publisher().publish([sent])
        began = time.monotonic()
        for _ in range(10):
            assert subscriber.receive(1, 0.1) == []
        assert time.monotonic() - began < connection.IO_SECONDS / 2
        line.go_on.set()
        [taken] = receive(subscriber, 1)
        assert same(taken, sent)
        subscriber.close()


# --- lines that break or take nothing -------------------------------------------------------------


@pytest.mark.parametrize("count", [3, 300, 5_000, 40_001])
def test_a_line_cut_within_what_is_read_loses_nothing_and_hands_out_nothing_broken(
    bus: Bus, line: FaultProxy, on_servers: ServersBackend, count: int
) -> None:
    subscriber = Bus(through(line, on_servers)).subscriber("in")
    subscriber.receive(1, 0)
    line.cut_after(count)
    batch = [message(n, 2000) for n in range(40)]
    bus.publisher().publish(batch)
    before: list[Delivery] = []
    with pytest.raises(BrokerAway):
        take_into(before, subscriber, len(batch))
    assert all(same(*pair) for pair in zip(before, batch, strict=False))
    line.heal()
    # In which order they come again is the broker's business.
    taken = {delivery.routing_key: delivery for delivery in receive(subscriber, len(batch))}
    assert all(same(taken[sent.routing_key], sent) for sent in batch)
    subscriber.close()


def take_into(taken: list[Delivery], subscriber: Subscriber, count: int) -> None:
    while len(taken) < count:
        taken += subscriber.receive(50, 5)


@pytest.mark.parametrize("count", [3, 300, 5_000, 40_001])
def test_a_line_cut_within_what_is_written_leaves_unconfirmed_what_did_not_arrive(
    bus: Bus, line: FaultProxy, on_servers: ServersBackend, count: int
) -> None:
    publisher = Bus(through(line, on_servers)).publisher()
    assert publisher.publish([message(0)]).confirmed == {"0"}
    batch = [message(n, 2000) for n in range(1, 41)]
    line.cut_after(count)
    with pytest.raises(BrokerAway):
        publisher.publish(batch)
    line.heal()
    sent = insistently(lambda: publisher.publish(batch))
    assert (sent.confirmed, sent.failed) == ({m.key for m in batch}, {})
    subscriber = bus.subscriber("in")
    arrived = receive(subscriber, 1 + len(batch))
    while more := subscriber.receive(50, 0.3):
        arrived += more
    assert {d.body for d in arrived} == {m.body for m in [message(0), *batch]}
    subscriber.close()
    publisher.close()


def test_a_reader_that_is_slow_on_the_other_side_gets_everything_in_the_end(
    line: FaultProxy, on_servers: ServersBackend
) -> None:
    """More than all buffers on the way hold: the writes are cut into parts by the sockets."""
    far = Bus(through(line, on_servers))
    publisher, subscriber = far.publisher(), far.subscriber("in")
    assert publisher.publish([message(0)]).confirmed == {"0"}
    line.delay(0.005)
    batch = [message(n, 150_000) for n in range(1, 101)]
    sent = publisher.publish(batch)
    assert (sent.confirmed, sent.failed) == ({m.key for m in batch}, {})
    line.delay(0.0)
    taken = receive(subscriber, 1 + len(batch))
    assert all(same(*pair) for pair in zip(taken[1:], batch, strict=True))
    subscriber.close()
    publisher.close()


def test_a_broker_that_takes_no_bytes_is_given_up_and_gets_all_when_it_is_back(
    bus: Bus, line: FaultProxy, on_servers: ServersBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "IO_SECONDS", 0.5)
    publisher = AmqpPublisher(parse(through(line, on_servers)), "")
    assert publisher.publish([message(0)]).confirmed == {"0"}
    line.stall()
    batch = [message(n, 1_000_000) for n in range(1, 31)]
    with pytest.raises(BrokerAway):
        publisher.publish(batch)
    line.heal()
    sent = insistently(lambda: publisher.publish(batch))
    assert (sent.confirmed, sent.failed) == ({m.key for m in batch}, {})
    publisher.close()


# --- how few they are -----------------------------------------------------------------------------


@dataclass
class Calls:
    """Sizes of what went through the sockets of this process."""

    sent: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    counted = Calls()
    send, recv = socket.socket.sendall, socket.socket.recv

    def sendall(sock: socket.socket, data: Any, *flags: int) -> None:
        counted.sent.append(len(data))
        send(sock, data, *flags)

    def receive(sock: socket.socket, *arguments: int) -> bytes:
        data = recv(sock, *arguments)
        counted.received.append(len(data))
        return data

    monkeypatch.setattr(socket.socket, "sendall", sendall)
    monkeypatch.setattr(socket.socket, "recv", receive)
    return counted


def test_a_batch_leaves_in_one_write_and_is_read_in_few(bus: Bus, calls: Calls) -> None:
    publisher, subscriber = bus.publisher(), bus.subscriber("in")
    publisher.publish([message(0)])
    receive(subscriber, 1)
    calls.sent.clear()
    batch = [message(n, 1000) for n in range(100)]
    assert len(publisher.publish(batch).confirmed) == 100
    assert len(calls.sent) == 1
    assert calls.sent[0] > 100 * 1000
    calls.received.clear()
    receive(subscriber, 100)
    assert len(calls.received) < 50  # three frames each, and a frame took three
