"""Copies of dossiers' rows: as many as real ones would leave, and never in each other's way."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa

from bench.multiply import Originals, Unfaithful, local_days, multiply
from shared.database import Instant, Json
from shared.identity import keys
from shared.kernel.ids import _uuid7
from shared.messaging.tables import Ledgers
from tests.backends import Servers, create_database, database_url, drop_database

BEGAN = datetime(2026, 11, 23, 9, 59, 50, tzinfo=UTC)
DAY = timedelta(days=1)

metadata = sa.MetaData()
LEDGERS = Ledgers.define(metadata)
API_KEYS = keys.define(metadata)
papers = sa.Table(
    "papers",
    metadata,
    sa.Column("dossier", sa.Text, primary_key=True),
    sa.Column("form", Json(), nullable=False),
    sa.Column("taken_at", Instant(), nullable=False),
    sa.Column("due_at", Instant(), nullable=False),
)
counters = sa.Table(
    "counters",
    metadata,
    sa.Column("office", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)


def originals(days: tuple[date, ...] = (date(2026, 11, 23),)) -> Originals:
    return Originals(BEGAN, BEGAN + timedelta(seconds=20), days)


def fact_id(at: datetime, number: int) -> str:
    return _uuid7(int(at.timestamp() * 1000), number << 62)


@pytest.fixture
def url(servers: Servers) -> Iterator[str]:
    """A database with two dossiers, of which one agency got a task each."""
    name = f"lt_multiply_{secrets.token_hex(4)}"
    create_database(servers, name)
    engine = sa.create_engine(database_url(servers, name))
    metadata.create_all(engine)
    with engine.begin() as connection:
        for number in (1, 2):
            _dossier(connection, number)
        streams = [{"stream": "/routing/tasks office-a", "last": 2, "correlation": "any"}]
        connection.execute(LEDGERS.streams.insert(), streams)
        day = {"office": "office-a", "day": date(2026, 11, 23), "last": 2}
        connection.execute(counters.insert(), [day])
        key = {"id": "k", "kind": "desk", "bound_to": "office-a", "label": "", "hash": b"\xff\xfe"}
        until = {"made_at": BEGAN, "expires_at": BEGAN + 365 * DAY}
        connection.execute(API_KEYS.insert(), [{**key, **until}])
    engine.dispose()
    try:
        yield database_url(servers, name).replace("postgresql+psycopg://", "postgresql://", 1)
    finally:
        drop_database(servers, name)


def _dossier(connection: sa.Connection, number: int) -> None:
    code, at = f"000.01.H20-261123-{number:04d}", BEGAN + timedelta(seconds=number)
    row = {"dossier": code, "form": {"code": code}, "taken_at": at, "due_at": at + DAY}
    connection.execute(papers.insert(), [row])
    own = {"stream": f"/routing {code}", "last": 1, "correlation": fact_id(at, number)}
    connection.execute(LEDGERS.streams.insert(), [own])
    for stream, subject, sequence in (
        (f"/routing {code}", code, 1),
        ("/routing/tasks office-a", "office-a", number),
    ):
        fact = {
            "id": fact_id(at, number * 10 + (subject == code)),
            "stream": stream,
            "source": stream.split()[0],
            "subject": subject,
            "sequence": sequence,
            "type": "t",
            "exchange": "e",
            "routing_key": "k",
            "body": f'{{"dossier":"{code}"}}'.encode(),
            "made_at": at,
            "sent_at": at,
        }
        connection.execute(LEDGERS.outbox.insert(), [fact])


@pytest.mark.servers
def test_every_table_grows_as_many_real_dossiers_would_make_it(url: str) -> None:
    counts = multiply(url, metadata, originals(), 50)
    assert counts["papers"] == 100
    assert counts["outbox"] == 200
    assert counts["counters"] == 50
    assert counts["streams"] == 2 * 50 + 1  # the agency's own stream is still one
    assert counts["api_keys"] == 1


@pytest.mark.servers
def test_what_has_passed_goes_back_and_what_is_to_come_goes_on(url: str) -> None:
    multiply(url, metadata, originals(), 3)
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT dossier, form ->> 'code', taken_at, due_at FROM papers"
            " WHERE dossier LIKE '%0001' ORDER BY dossier"
        ).fetchall()
    at = BEGAN + timedelta(seconds=1)
    assert found == [
        (f"000.01.H20-2611{day}-0001",) * 2 + (at - DAY * back, at + DAY * (1 + back))
        for day, back in ((21, 2), (22, 1), (23, 0))
    ]


@pytest.mark.servers
def test_an_agency_s_stream_goes_on_counting_and_knows_where_it_stands(url: str) -> None:
    multiply(url, metadata, originals(), 3)
    with psycopg.connect(url) as connection:
        numbers = connection.execute(
            "SELECT sequence FROM outbox WHERE stream = '/routing/tasks office-a' ORDER BY 1"
        ).fetchall()
        last = connection.execute(
            "SELECT last FROM streams WHERE stream = '/routing/tasks office-a'"
        ).fetchone()
    assert [number for (number,) in numbers] == [1, 2, 3, 4, 5, 6]
    assert last == (6,)


@pytest.mark.servers
def test_each_body_tells_of_its_own_dossier_and_no_id_comes_twice(url: str) -> None:
    multiply(url, metadata, originals(), 30)
    with psycopg.connect(url) as connection:
        told = connection.execute(
            "SELECT subject, convert_from(body, 'UTF8') FROM outbox WHERE source = '/routing'"
        ).fetchall()
        ids = connection.execute("SELECT count(DISTINCT id), count(*) FROM outbox").fetchone()
    assert all(subject in body for subject, body in told)
    assert ids == (120, 120)


@pytest.mark.servers
def test_rows_that_a_trigger_swallows_are_noticed(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE RULE swallow AS ON INSERT TO papers DO INSTEAD NOTHING")
    with pytest.raises(Unfaithful, match="papers"):
        multiply(url, metadata, originals(), 3)


def test_a_word_that_was_put_in_is_never_replaced_again() -> None:
    two_days = originals((date(2026, 11, 23), date(2026, 11, 24)))
    assert two_days.stride == 2
    for back in (two_days.stride, 2 * two_days.stride):
        words = two_days.words(back)
        for index, (_, put_in) in enumerate(words):
            assert put_in not in [looked_for for looked_for, _ in words[index + 1 :]]


def test_the_days_of_a_run_over_midnight_are_both_known() -> None:
    hours = timedelta(hours=7)
    assert local_days(BEGAN, BEGAN + timedelta(seconds=5), hours) == (date(2026, 11, 23),)
    assert local_days(BEGAN, BEGAN + timedelta(hours=8), hours) == (
        date(2026, 11, 23),
        date(2026, 11, 24),
    )
