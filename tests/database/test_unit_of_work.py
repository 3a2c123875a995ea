"""One step, one transaction: state and facts commit together or not at all, on both databases."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
import sqlalchemy as sa

from shared.database import UnitOfWork
from shared.database.engine import make_engine
from shared.events.envelope import Envelope, decode
from shared.kernel.clock import FixedClock
from shared.kernel.errors import DatabaseAway
from shared.messaging import inbox
from shared.messaging.sql import sql_of
from tests.messaging.rig import APPLIED, NOON, applied, make, open_store, outbox


@pytest.fixture
def clock():
    return FixedClock(NOON)


@pytest.fixture
def store(backend, clock):
    made = open_store(backend.settings("intake").database_url, clock, reads=["/routing", "/notify"])
    yield made
    made.close()


def save(uow, subject="D1"):
    row = {"source": "/maker", "subject": subject, "id": "x", "sequence": 1}
    uow.connection.execute(sa.insert(APPLIED), row)


def record(uow, subject="D1", source="/maker", **data):
    uow.record((source, "maker.test.made", subject, data))


def facts(store):
    return [decode(row.body) for row in outbox(store)]


def test_state_and_facts_commit_together(store):
    with store.begin() as uow:
        save(uow)
        record(uow)
    assert len(applied(store)) == len(outbox(store)) == 1


def test_when_the_unit_raises_neither_state_nor_facts_nor_numbers_remain(store):
    with pytest.raises(RuntimeError), store.begin() as uow:  # noqa: PT012 - the unit is one thing
        save(uow)
        record(uow)
        raise RuntimeError
    assert applied(store) == []
    assert outbox(store) == []
    make(store, "D1")
    assert facts(store)[0].sequence == 1


def test_facts_are_numbered_per_stream_without_gaps_across_units(store):
    for _ in range(3):
        with store.begin() as uow:
            record(uow, "D1")
            record(uow, "D2")
            record(uow, "D1")
            record(uow, "D1", source="/maker/contacts")
    seen = [(fact.source, fact.subject, fact.sequence) for fact in facts(store)]
    for stream, count in Counter((source, subject) for source, subject, _ in seen).items():
        assert [n for *of, n in seen if tuple(of) == stream] == list(range(1, count + 1))


def test_the_bytes_in_the_outbox_are_the_whole_envelope(store):
    make(store, "D1")
    row = outbox(store)[0]
    fact = decode(row.body)
    assert (fact.id, fact.subject, fact.sequence, fact.time) == (row.id, "D1", 1, NOON)
    assert fact.correlationid == fact.id
    assert fact.causationid is None
    assert fact.after is None
    assert fact.traceparent is not None
    assert row.made_at == NOON
    assert row.sent_at is None


def test_all_facts_of_a_dossier_share_the_id_of_its_first(store):
    with store.begin() as uow:
        record(uow)
        record(uow, source="/maker/contacts")
    make(store, "D1", 2)
    make(store, "D2")
    told = facts(store)
    assert {fact.correlationid for fact in told if fact.subject == "D1"} == {told[0].id}
    assert len({fact.traceparent.split("-")[1] for fact in told if fact.subject == "D1"}) == 1
    assert len({fact.traceparent for fact in told}) == len(told)
    assert told[-1].correlationid == told[-1].id


def test_a_fact_made_by_a_desk_says_how_far_the_service_had_come_with_others(store):
    with store.begin() as uow:
        for consumer, source, number in (
            ("a.facts", "/routing", 4),
            ("b.facts", "/routing", 6),
            ("a.facts", "/elsewhere", 9),
        ):
            sql_of(uow.connection).move_cursors(uow.connection, consumer, {f"{source} D1": number})
    make(store, "D1")
    assert facts(store)[0].after == "/routing:6"


def test_repositories_are_made_once_per_unit_and_written_before_the_facts(store):
    order = []

    class Dossiers:
        def __init__(self, uow: UnitOfWork) -> None:
            self.uow = uow
            uow.on_flush(self.write)

        def write(self) -> None:
            order.append(len(list(self.uow.connection.execute(sa.text("SELECT id FROM outbox")))))

    with store.begin() as uow:
        assert uow.get(Dossiers) is uow.get(Dossiers)
        record(uow)
        assert order == []
    assert order == [0]


def test_the_bells_ring_after_the_commit_and_only_then(store):
    counts = store.recorded.count, store.commits.count
    heard = []
    store.after_commit.append(lambda _names: heard.append(len(outbox(store))))
    with store.begin() as uow:
        save(uow)
    assert (store.recorded.count, store.commits.count) == (counts[0], counts[1] + 1)
    assert heard == []
    make(store, "D1")
    assert (store.recorded.count, store.commits.count) == (counts[0] + 1, counts[1] + 2)
    assert heard == [1]
    with pytest.raises(RuntimeError), store.begin() as uow:  # noqa: PT012 - the unit is one thing
        record(uow)
        raise RuntimeError
    assert store.recorded.count == counts[0] + 1


def test_what_comes_by_http_is_admitted_once(store):
    def admit():
        with store.begin() as uow:
            answer = Envelope(
                id="answer-1", source="/agencies/a", type="t", subject="T1", time=NOON, data={}
            )
            return inbox.record(uow, "door", answer)

    assert [admit(), admit()] == [True, False]


def test_units_that_touch_the_same_streams_never_skip_or_repeat_a_number(store):
    start = threading.Barrier(4)
    troubles = []

    def work(turn):
        start.wait()
        try:
            for step in range(10):
                subjects = ["D1", "D2", "D3"] if (turn + step) % 2 else ["D3", "D2", "D1"]
                with store.begin() as uow:
                    for subject in subjects:
                        record(uow, subject)
        except Exception as error:  # noqa: BLE001 - told to the test's own thread
            troubles.append(error)

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert troubles == []
    for subject in ("D1", "D2", "D3"):
        numbers = sorted(fact.sequence for fact in facts(store) if fact.subject == subject)
        assert numbers == list(range(1, 41))


def test_readers_go_on_while_a_writer_is_at_work(store):
    make(store, "D1")
    with store.begin() as uow:
        save(uow)
        assert len(outbox(store)) == 1


def test_a_database_that_is_away_says_so_without_quoting_anything(tmp_path):
    gone = "postgresql+psycopg://someone:secret@127.0.0.1:1/nowhere"
    for url in (gone, f"sqlite:///{tmp_path}/no/such/folder/x.db"):
        store = open_lazily(url)
        with pytest.raises(DatabaseAway) as told:
            store.ping()
        assert "secret" not in str(told.value)
        with pytest.raises(DatabaseAway), store.begin():
            pass
        store.close()


def test_a_connection_cut_in_the_middle_is_the_database_being_away(on_servers, clock):
    store = open_store(on_servers.settings("intake").database_url, clock)
    with pytest.raises(DatabaseAway), store.begin() as uow:  # noqa: PT012 - the unit is one thing
        record(uow)
        pid = uow.connection.scalar(sa.text("SELECT pg_backend_pid()"))
        with store.read() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        save(uow)
    make(store, "D1")
    assert [fact.sequence for fact in facts(store)] == [1]
    store.close()


def test_a_commit_that_fails_leaves_no_open_transaction_in_the_pool(store):
    def refuse(_connection):
        raise DatabaseAway("broke off at the commit")

    sa.event.listen(store.engine, "commit", refuse)
    with pytest.raises(DatabaseAway):
        make(store, "D1")
    sa.event.remove(store.engine, "commit", refuse)
    make(store, "D1")
    assert [fact.sequence for fact in facts(store)] == [1]


def test_sqlite_is_opened_so_that_a_commit_is_on_disk(embedded):
    engine = make_engine(embedded.settings("intake").database_url)
    with engine.connect() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]
    engine.dispose()


def test_a_connection_to_sqlite_keeps_little_and_the_one_used_last_comes_first(embedded):
    engine = make_engine(embedded.settings("intake").database_url)
    first, last = engine.connect(), engine.connect()
    assert first.exec_driver_sql("PRAGMA cache_size").scalar() == -2000
    used_last = last.connection.driver_connection
    first.close()
    last.close()
    with engine.connect() as connection:
        assert connection.connection.driver_connection is used_last
    engine.dispose()


def open_lazily(url):
    from shared.database import Store
    from shared.kernel.ids import SeededIds
    from shared.messaging.outbox import Outbox
    from tests.messaging.rig import translate

    engine = make_engine(url)
    return Store(engine, Outbox(translate), clock=FixedClock(NOON), ids=SeededIds(1))
