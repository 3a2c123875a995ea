"""Databases of the version before, whose outboxes said `sent` sooner and kept `starts` beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.embedded.city import City
from shared.catalogue import load
from shared.database import make_engine
from shared.database.migrate import current, drift, head, upgrade
from shared.kernel.clock import FixedClock, to_vn
from shared.kernel.ids import SeededIds
from shared.messaging.tables import LEDGERS
from shared.settings import PROJECT, SERVICES
from simulation.autopilot import autopilots
from simulation.kit import City as KitCity
from tests.backends import Backend
from tests.embedded.townsfolk import INTERLINKED, all_sent, desk_of, held, unsent
from tests.migrating import go_back

START = datetime(2022, 3, 14, 1, 30, tzinfo=UTC)
# The last version of each history that has the table.
BEFORE = {"intake": "0002", "routing": "0001", "notify": "0002"}


def history_of(service: str) -> Path:
    return PROJECT / "services" / service / "storage" / "migrations"


@pytest.fixture(params=SERVICES)
def old(backend: Backend, request: pytest.FixtureRequest) -> Iterator[tuple[sa.Engine, str]]:
    """A database as the version before made it, and whose."""
    engine = make_engine(backend.settings(request.param).database_url)
    upgrade(engine, history_of(request.param), BEFORE[request.param])
    yield engine, request.param
    engine.dispose()


def fill(engine: sa.Engine, *, resend_from: int | None) -> None:
    """Five facts: one unsent, four that count as sent; the last start sent from there on."""
    rows: list[dict[str, Any]] = [
        {
            "id": f"f-{number}", "stream": "/maker D1", "source": "/maker", "subject": "D1",
            "sequence": number, "type": "vn.lienthong.test.v1", "exchange": "dossier.facts",
            "routing_key": "maker.test.made", "body": b"{}", "made_at": START,
            "sent_at": None if number == 4 else START,
        }
        for number in range(1, 6)
    ]  # fmt: skip
    with engine.begin() as connection:
        connection.execute(sa.insert(LEDGERS.outbox), rows)
        for position in (1, resend_from) if resend_from else ():
            note_start(connection, position)


def note_start(connection: sa.Connection, resend_from: int) -> None:
    connection.execute(
        sa.text("INSERT INTO starts (started_at, resend_from) VALUES (:at, :first)"),
        {"at": START.replace(tzinfo=None), "first": resend_from},
    )


def unsent_of(engine: sa.Engine) -> list[int]:
    outbox = LEDGERS.outbox.c
    query = sa.select(outbox.sequence).where(outbox.sent_at.is_(None)).order_by(outbox.sequence)
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


@pytest.mark.parametrize(
    ("resend_from", "left"),
    [(3, [3, 4, 5]), (6, [4]), (None, [4])],
    ids=["killed", "safe", "broker"],
)
def test_what_may_have_died_with_its_process_is_unsent_after_the_upgrade(
    old: tuple[sa.Engine, str], resend_from: int | None, left: list[int]
):
    engine, service = old
    fill(engine, resend_from=resend_from)
    upgrade(engine, history_of(service))
    assert unsent_of(engine) == left
    assert current(engine) == head(history_of(service))
    assert "starts" not in sa.inspect(engine).get_table_names()
    tables = import_module(f"services.{service}.storage.tables")
    assert drift(engine, tables.metadata) == []


def test_going_back_makes_the_table_anew_and_forward_again_changes_nothing(
    old: tuple[sa.Engine, str],
):
    engine, service = old
    fill(engine, resend_from=6)
    upgrade(engine, history_of(service))
    go_back(engine, history_of(service), BEFORE[service])
    with engine.begin() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM starts")) == 0
        note_start(connection, 6)
    assert unsent_of(engine) == [4]
    upgrade(engine, history_of(service))
    assert unsent_of(engine) == [4]


def test_a_city_of_the_version_before_that_was_killed_finishes_what_was_on_its_bus(
    embedded: Backend,
):
    code = filed_and_killed(embedded)
    city = opened(embedded, seed=2)
    city.migrate()
    KitCity(city).until(lambda: all_sent(city, 2) and desk_of(city).status(code) == 9)
    city.pump()
    assert (held(city), unsent(city)) == ([], 0)
    city.close()


def filed_and_killed(embedded: Backend) -> str:
    """A dossier whose facts were put on the bus, as the version before left it when it died."""
    city = opened(embedded, seed=1)
    city.migrate()
    code = desk_of(city).submit(INTERLINKED).code
    city.close()
    for name in SERVICES:
        engine = make_engine(embedded.settings(name).database_url)
        go_back(engine, history_of(name), BEFORE[name])
        with engine.begin() as connection:
            note_start(connection, 1)
            connection.execute(sa.update(LEDGERS.outbox).values(sent_at=START))
        engine.dispose()
    return code


def opened(embedded: Backend, *, seed: int) -> City:
    clock = FixedClock(START)
    city = City(
        {name: embedded.settings(name) for name in SERVICES},
        catalogue=load(PROJECT / "catalogue"),
        clock=clock,
        ids=SeededIds(seed),
    )
    codes = [agency.code for agency in city.catalogue.agencies(to_vn(START).date())]
    city.add(autopilots(codes, city.bus, clock, delay=timedelta(0), catch_up=city.unanswered_by))
    return city
