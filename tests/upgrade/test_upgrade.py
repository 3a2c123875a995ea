"""A city that stopped in the middle of its work goes on under this version, in place.

`data/before-events.json` holds the rows of the three databases as the version before the event
classes left them: a dossier resolved, two whose tasks lie with agencies, one of whose facts the
desk has parked, one that routing has opened and told nobody of, one that nobody has heard of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.intake.app import MIGRATIONS as INTAKE
from services.notify.app import MIGRATIONS as NOTIFY
from services.routing.storage.tables import MIGRATIONS as ROUTING
from shared.database import Store, make_engine
from shared.database.migrate import current, head, upgrade
from shared.messaging import parked
from shared.messaging.outbox import resend
from shared.messaging.tables import LEDGERS, PARKED
from simulation.kit import City, open_city
from tests.backends import Backend

BEFORE = json.loads((Path(__file__).parent / "data" / "before-events.json").read_text("utf-8"))
HISTORIES = {"intake": INTAKE, "routing": ROUTING, "notify": NOTIFY}
STOPPED = datetime.fromisoformat(BEFORE["started_at"])
CODES: dict[str, str] = BEFORE["dossiers"]
OFFICES = {"land": "mot-cua-thanh-pho"}


def put_back(url: str, service: str) -> None:
    """The database of a service as it was, in the shape that its tables had then."""
    engine = make_engine(url)
    told = BEFORE["services"][service]
    upgrade(engine, HISTORIES[service], told["revision"])
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.begin() as connection:
        for name, rows in told["tables"].items():
            table = metadata.tables[name]
            for row in rows:
                _insert(connection, table, {key: _value(row[key], table.c[key]) for key in row})
        _count_on(connection, metadata)
    engine.dispose()


def _insert(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> None:
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(sa.text(f"INSERT INTO {table.name} ({names}) VALUES ({values})"), row)


def _value(kept: Any, column: sa.Column[Any]) -> Any:
    if isinstance(kept, dict):
        return kept["bytes"].encode() if "bytes" in kept else bytes.fromhex(kept["hex"])
    if isinstance(column.type, sa.Boolean) and kept is not None:
        return bool(kept)
    if isinstance(column.type, sa.DateTime) and getattr(column.type, "timezone", False):
        return None if kept is None else f"{kept}+00"
    return kept


def _count_on(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """On PostgreSQL a sequence does not see what was put in with its number."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.tables.values():
        if "position" in table.c:
            connection.execute(
                sa.text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'position'),"
                    f" (SELECT coalesce(max(position), 0) + 1 FROM {table.name}), false)"
                )
            )


@pytest.fixture
def city(backend: Backend) -> Iterator[City]:
    urls = {name: backend.settings(name).database_url for name in HISTORIES}
    for name, url in urls.items():
        put_back(url, name)
    broker = None if backend.embedded else backend.amqp_url()
    with open_city(backend.data_dir, at=STOPPED, seed=7, database=urls, broker=broker) as made:
        for service in made.built.services.values():
            _send_again(service.store)  # a new broker has none of what the old one held
        yield made


def _send_again(store: Store) -> None:
    with store.begin() as uow:
        resend(uow, datetime.fromisoformat("2022-01-01T00:00:00+00:00"))


def held(city: City) -> list[tuple[str, str]]:
    found = []
    for name, service in city.built.services.items():
        with service.store.read() as connection:
            found += [(name, row.state) for row in parked.list_held(connection)]
    return found


def unsent(city: City) -> int:
    count = sa.select(sa.func.count()).where(LEDGERS.outbox.c.sent_at.is_(None))
    total = 0
    for service in city.built.services.values():
        with service.store.read() as connection:
            total += connection.scalar(count) or 0
    return total


def statuses(city: City) -> dict[str, int]:
    return {
        what: city.desk(OFFICES.get(what, "ubnd-phuong-1")).status(code)
        for what, code in CODES.items()
    }


def test_databases_of_the_version_before_are_brought_up_in_place(city: City) -> None:
    for name, history in HISTORIES.items():
        assert current(city.built.services[name].store.engine) == head(history)


def test_the_work_goes_on_where_it_was_left(city: City) -> None:
    assert ("intake", PARKED) in held(city)
    intake = city.built.intake.store
    with intake.read() as connection:
        (stuck,) = parked.list_held(connection, states=(PARKED,))
    with intake.begin() as uow:
        parked.replay(uow, stuck.fact_id)
    city.play()
    city.until(lambda: statuses(city) == dict.fromkeys(CODES, 9) | {"land": 6})
    city.desk(OFFICES["land"]).pay(CODES["land"], amount_vnd=1_500_000, proof="BL-0001")
    city.until(lambda: set(statuses(city).values()) == {9})
    city.until(lambda: unsent(city) == 0 and held(city) == [])


def test_everybody_is_told_once_and_the_timelines_can_be_read(city: City) -> None:
    intake = city.built.intake.store
    with intake.read() as connection:
        (stuck,) = parked.list_held(connection, states=(PARKED,))
    with intake.begin() as uow:
        parked.replay(uow, stuck.fact_id)
    city.play()
    city.until(lambda: statuses(city)["not sent"] == 9 and statuses(city)["not told"] == 9)
    city.until(lambda: unsent(city) == 0 and held(city) == [])
    city.until(lambda: all(city.sent(code) for code in CODES.values()))
    for what, code in CODES.items():
        told = [(sent.moment, sent.channel) for sent in city.sent(code)]
        assert len(told) == len(set(told)), what
        assert ("received", "sms") in told, what
        titles = [entry["title"] for entry in _desk(city, what).timeline(code)]
        assert len(titles) > 3
        assert not [title for title in titles if "." in title.split(" ")[0]], "a wire name shows"


def _desk(city: City, what: str) -> Any:
    return city.desk(OFFICES.get(what, "ubnd-phuong-1"))
