"""The relay on real buses: everything recorded is sent, what is refused holds back only itself."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing, suppress
from datetime import timedelta

import psycopg
import pytest

from shared.events.envelope import decode
from shared.kernel.clock import FixedClock
from shared.kernel.errors import BrokerAway, DatabaseAway
from shared.messaging import Bus, Queue, Sent
from shared.messaging.outbox import resend
from shared.messaging.relay import Relay
from shared.messaging.sql import sql_of
from tests.messaging.rig import (
    EXCHANGES,
    NOON,
    QUEUES,
    World,
    applied,
    make,
    open_store,
    outbox,
    states,
)


@pytest.fixture
def world(backend):
    made = World(backend)
    yield made
    made.close()


def unsent(store):
    return [row for row in outbox(store) if row.sent_at is None]


def arrivals(bus, queue="reader.facts", at_least=1):
    subscriber = bus.subscriber(queue)
    taken = []
    end = time.monotonic() + 10
    while len(taken) < at_least and time.monotonic() < end:
        taken += subscriber.receive(100, 0.5)
    taken += subscriber.receive(100, 0)
    subscriber.ack_through(taken[-1])
    subscriber.close()
    return taken


def read_all(world):
    """Let the reader take all that was sent, and the relay hear of it."""
    while world.consumer.step(0.5 if not world.bus.volatile else 0):
        pass
    world.relay.step(0)


def test_what_was_recorded_is_sent_in_its_order_with_the_bytes_of_the_outbox(world):
    make(world.maker, "D1", 3)
    assert world.relay.step(0) == 3
    bodies = [delivery.body for delivery in arrivals(world.bus, at_least=3)]
    world.relay.step(0)
    assert unsent(world.maker) == []
    assert bodies == [bytes(row.body) for row in outbox(world.maker)]
    assert [decode(body).sequence for body in bodies] == [1, 2, 3]


def test_headers_repeat_what_operators_look_for(world):
    make(world.maker, "D1")
    world.relay.step(0)
    (delivery,) = arrivals(world.bus)
    assert delivery.headers["ce-subject"] == "D1"
    assert delivery.headers["ce-id"] == outbox(world.maker)[0].id


def test_at_rest_a_step_asks_nothing(world, statements):
    world.relay.step(0)
    with statements(world.maker) as asked:
        assert world.relay.step(0) == 0
    assert asked == []


def test_more_than_a_batch_goes_in_several_steps(world):
    world.relay = Relay(world.maker, world.bus, batch=10)
    make(world.maker, "D1", 25)
    assert [world.relay.step(0) for _ in range(4)] == [10, 10, 5, 0]


def test_what_nobody_is_bound_for_stays_unsent_and_holds_back_only_its_own_way(world):
    world.relay = Relay(world.maker, world.bus, batch=5)
    make(world.maker, "D1", 7, key="nobody.hears.this")
    make(world.maker, "D2", 2)
    sent = sum(world.relay.step(0) for _ in range(5))
    assert sent == 2
    read_all(world)
    assert {row.subject for row in unsent(world.maker)} == {"D1"}
    due = world.relay.next_due()
    assert due == NOON + timedelta(seconds=1)
    world.bus.declare(EXCHANGES, [Queue("late.facts", (("dossier.facts", "nobody.*.*"),))])
    assert world.relay.step(0) == 0, "not before its time"
    world.clock.set(due)
    assert sum(world.relay.step(0) for _ in range(3)) == 7
    assert world.relay.next_due() is None


def test_the_pause_of_a_way_grows_up_to_a_minute(world):
    make(world.maker, "D1", key="nobody.hears.this")
    pauses = []
    for _ in range(8):
        world.relay.step(0)
        pauses.append((world.relay.next_due() - world.clock.now()).total_seconds())
        world.clock.set(world.relay.next_due())
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


class Refusing:
    """A bus whose publisher is away, or confirms only some."""

    def __init__(self, answers):
        self.answers = answers
        self.published = []

    def publisher(self):
        return self

    def publish(self, batch):
        answer = self.answers.pop(0)
        if answer is BrokerAway:
            raise BrokerAway("gone")
        self.published += [message.key for message in batch]
        keys = [message.key for message in batch]
        return Sent(set(keys[answer]), {key: "nacked" for key in keys if key not in keys[answer]})

    def confirmed(self):
        return set()

    def tend(self): ...

    def close(self): ...


def test_while_the_broker_is_away_facts_are_recorded_and_afterwards_sent(backend):
    store = open_store(backend.settings("intake").database_url, FixedClock(NOON))
    bus = Refusing([BrokerAway, BrokerAway, slice(None)])
    relay = Relay(store, bus)
    make(store, "D1", 2)
    for _ in range(2):
        with pytest.raises(BrokerAway):
            relay.step(0)
        make(store, "D2")
    assert len(unsent(store)) == 4
    assert relay.step(0) == 4
    assert unsent(store) == []
    store.close()


def test_only_what_was_confirmed_is_marked_sent(backend):
    clock = FixedClock(NOON)
    store = open_store(backend.settings("intake").database_url, clock)
    relay = Relay(store, Refusing([slice(1, 2), slice(None)]))
    make(store, "D1", 3)
    assert relay.step(0) == 1
    assert [row.sequence for row in unsent(store)] == [1, 3]
    clock.advance(timedelta(seconds=1))
    assert relay.step(0) == 2
    store.close()


class Looking:
    """The real bus, with a look at the database each time before something is published."""

    def __init__(self, bus, look):
        self.bus, self.look, self.looked = bus, look, 0

    def publisher(self):
        real = self.bus.publisher()
        publish = real.publish

        def look_and_publish(batch):
            self.look()
            self.looked += 1
            return publish(batch)

        real.publish = look_and_publish
        return real


def test_no_transaction_is_open_while_the_broker_is_waited_for(world):
    store = world.maker

    def look():
        if store.engine.dialect.name == "sqlite":
            with closing(sqlite3.connect(store.engine.url.database, timeout=0)) as other:
                other.execute("BEGIN IMMEDIATE")
            return
        url = store.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
        with closing(psycopg.connect(url)) as other:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            opened = f"{asked} AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
            assert other.execute(opened).fetchone() == (0,)

    bus = Looking(world.bus, look)
    world.relay = Relay(store, bus)
    make(store, "D1", 3)
    assert world.relay.step(0) == 3
    read_all(world)
    assert unsent(store) == []
    assert bus.looked == 1


def test_what_a_relay_has_claimed_is_free_again_whatever_became_of_it(on_servers):
    """Also where its broker was away, and where it died in the middle."""
    url = on_servers.settings("intake").database_url
    store = open_store(url, FixedClock(NOON))
    other = Relay(open_store(url, FixedClock(NOON)), Refusing([slice(None)]))
    make(store, "D1", 2)
    seen = []

    def meanwhile():
        other.wake()
        seen.append(other.step(0))

    class Interrupted(Refusing):
        def publish(self, batch):
            meanwhile()
            return super().publish(batch)

    relay = Relay(store, Interrupted([BrokerAway]))
    with pytest.raises(BrokerAway):
        relay.step(0)
    assert seen == [0], "in the hands of the first"
    session = store.session()
    with suppress(DatabaseAway), session as held:  # a relay that claims, and is cut off
        assert len(sql_of(held).claim(held, 10, [])) == 2
        meanwhile()
        pid = held.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        with other._store.transaction() as beside:
            beside.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 10000)")
        held.exec_driver_sql("SELECT 1")
    meanwhile()
    assert seen == [0, 0, 2]
    assert unsent(store) == []
    store.close()


def test_two_relays_share_the_work_and_send_each_fact_once(on_servers):
    store = open_store(on_servers.settings("intake").database_url, FixedClock(NOON))
    for _ in range(20):
        make(store, "D1", 10)
    buses = [Refusing([slice(None)] * 100) for _ in range(2)]
    start = threading.Barrier(2)

    def work(bus):
        relay = Relay(store, bus, batch=7)
        start.wait()
        while relay.step(0):
            pass

    threads = [threading.Thread(target=work, args=(bus,)) for bus in buses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    # Either may have ended while the other held the key: what is left needs nobody else.
    left = Relay(store, buses[0])
    while left.step(0):
        pass
    positions = [position for bus in buses for position in bus.published]
    assert sorted(positions) == list(range(1, 201))
    store.close()


def test_a_commit_ends_the_wait_of_the_relay_at_once(world):
    world.relay.step(0)
    took = []

    def wait():
        started = time.monotonic()
        world.relay.step(20)
        took.append(time.monotonic() - started)

    thread = threading.Thread(target=wait)
    thread.start()
    make(world.maker, "D1")
    thread.join(15)
    assert took
    assert took[0] < 10
    read_all(world)
    assert unsent(world.maker) == []


def test_a_memory_bus_that_died_gets_again_what_it_had_and_the_inbox_absorbs_it(embedded):
    world = World(embedded)
    make(world.maker, "D1", 3)
    world.relay.step(0)
    world.consumer.step(0)
    make(world.maker, "D1", 2)
    world.relay.step(0)
    world.restart()  # two were sent and never taken
    world.carry(5)
    assert [row[2] for row in applied(world.reader)] == [1, 2, 3, 4, 5]
    assert states(world.reader) == {"done": 5}
    world.close()


def test_a_first_start_on_a_memory_bus_sends_nothing_twice(embedded):
    world = World(embedded)
    make(world.maker, "D1", 3)
    assert world.relay.step(0) == 3
    assert world.relay.step(0) == 0
    world.close()


def test_a_clock_that_was_set_back_loses_nothing_on_a_memory_bus(embedded):
    world = World(embedded)
    world.relay.step(0)
    world.clock.set(NOON - timedelta(days=1))
    make(world.maker, "D1", 3)
    world.relay.step(0)
    world.restart()
    world.carry(3)
    world.close()


def test_resend_sends_again_what_was_sent_since_and_the_inbox_makes_it_harmless(world):
    make(world.maker, "D1", 2)
    world.carry(2)
    world.clock.advance(timedelta(hours=1))
    since = world.clock.now()
    make(world.maker, "D1", 3)
    world.carry(5)
    with world.maker.begin() as uow:
        assert resend(uow, since) == 3
    assert world.relay.step(0) == 3
    world.carry(5)
    assert [row[2] for row in applied(world.reader)] == [1, 2, 3, 4, 5]
    with world.maker.begin() as uow:
        assert resend(uow, world.clock.now() + timedelta(hours=1)) == 0


def test_after_a_broker_lost_its_disk_resend_brings_everything(on_servers):
    world = World(on_servers)
    make(world.maker, "D1", 5)
    world.relay.step(0)
    world.die()
    on_servers.management.drop_vhost(on_servers.vhost)
    on_servers.management.call("PUT", f"/vhosts/{on_servers.vhost}", {})
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    user = on_servers.management.user
    on_servers.management.call("PUT", f"/permissions/{on_servers.vhost}/{user}", rights)
    world.start()
    with world.maker.begin() as uow:
        assert resend(uow, NOON) == 5
    world.carry(5)
    assert [row[2] for row in applied(world.reader)] == [1, 2, 3, 4, 5]
    world.close()


def test_relays_declare_nothing_and_close_what_they_opened(backend):
    bus = Bus(backend.amqp_url())
    bus.declare(EXCHANGES, QUEUES)
    store = open_store(backend.settings("intake").database_url, FixedClock(NOON))
    relay = Relay(store, bus)
    make(store, "D1")
    relay.step(0)
    relay.close()
    relay.close()
    bus.close()
    store.close()
