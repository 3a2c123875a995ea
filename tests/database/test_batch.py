"""Batches on both databases; what travels together to PostgreSQL, and that it hides nothing."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from shared.database import batch
from shared.kernel.clock import FixedClock
from shared.kernel.errors import DatabaseAway
from tests.messaging.rig import APPLIED, LEDGERS, NOON, make, open_store, outbox


@pytest.fixture
def store(on_servers):
    made = open_store(on_servers.settings("routing").database_url, FixedClock(NOON))
    yield made
    made.close()


def row(subject: str) -> dict[str, object]:
    return {"source": "/maker", "subject": subject, "sequence": 1, "id": subject}


def count(store) -> int:
    with store.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(APPLIED))


def write(uow, subject: str, **other: object) -> None:
    uow.on_flush(lambda: batch.insert(uow.connection, APPLIED, [{**row(subject), **other}]))


def cut(store, uow) -> None:
    own = uow.connection.scalar(sa.text("SELECT pg_backend_pid()"))
    with store.read() as other:
        other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": own})


def test_what_is_written_at_the_flush_is_committed_with_the_facts(store):
    with store.begin() as uow:
        write(uow, "D1")
        write(uow, "D2")
        uow.record(("/maker", "maker.test.made", "D1", {}))
    assert count(store) == 2
    assert len(outbox(store)) == 1


def test_a_write_that_fails_at_the_flush_leaves_nothing_and_says_so(store):
    def unit():
        with store.begin() as uow:
            write(uow, "D1")
            write(uow, "D2", id=None)
            uow.record(("/maker", "maker.test.made", "D1", {}))

    with pytest.raises(sa.exc.IntegrityError):
        unit()
    assert count(store) == 0
    assert outbox(store) == []
    make(store, "D1")  # and the connection is as good as before


def test_a_failure_of_the_last_statement_comes_up_with_the_commit(store):
    with pytest.raises(sa.exc.IntegrityError), store.begin() as uow:
        write(uow, "D1", id=None)
    assert count(store) == 0
    make(store, "D1")


def test_of_a_row_that_fails_beside_another_nothing_reaches_the_log(store, caplog):
    insert = sa.text(
        "INSERT INTO applied (source, subject, id) VALUES (:source, :subject, CAST(:id AS text))"
    )
    secret = {"source": "/maker", "subject": "0912345678", "id": None}

    def unit():
        with store.begin() as uow:
            uow.on_flush(lambda: batch.execute(uow.connection, insert, secret))
            uow.on_flush(lambda: batch.execute(uow.connection, insert, secret | {"id": object()}))

    with pytest.raises((sa.exc.DBAPIError, TypeError)):
        unit()
    assert caplog.text == ""
    make(store, "D1")


def test_rows_are_still_given_inside(store):
    with store.transaction() as connection, store.ending(connection):
        batch.insert(connection, APPLIED, [row("D1")])
        text = "UPDATE applied SET sequence = 7 WHERE subject = :s RETURNING sequence"
        assert connection.execute(sa.text(text), {"s": "D1"}).scalar_one() == 7
        batch.insert(connection, APPLIED, [row("D2")])
        assert connection.scalar(sa.select(sa.func.sum(APPLIED.c.sequence))) == 8
    assert count(store) == 2


def test_several_questions_are_answered_in_their_order(store):
    texts = [sa.text(f"SELECT CAST(:n AS integer) + {n}") for n in range(3)]
    with store.read() as connection:
        rows = batch.query(connection, *((text, {"n": 10}) for text in texts))
        assert [each[0][0] for each in rows] == [10, 11, 12]
        with pytest.raises(sa.exc.DBAPIError):
            batch.query(connection, (texts[0], {"n": 1}), (sa.text("SELECT nonsense"), {}))
        connection.rollback()
        assert batch.query(connection, (texts[0], {"n": 1})) == [[(1,)]]


def test_a_connection_that_breaks_between_is_a_database_that_is_away(store):
    def at_the_flush():
        with store.begin() as uow:
            cut(store, uow)
            write(uow, "D1")

    def while_asking():
        with store.begin() as uow:
            cut(store, uow)
            batch.query(uow.connection, (sa.text("SELECT 1"), {}))

    for unit in (at_the_flush, while_asking):
        with pytest.raises(DatabaseAway):
            unit()
    make(store, "D1")
    assert count(store) == 0


def test_a_subject_that_is_said_to_be_new_begins_at_one_on_both_databases(backend):
    store = open_store(backend.settings("intake").database_url, FixedClock(NOON))
    with store.begin() as uow:
        uow.opens("D1")
        for number in range(2):
            uow.record(("/maker", "maker.test.made", "D1", {"n": number}))
    make(store, "D1")
    assert [made.sequence for made in outbox(store)] == [1, 2, 3]

    def again():
        with store.begin() as uow:
            uow.opens("D1")
            uow.record(("/maker", "maker.test.made", "D1", {}))

    with pytest.raises(sa.exc.IntegrityError):
        again()
    assert len(outbox(store)) == 3
    with store.read() as connection:
        assert connection.scalar(sa.select(LEDGERS.streams.c.last)) == 3
    store.close()


def test_a_rollback_leaves_nothing_that_the_server_no_longer_keeps_for_us(store):
    asked = (sa.text("SELECT CAST(:n AS integer)"), {"n": 1})

    def asks_often() -> None:
        for _ in range(3):
            with store.begin() as uow:
                assert batch.query(uow.connection, asked) == [[(1,)]]

    def fails() -> None:
        with store.begin() as uow:
            for _ in range(12):
                uow.connection.execute(sa.text("SELECT 2")).scalar()
            raise KeyError

    asks_often()
    with pytest.raises(KeyError):
        fails()
    asks_often()


def test_what_was_deferred_by_a_unit_that_failed_is_not_sent_with_the_next(store):
    def fails() -> None:
        with store.begin() as uow:
            write(uow, "D1")
            uow.on_flush(lambda: {}["nothing"])

    with pytest.raises(KeyError):
        fails()
    make(store, "D2")
    assert count(store) == 0
