"""Many rows at once, alike on both databases: what is written is what is read."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from shared.database import Instant, Json, batch, make_engine

METADATA = sa.MetaData()
THINGS = sa.Table(
    "things",
    METADATA,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("count", sa.Integer),
    sa.Column("good", sa.Boolean),
    sa.Column("at", Instant()),
    sa.Column("body", sa.LargeBinary),
    sa.Column("told", Json()),
)
AT = datetime(2022, 3, 1, 5, 0, 0, 123456, tzinfo=UTC)
HARD = 'Nguyễn "Văn" An\\n\n\t{a,b} \u2028 %s :x $1'


@pytest.fixture
def engine(backend):
    made = make_engine(backend.settings("routing").database_url)
    METADATA.create_all(made)
    yield made
    made.dispose()


def thing(name: str, **other: object) -> dict[str, object]:
    row = {"kind": HARD, "name": name, "count": 1, "good": True, "at": AT}
    return row | {"body": b'\x00\xff"\\', "told": {"text": HARD, "list": [1, None, True]}} | other


def read(connection: sa.Connection, *names: str, **options: bool) -> list[dict[str, object]]:
    found = batch.fetch(connection, THINGS.c.name, names, **options)
    return [dict(row._mapping) for row in found]


# One and three rows go as plain values, twelve as one text.
@pytest.mark.parametrize("size", [1, 3, 12])
def test_rows_come_back_as_they_were_written(engine, size):
    empty = {"count": None, "good": None, "at": None, "body": None, "told": None}
    names = [f"n{number:02}" for number in range(size)]
    rows = [thing(name) for name in names]
    rows[-1] |= empty
    with engine.begin() as connection:
        batch.insert(connection, THINGS, rows)
    with engine.connect() as connection:
        assert read(connection, *reversed(names), "nobody") == rows
        assert read(connection, *names, lock=True) == rows
        assert read(connection) == []
    assert all(each["at"] is None or each["at"].tzinfo is UTC for each in rows)


@pytest.mark.parametrize("size", [1, 12])
def test_rows_are_replaced_and_changed_by_their_key(engine, size):
    names = [f"n{number:02}" for number in range(size)]
    with engine.begin() as connection:
        batch.insert(connection, THINGS, [thing(name) for name in names])
        batch.upsert(connection, THINGS, [thing(name, count=7, told=[]) for name in [*names, "z"]])
        key = {"kind": HARD}
        changes = [{**key, "name": name, "body": b"new", "at": None} for name in [*names, "other"]]
        batch.update(connection, THINGS, changes)
        for nothing in (batch.insert, batch.upsert, batch.update):
            nothing(connection, THINGS, [])
    with engine.connect() as connection:
        after = {"count": 7, "told": [], "body": b"new", "at": None}
        assert read(connection, *names) == [thing(name, **after) for name in names]
        assert read(connection, "z", "other") == [thing("z", count=7, told=[])]


@pytest.mark.parametrize("size", [1, 12])
def test_an_instant_keeps_its_moment_and_one_without_a_zone_is_refused(engine, size):
    names = [f"n{number:02}" for number in range(size)]
    there = AT.astimezone(timezone(timedelta(hours=7)))
    with engine.begin() as connection:
        batch.insert(connection, THINGS, [thing(name, at=there) for name in names])
    with engine.connect() as connection:
        assert {row["at"] for row in read(connection, *names)} == {AT}
    bare = [thing(f"x{name}", at=AT.replace(tzinfo=None)) for name in names]
    for write in (batch.insert, batch.upsert, batch.update):
        with pytest.raises((ValueError, sa.exc.StatementError)), engine.begin() as connection:
            write(connection, THINGS, bare)


def test_one_of_many_keys_and_several_queries_are_asked_in_the_same_words(engine):
    wanted = sa.select(THINGS.c.name).where(batch.among(THINGS.c.name)).order_by(THINGS.c.name)
    with engine.begin() as connection:
        batch.insert(connection, THINGS, [thing(name) for name in ("a", "b", HARD)])
        batch.execute(
            connection,
            sa.delete(THINGS).where(THINGS.c.name == sa.bindparam("gone")),
            {"gone": "b"},
        )
    with engine.connect() as connection:
        first, none, both = batch.query(
            connection,
            (wanted, {"keys": ["a", "b"]}),
            (wanted, {"keys": []}),
            (wanted, {"keys": ["a", HARD]}),
        )
        assert ([tuple(row) for row in first], none) == ([("a",)], [])
        assert {row[0] for row in both} == {"a", HARD}
        assert connection.scalars(wanted, {"keys": ["b", "a"]}).all() == ["a"]


def test_what_is_only_read_can_write_nothing_on_postgresql(on_servers):
    from shared.kernel.clock import FixedClock
    from tests.messaging.rig import APPLIED, open_store

    store = open_store(on_servers.settings("routing").database_url, FixedClock(AT))
    with pytest.raises(sa.exc.DBAPIError, match="read-only"), store.read() as connection:
        connection.execute(sa.delete(APPLIED))
    store.close()


def test_a_stream_of_rows_opens_its_transaction_by_itself(engine):
    with engine.begin() as connection:
        batch.insert(connection, THINGS, [thing(f"n{number:03}") for number in range(50)])
    with engine.connect() as connection:
        names = sa.select(THINGS.c.name).order_by(THINGS.c.name)
        found = connection.execution_options(yield_per=7).scalars(names)
        assert list(found) == [f"n{number:03}" for number in range(50)]


LIGHT = """
import sys
import sqlalchemy as sa
from shared.database import batch, make_engine
engine = make_engine("sqlite://")
metadata = sa.MetaData()
table = sa.Table("t", metadata, sa.Column("k", sa.Text, primary_key=True), sa.Column("v", sa.Text))
metadata.create_all(engine)
with engine.begin() as connection:
    batch.insert(connection, table, [{"k": str(n), "v": "a"} for n in range(9)])
    batch.upsert(connection, table, [{"k": "1", "v": "b"}])
    batch.update(connection, table, [{"k": "2", "v": "c"}])
    batch.execute(connection, sa.delete(table).where(table.c.k == sa.bindparam("gone")), {"gone": "3"})
    rows = batch.fetch(connection, table.c.k, ["1", "2", "3"])
    assert batch.query(connection, (sa.select(table), {}))
    print(rows, "psycopg" in sys.modules)
"""


def test_batches_on_sqlite_do_not_load_the_driver_of_postgresql():
    done = subprocess.run(
        [sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[('1', 'b'), ('2', 'c')] False"
