"""A fact of ours that the broker takes for no good is parked; all others go, and a person decides."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from partner.reading import read_message
from shared.events.envelope import MAX_BYTES, decode
from shared.events.names import WITHHELD
from shared.messaging import Bus, parked
from shared.messaging.amqp.buffered import Frame, Frames
from shared.messaging.metrics import ledgers
from shared.messaging.refusals import MOST_STRIKES
from shared.messaging.relay import Relay
from shared.messaging.tables import LEDGERS
from shared.testing.proxy import FaultProxy
from tests.backends import ServersBackend
from tests.messaging.rig import World, applied, inbox, make, outbox
from tests.messaging.test_amqp import through
from tests.messaging.test_amqp_pieces import broker, framed
from tests.tls import TlsBroker


@pytest.fixture(params=["postgresql", "sqlite"])
def database(request: pytest.FixtureRequest, on_servers: ServersBackend, tmp_path: Any) -> Any:
    """Where the ledgers are: what they need of the broker is the same on both."""

    def settings(service: str) -> Any:
        if request.param == "postgresql":
            return on_servers.settings(service)
        return SimpleNamespace(database_url=f"sqlite:///{tmp_path / service}.db")

    return settings


@pytest.fixture
def strict(tls_broker: TlsBroker, database: Any) -> Iterator[World]:
    """A world on a broker with the limit of deploy/rabbitmq/rabbitmq.conf."""
    url = f"{tls_broker.node.url.rstrip('/')}/{tls_broker.management.fresh_vhost()}"
    made = World(SimpleNamespace(settings=database, amqp_url=lambda: url))
    yield made
    made.close()


@pytest.fixture
def world(on_servers: ServersBackend, database: Any) -> Iterator[World]:
    made = World(SimpleNamespace(settings=database, amqp_url=on_servers.amqp_url))
    yield made
    made.close()


def _change(world: World, subject: str, sequence: int, **values: Any) -> None:
    table = LEDGERS.outbox
    chosen = (table.c.subject == subject) & (table.c.sequence == sequence)
    with world.maker.engine.begin() as connection:
        connection.execute(sa.update(table).where(chosen).values(**values))


def _grow(world: World, subject: str, sequence: int, size: int) -> None:
    """As an older version may have left it, which knew no limit: blanks behind a good fact."""
    [body] = [r.body for r in outbox(world.maker) if (r.subject, r.sequence) == (subject, sequence)]
    _change(world, subject, sequence, body=bytes(body).ljust(size))


def _unsent(world: World) -> list[tuple[str, int]]:
    return [(row.subject, row.sequence) for row in outbox(world.maker) if row.sent_at is None]


def _held(world: World) -> list[parked.Held]:
    with world.maker.read() as connection:
        return parked.list_held(connection)


def _took_effect(world: World, *wanted: tuple[str, int]) -> None:
    for _ in range(100):
        world.relay.step(0)
        world.consumer.step(0.1)
        if len(applied(world.reader)) >= len(wanted):
            break
    assert sorted((row[1], row[2]) for row in applied(world.reader)) == sorted(wanted)


def test_a_fact_that_the_broker_finds_too_large_is_parked_and_the_others_go(strict: World) -> None:
    make(strict.maker, "D1", 2)
    make(strict.maker, "D2", 2)
    make(strict.maker, "D3", 2)
    _grow(strict, "D2", 1, MAX_BYTES + 1)
    strict.relay.step(0)
    assert _unsent(strict) == []
    _took_effect(strict, ("D1", 1), ("D1", 2), ("D3", 1), ("D3", 2))
    [held] = _held(strict)
    assert (held.consumer, held.source, held.subject, held.sequence) == ("relay", "/maker", "D2", 1)
    assert (held.state, len(held.body)) == ("parked", MAX_BYTES + 1)
    assert "larger than" in (held.reason or "")
    assert strict.relay.next_due() is None, "its way is open"
    told = {
        (each.name, *dict(each.labels).values()): each.value for each in ledgers(strict.maker)()
    }
    assert told["lienthong_inbox_held", "relay", "parked"] == 1


def test_given_up_an_empty_fact_takes_its_number_and_the_dossier_goes_on(strict: World) -> None:
    make(strict.maker, "D2", 3)
    make(strict.maker, "D1")
    _grow(strict, "D2", 2, MAX_BYTES + 1)
    _took_effect(strict, ("D1", 1), ("D2", 1))
    [held] = _held(strict)
    with strict.maker.begin() as uow:
        parked.discard(uow, held.fact_id, who="Lan", why="nobody can use it")
    _took_effect(strict, ("D1", 1), ("D2", 1), ("D2", 3))
    [passed] = [row for row in inbox(strict.reader) if (row.subject, row.sequence) == ("D2", 2)]
    assert (passed.state, passed.fact_id) == ("done", held.fact_id)
    assert dict(decode(bytes(passed.body)).data) == {}
    assert _held(strict) == []
    with strict.maker.read() as connection:
        kept = parked.show(connection, held.fact_id)
    assert (kept.state, kept.owner, len(kept.body)) == ("discarded", "Lan", MAX_BYTES + 1)


def test_what_is_sent_in_the_place_of_a_task_says_of_which_and_nothing_else(strict: World) -> None:
    """An agency's program reads it as a message of a later day, and passes over it."""
    told = {"task": "t-1", "dossier": "H-1", "agency": "phuong-1", "form": {"child": "Bé An"}}
    with strict.maker.begin() as uow:
        uow.record(("/maker", "maker.test.made", "phuong-1", told))
    _grow(strict, "phuong-1", 1, MAX_BYTES + 1)
    strict.relay.step(0)
    [held] = _held(strict)
    with strict.maker.begin() as uow:
        parked.discard(uow, held.fact_id, who="Lan", why="too long")
    [row] = outbox(strict.maker)
    message = read_message(bytes(row.body))
    assert (message.kind, message.sequence, message.task) == (WITHHELD, 1, "t-1")
    assert message.data.keys() == {"task", "dossier", "agency"}


def test_replayed_it_is_sent_once_more_and_parked_again_where_nothing_changed(
    strict: World,
) -> None:
    make(strict.maker, "D2", 2)
    [first] = [bytes(row.body) for row in outbox(strict.maker) if row.sequence == 1]
    _grow(strict, "D2", 1, MAX_BYTES + 1)
    strict.relay.step(0)
    for _ in range(2):
        [held] = _held(strict)
        with strict.maker.begin() as uow:
            parked.replay(uow, held.fact_id)
        assert (_held(strict), _unsent(strict)) == ([], [("D2", 1)])
        strict.relay.step(0)
    [held] = _held(strict)
    _change(strict, "D2", 1, body=first)  # as after a broker that was given a larger limit
    with strict.maker.begin() as uow:
        parked.replay(uow, held.fact_id)
    _took_effect(strict, ("D2", 1), ("D2", 2))
    assert _held(strict) == []


def test_a_fact_that_cannot_be_written_down_in_amqp_holds_up_nobody(world: World) -> None:
    make(world.maker, "D1")
    make(world.maker, "D2")
    make(world.maker, "D3")
    _change(world, "D2", 1, routing_key="maker." + "x" * 300)
    _took_effect(world, ("D1", 1), ("D3", 1))
    [held] = _held(world)
    assert held.subject == "D2"
    assert "cannot be written" in (held.reason or "")


def test_where_nothing_goes_through_nothing_is_parked(world: World) -> None:
    make(world.maker, "D2")
    _change(world, "D2", 1, routing_key="maker." + "x" * 300)
    for _ in range(MOST_STRIKES + 1):
        assert world.relay.step(0) == 0
        assert _unsent(world) == [("D2", 1)]
        due = world.relay.next_due()
        assert due is not None
        world.clock.set(due)
    assert _held(world) == []
    make(world.maker, "D1")
    world.relay.step(0)
    assert [row.subject for row in _held(world)] == ["D2"]


class Nacking(FaultProxy):
    """Between a relay and the broker: makes a nack of each ack for a fact about this subject."""

    def __init__(self, target: tuple[str, int], subject: bytes) -> None:
        super().__init__(target)
        self._subject = subject
        self._streams: dict[socket.socket, Frames] = {}
        self._tag = 0
        self._acked = 0
        self._chosen: set[int] = set()

    def _pass_on(self, there: socket.socket, chunk: bytes) -> None:
        frames = self._streams.setdefault(there, Frames())
        if there.getpeername() == self._target:
            frames.feed(chunk[8:] if chunk.startswith(b"AMQP") else chunk)
            while (frame := frames.next()) is not None:
                self._note(frame)
            super()._pass_on(there, chunk)
            return
        frames.feed(chunk)
        while (frame := frames.next()) is not None:
            for each in self._changed(frame):
                super()._pass_on(there, framed(each))

    def _note(self, frame: Frame) -> None:
        kind, _channel, payload = frame
        if kind == 2:
            self._tag += 1
            if self._subject in payload:
                self._chosen.add(self._tag)

    def _changed(self, frame: Frame) -> list[Frame]:
        kind, channel, payload = frame
        if kind != 1 or payload[:4] != bytes([0, 60, 0, 80]):
            return [frame]
        tag, multiple = struct.unpack(">Q?", payload[4:])
        first, self._acked = (self._acked + 1 if multiple else tag), max(tag, self._acked)
        return [(1, channel, self._word(each)) for each in range(first, tag + 1)]

    def _word(self, tag: int) -> bytes:
        number = 120 if tag in self._chosen else 80
        return struct.pack(">HHQB", 60, number, tag, 0)


def test_one_that_is_refused_again_and_again_beside_others_is_parked_in_the_end(
    world: World, on_servers: ServersBackend
) -> None:
    make(world.maker, "D2")
    with Nacking(broker(on_servers), b"D2") as line:
        world.relay = Relay(world.maker, Bus(through(line, on_servers)))
        for _ in range(MOST_STRIKES):
            assert _held(world) == []
            make(world.maker, "D1")
            assert world.relay.step(0) == 1, "the other one"
            world.clock.advance(timedelta(minutes=1))
        world.relay.close()
    [held] = _held(world)
    assert (held.subject, _unsent(world)) == ("D2", [])
    assert "others go the same way" in (held.reason or "")
