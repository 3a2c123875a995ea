"""The counters of dossier codes after intake's database was restored: no code comes twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.intake.domain.codes import dossier_code, is_dossier_code
from services.intake.storage import counters
from services.intake.storage.tables import counters as table
from services.intake.storage.tables import metadata
from shared.database import make_engine
from tests.backends import Backend

MORNING = datetime(2022, 3, 14, 1, 30, tzinfo=UTC)  # 08:30 in Việt Nam
DAY = date(2022, 3, 14)
OFFICES = ("000.21.87.H20", "000.22.87.H20")


@pytest.fixture
def engine(backend: Backend) -> Iterator[sa.Engine]:
    made = make_engine(backend.settings("intake").database_url)
    metadata.create_all(made, tables=[table])
    yield made
    made.dispose()


def draw(engine: sa.Engine, office: str, count: int = 1, day: date = DAY) -> list[str]:
    with engine.begin() as connection:
        numbers = [counters.next_number(connection, office, day) for _ in range(count)]
    return [dossier_code(office, day, number) for number in numbers]


def restored(engine: sa.Engine, at: datetime) -> int:
    with engine.begin() as connection:
        return counters.begin_anew(connection, at)


def rows(engine: sa.Engine) -> list[dict[str, object]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


def put_back(engine: sa.Engine, backup: list[dict[str, object]]) -> None:
    with engine.begin() as connection:
        connection.execute(sa.delete(table))
        if backup:
            connection.execute(sa.insert(table), backup)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lives=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 10**6), st.booleans()),
        min_size=1,
        max_size=5,
    )
)
def test_however_often_it_is_restored_on_one_day_no_code_comes_twice(engine, lives):
    put_back(engine, [])
    at, drawn, backup = MORNING, [], []
    for first, second, milliseconds, keep in lives:
        drawn += draw(engine, OFFICES[0], first)
        if keep:
            backup = rows(engine)
        drawn += draw(engine, OFFICES[1], second)
        put_back(engine, backup)
        at += timedelta(milliseconds=milliseconds * 10)
        restored(engine, at)
    drawn += draw(engine, OFFICES[0]) + draw(engine, OFFICES[1])
    assert len(drawn) == len(set(drawn))
    assert all(map(is_dossier_code, drawn))


def test_an_office_that_the_backup_never_saw_is_above_what_it_may_have_drawn(engine):
    above = restored(engine, MORNING)
    assert above == 30_600_000
    assert draw(engine, OFFICES[0], 2) == [
        "000.21.87.H20-220314-30600001",
        "000.21.87.H20-220314-30600002",
    ]


def test_told_twice_it_never_counts_back_and_the_next_day_is_a_day_like_any_other(engine):
    restored(engine, MORNING)
    before = draw(engine, OFFICES[0], 3)
    restored(engine, MORNING)
    after = draw(engine, OFFICES[0])
    assert after[0] > before[-1]
    assert draw(engine, OFFICES[0], day=DAY + timedelta(days=1)) == ["000.21.87.H20-220315-0001"]


def test_the_day_is_the_local_one(engine):
    late = datetime(2022, 3, 14, 17, 0, 1, tzinfo=UTC)  # one second into the fifteenth
    assert restored(engine, late) == 1000
    assert draw(engine, OFFICES[0], day=date(2022, 3, 15)) == ["000.21.87.H20-220315-1001"]
    assert draw(engine, OFFICES[0]) == ["000.21.87.H20-220314-0001"]
