"""The test back ends themselves: fresh each time, migrated once, gone afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.backends import Backend, Servers, ServersBackend
from tests.databases import Pool, create_database, database_url, drop_database

migrations: list[str] = []


def migrate(url: str) -> None:
    migrations.append(url)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE notes (word VARCHAR(20))"))
    engine.dispose()


def words(url: str, *, add: str | None = None) -> list[str]:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        if add is not None:
            connection.execute(sa.text("INSERT INTO notes VALUES (:word)"), {"word": add})
        rows = connection.execute(sa.text("SELECT word FROM notes")).scalars().all()
    engine.dispose()
    return list(rows)


def test_every_service_gets_a_migrated_database_of_its_own(backend: Backend):
    for service in ("intake", "routing"):
        backend.migrated(service, migrate)
    intake, routing = backend.settings("intake"), backend.settings("routing")
    assert intake.database_url != routing.database_url
    assert intake.amqp_url == routing.amqp_url
    assert words(intake.database_url, add="tờ khai") == ["tờ khai"]
    assert words(routing.database_url) == []
    assert backend.settings("intake", port=8080).database_url == intake.database_url


def test_the_next_test_starts_from_an_empty_copy_and_migrates_no_more(backend: Backend):
    backend.migrated("intake", migrate)
    ran = len(migrations)
    backend.migrated("intake", migrate)
    assert len(migrations) == ran
    assert words(backend.settings("intake").database_url) == []


def test_migrating_after_the_settings_were_asked_for_works_too(backend: Backend):
    url = backend.settings("notify").database_url
    backend.migrated("notify", migrate)
    assert words(url) == []


def test_a_virtual_host_is_empty_and_our_own(on_servers: ServersBackend):
    assert on_servers.management.call("GET", f"/queues/{on_servers.vhost}") == []
    assert on_servers.amqp_url("ubnd-phuong-1", "x y").endswith(f"/{on_servers.vhost}")


def migrate_otherwise(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE other (word VARCHAR(20))"))
    engine.dispose()


def tables(url: str) -> list[str]:
    engine = sa.create_engine(url)
    names = sa.inspect(engine).get_table_names()
    engine.dispose()
    return names


def test_two_ways_of_migrating_the_same_service_do_not_mix(backend: Backend):
    backend.migrated("intake", migrate_otherwise)
    assert tables(backend.settings("intake").database_url) == ["other"]
    backend.migrated("intake", migrate)
    assert tables(backend.settings("intake").database_url) == ["notes"]


def test_a_service_that_was_not_migrated_starts_from_nothing(backend: Backend):
    assert tables(backend.settings("intake").database_url) == []


PEOPLE = (
    "CREATE TABLE places (code TEXT PRIMARY KEY)",
    "CREATE TABLE people (id BIGSERIAL PRIMARY KEY, place TEXT REFERENCES places (code))",
    "INSERT INTO places VALUES ('phường 1')",
)


@pytest.fixture
def pool(servers: Servers) -> Iterator[tuple[Pool, str]]:
    """A pool, and a template with a row, a sequence and a foreign key."""
    template = f"lt_template_pool_{secrets.token_hex(4)}"
    create_database(servers.database_url, template)
    for line in PEOPLE:
        typed(servers, template, line)
    made = Pool(servers.database_url)
    yield made, template
    made.close()
    drop_database(servers.database_url, template)


def typed(servers: Servers, name: str, line: str) -> list[tuple[object, ...]]:
    engine = sa.create_engine(database_url(servers.database_url, name))
    with engine.begin() as connection:
        done = connection.execute(sa.text(line))
        rows = [tuple(row) for row in done] if done.returns_rows else []
    engine.dispose()
    return rows


def test_a_database_that_was_given_back_is_as_fresh_as_a_new_one(
    pool: tuple[Pool, str], servers: Servers
):
    databases, template = pool
    name = databases.take(template)
    typed(servers, name, "INSERT INTO places VALUES ('phường 2')")
    typed(servers, name, "INSERT INTO people (place) VALUES ('phường 1'), ('phường 2')")
    databases.give_back(name, template)

    assert databases.take(template) == name
    assert typed(servers, name, "SELECT * FROM places") == [("phường 1",)]
    assert typed(servers, name, "SELECT * FROM people") == []
    assert typed(servers, name, "INSERT INTO people (place) VALUES (NULL) RETURNING id") == [(1,)]
    databases.give_back(name, template)


@pytest.mark.parametrize(
    "change",
    ["ALTER TABLE people ADD note TEXT", "CREATE INDEX by_place ON people (place)", "DROP TABLE people"],
)  # fmt: skip
def test_a_database_whose_structure_was_changed_is_not_used_again(
    pool: tuple[Pool, str], servers: Servers, change: str
):
    databases, template = pool
    name = databases.take(template)
    typed(servers, name, change)
    databases.give_back(name, template)
    again = databases.take(template)
    assert again != name
    databases.give_back(again, template)


def test_a_database_that_somebody_still_uses_is_not_used_again(
    pool: tuple[Pool, str], servers: Servers
):
    databases, template = pool
    name = databases.take(template)
    engine = sa.create_engine(database_url(servers.database_url, name))
    with engine.connect():
        databases.give_back(name, template)
    engine.dispose()
    again = databases.take(template)
    assert again != name
    databases.give_back(again, template)


def test_an_empty_database_is_empty_again(pool: tuple[Pool, str], servers: Servers):
    databases, _ = pool
    name = databases.take(None)
    typed(servers, name, "CREATE TABLE notes (word TEXT)")
    databases.give_back(name, None)
    assert databases.take(None) == name
    assert tables(database_url(servers.database_url, name)) == []
    databases.give_back(name, None)
