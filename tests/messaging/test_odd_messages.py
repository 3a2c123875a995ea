"""A message may hold anything in its header: it alone is to blame, and its neighbours are applied."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.envelope import encode
from shared.messaging import Bus, OutMessage
from shared.messaging.amqp.buffered import Frame, Frames
from shared.messaging.amqp.properties import (
    MOST_HEADERS,
    Malformed,
    read_properties,
    read_table,
)
from shared.messaging.consumer.model import UNFIT
from shared.messaging.parked import replay
from shared.testing.proxy import FaultProxy
from tests.backends import ServersBackend
from tests.messaging.raw import RawPublisher, Refused, field, headers, long, short
from tests.messaging.rig import World, applied, envelope, inbox
from tests.messaging.test_amqp import through
from tests.messaging.test_amqp_pieces import broker, framed

KEY = b"maker.test.made"
# RabbitMQ reads the header before it takes a message, and takes none that it cannot read itself:
# of those the test below shows whichever happens, and `test_a_broken_block_…` what would happen.


def _nested(kind: bytes, depth: int) -> bytes:
    value = b""
    for _ in range(depth):
        value = kind + long(value) if kind == b"A" else field(b"n", kind, long(value))
    return value


_TEXT = b"caf\xe9 \xff\xfe\x00"
ODD: dict[str, bytes] = {
    "timestamp in milliseconds": headers(field(b"at", b"T", struct.pack(">Q", 1_646_110_800_000))),
    "timestamp without end": headers(field(b"at", b"T", b"\xff" * 8)),
    "timestamp property in milliseconds": struct.pack(">HQ", 0x0040, 1_646_110_800_000),
    "timestamp property without end": struct.pack(">H", 0x0040) + b"\xff" * 8,
    "decimal": headers(field(b"sum", b"D", b"\xff" + struct.pack(">i", -5))),
    "void": headers(field(b"none", b"V", b"")),
    "numbers": headers(
        field(b"b", b"b", b"\x80"),
        field(b"B", b"B", b"\xff"),
        field(b"s", b"s", b"\x80\x00"),
        field(b"u", b"u", b"\xff\xff"),
        field(b"I", b"I", b"\x80\x00\x00\x00"),
        field(b"i", b"i", b"\xff" * 4),
        field(b"l", b"l", b"\x80" + bytes(7)),
        field(b"f", b"f", struct.pack(">f", 0.5)),
        field(b"d", b"d", struct.pack(">d", -1e300)),
        field(b"t", b"t", b"\x07"),
    ),
    "numbers that are none": headers(
        field(b"f", b"f", struct.pack(">f", float("nan"))),
        field(b"d", b"d", struct.pack(">d", float("-inf"))),
    ),
    "letters of older readings": headers(field(b"U", b"U", b"\x80\x00")),
    "a long number of older readings": headers(field(b"L", b"L", b"\xff" * 8)),
    "bytes": headers(field(b"raw", b"x", long(_TEXT))),
    "text that is no text": headers(field(b"name", b"S", long(_TEXT))),
    "a name that is no text": headers(field(b"\xff\xfe", b"S", long(b"a"))),
    "names that are empty and the same": headers(*[field(b"", b"V", b"")] * 3),
    "array of everything": headers(
        field(b"all", b"A", long(b"V" + b"t\x01" + b"S" + long(b"x") + b"F" + long(b"")))
    ),
    "deep arrays": headers(field(b"deep", b"A", long(_nested(b"A", 150)))),
    "deep tables": headers(_nested(b"F", 150)),
    "a huge table": headers(*[field(b"%05d" % n, b"S", long(b"x" * 4)) for n in range(6000)]),
    "one huge header": headers(field(b"huge", b"S", long(b"x" * 120_000))),
    "strings that are no text": struct.pack(">H", 0x8000 | 0x4000 | 0x0400 | 0x0080 | 0x0020 | 0x0008)
    + short(_TEXT) * 6,
    "every property": struct.pack(">H", 0xFFEC)
    + short(b"text/plain")
    + short(b"gzip")
    + long(b"")
    + b"\x02\xff"
    + short(b"c")
    + short(b"r")
    + short(b"600000")
    + short(b"m")
    + bytes(8)
    + short(b"t")
    + short(b"a")
    + short(b"x"),
    "a type that nobody knows": headers(field(b"new", b"Z", b"\x01\x02")),
    "a string longer than its table": headers(field(b"text", b"S", b"\x00\x00\x00\xff" + b"ab")),
    "a table longer than the block": struct.pack(">HI", 0x2000, 4000) + b"abc",
    "a short string longer than the block": struct.pack(">H", 0x8000) + b"\xffabc",
    "a block that ends too early": struct.pack(">H", 0x0040) + b"\x00\x01",
    "a block that goes on too long": struct.pack(">H", 0x0000) + b"abcdef",
    "flags that go on": struct.pack(">HH", 0x0001, 0x0000),
    "no flags at all": b"",
}  # fmt: skip


@pytest.fixture
def world(on_servers: ServersBackend) -> Iterator[World]:
    made = World(on_servers)
    yield made
    made.close()


class Stranger:
    """Publishes on one connection for as long as the broker bears it, then on another."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._publisher = RawPublisher(url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._publisher.close()

    def puts(self, properties: bytes, body: bytes) -> bool:
        """Whether the broker has taken it."""
        try:
            self._publisher.publish("dossier.facts", KEY, properties, body)
        except Refused:
            self._publisher.close()
            self._publisher = RawPublisher(self._url)
            return False
        return True


def test_an_odd_header_costs_its_neighbours_nothing(world: World, on_servers: ServersBackend):
    """One after another in one queue, each between two innocent ones; all within one window."""
    taken, whole = [], struct.pack(">HB", 0x1000, 2)
    with Stranger(on_servers.amqp_url()) as stranger:
        for number, (name, odd) in enumerate(ODD.items(), 1):
            for subject, sequence, properties in (
                ("before", number, whole),
                (f"odd{number}", 1, odd),
                ("after", number, whole),
            ):
                if stranger.puts(properties, encode(envelope("/maker", subject, sequence))):
                    taken.append((subject, sequence))
                else:
                    assert properties is odd, name
    carried = {name for n, name in enumerate(ODD, 1) if (f"odd{n}", 1) in taken}
    assert {"timestamp in milliseconds", "numbers", "strings that are no text"} <= carried
    _read_until(world, len(taken))
    assert sorted(row[1:3] for row in applied(world.reader)) == sorted(taken)
    assert not [row for row in inbox(world.reader) if row.state == "parked"]
    assert _waiting(world, on_servers) == (0, 0)


def test_a_routing_key_of_any_bytes_is_only_a_key(world: World, on_servers: ServersBackend):
    with RawPublisher(on_servers.amqp_url()) as stranger:
        for number, key in enumerate((b"maker.\xff\xfe.made", b"maker.\x00.made", KEY), 1):
            body = encode(envelope("/maker", "D1", number))
            stranger.publish("dossier.facts", key, headers(), body)
    _read_until(world, 3)
    assert [row[1:3] for row in applied(world.reader)] == [("D1", n) for n in (1, 2, 3)]


class Spoiler(FaultProxy):
    """Puts other properties into every second content header that comes from the broker."""

    def __init__(self, target: tuple[str, int], blocks: Sequence[bytes]) -> None:
        super().__init__(target)
        self._blocks = iter(blocks)
        self._streams: dict[socket.socket, Frames] = {}
        self._headers = 0

    def _pass_on(self, there: socket.socket, chunk: bytes) -> None:
        if there.getpeername() == self._target:
            super()._pass_on(there, chunk)
            return
        frames = self._streams.setdefault(there, Frames())
        frames.feed(chunk)
        while (frame := frames.next()) is not None:
            super()._pass_on(there, framed(self._spoiled(frame)))

    def _spoiled(self, frame: Frame) -> Frame:
        kind, channel, payload = frame
        if kind == 2:
            self._headers += 1
            if self._headers % 2 == 0:
                payload = payload[:12] + next(self._blocks)
        return kind, channel, payload


def test_of_a_broken_block_one_message_is_parked_with_the_reason(
    world: World, on_servers: ServersBackend
):
    """Should a broker pass on what it cannot read itself, as an older or another one may."""
    broken = [block for name, block in ODD.items() if "block" in name or "flags" in name]
    world.bus.publisher().publish(
        [
            OutMessage(n, "dossier.facts", KEY.decode(), encode(envelope("/maker", f"D{n}", 1)))
            for n in range(2 * len(broken))
        ]
    )
    with Spoiler(broker(on_servers), broken) as line:
        world.consumer.close()
        world.bus = Bus(through(line, on_servers))
        world.consumer = world.another_consumer()
        _read_until(world, 2 * len(broken))
        world.consumer.close()
        parked = [row for row in inbox(world.reader) if row.state == "parked"]
        assert [row[2] for row in applied(world.reader)] == [1] * len(broken)
        assert len(parked) == len(broken)
        assert {row.source for row in parked} == {UNFIT}
        assert all(
            row.reason.startswith("unfit: its AMQP properties cannot be read") for row in parked
        )
        assert world.bus.depth("reader.facts") == 0
        _stays_out(world, parked[0])


def _stays_out(world: World, row: Any) -> None:
    """Who sent it is not known, so a replay lets it in no more than before."""
    with world.reader.begin() as uow:
        replay(uow, row.fact_id)
    assert world.consumer.step(0) == 1
    [again] = [each for each in inbox(world.reader) if each.fact_id == row.fact_id]
    assert (again.state, again.reason) == ("parked", "unfit: it has to be sent again, and better")


def _read_until(world: World, count: int) -> None:
    for _ in range(200):
        world.consumer.step(0.1)
        if len(inbox(world.reader)) >= count:
            return
    raise AssertionError(f"only {len(inbox(world.reader))} of {count} arrived")


def _waiting(world: World, backend: ServersBackend) -> tuple[int, int]:
    """What lies on the queue: untouched, and come back at least once."""
    world.consumer.close()  # what was not acknowledged would come back now
    again = world.bus.subscriber("reader.facts")
    left = again.receive(100, 0.3)
    again.close()
    return len(left), world.bus.depth("reader.facts")


# --- the readings themselves ----------------------------------------------------------------------


def test_headers_of_every_type_are_read() -> None:
    found = read_properties(ODD["numbers"]).headers
    assert (found["b"], found["B"], found["s"], found["u"]) == (-128, 255, -32768, 65535)
    assert (found["I"], found["i"], found["l"]) == (-(2**31), 2**32 - 1, -(2**63))
    assert (found["f"], found["d"], found["t"]) == (0.5, -1e300, True)
    found = read_properties(ODD["numbers that are none"]).headers
    assert (str(found["f"]), found["d"]) == ("nan", float("-inf"))
    assert read_properties(ODD["decimal"]).headers == {"sum": Decimal("-5e-255")}
    assert read_properties(ODD["timestamp in milliseconds"]).headers == {"at": 1_646_110_800_000}
    at = headers(field(b"at", b"T", struct.pack(">Q", 1_646_110_800)))
    assert read_properties(at).headers == {"at": datetime(2022, 3, 1, 5, tzinfo=UTC)}
    assert read_properties(ODD["array of everything"]).headers == {"all": [None, True, "x", {}]}
    assert read_properties(ODD["a name that is no text"]).headers == {"\ufffd\ufffd": "a"}
    strange = read_properties(ODD["strings that are no text"])
    assert strange.message_id == "caf\ufffd \ufffd\ufffd\x00"


@pytest.mark.parametrize(
    "name", ["deep arrays", "deep tables", "a huge table", "a type that nobody knows"]
)
def test_headers_that_cannot_be_read_are_none_and_the_rest_is_read(name: str) -> None:
    table = ODD[name][2:]
    block = struct.pack(">H", 0x2010) + table + short(b"a-user")
    assert read_properties(block) == ({}, None, "a-user")


@pytest.mark.parametrize("name", [name for name in ODD if "block" in name or "flags" in name])
def test_a_broken_block_is_said_to_be_so_without_a_word_of_it(name: str) -> None:
    with pytest.raises(Malformed) as told:
        read_properties(ODD[name])
    assert "abc" not in str(told.value)


@given(st.binary(max_size=300))
def test_whatever_the_block_holds_it_is_read_or_said_to_be_broken(block: bytes) -> None:
    try:
        read = read_properties(block)
    except Malformed:
        return
    assert isinstance(read.headers, dict)


@given(st.sampled_from(sorted(ODD.values())), st.data())
def test_a_block_spoiled_anywhere_is_read_or_said_to_be_broken(block: bytes, draw: Any) -> None:
    if not block:
        return
    at = draw.draw(st.integers(0, len(block) - 1))
    spoiled = block[:at] + draw.draw(st.binary(max_size=4)) + block[at + 1 :]
    try:
        read_properties(spoiled)
    except Malformed:
        return


def test_a_table_over_the_limit_is_not_looked_into() -> None:
    one = field(b"a", b"V", b"")
    assert read_table(one * (MOST_HEADERS // len(one))) == {"a": None}
    assert read_table(one * (MOST_HEADERS // len(one) + 1)) == {}
