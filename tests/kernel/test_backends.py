"""The test back ends themselves: fresh each time, migrated once, gone afterwards."""

from __future__ import annotations

import sqlalchemy as sa

from tests.backends import Backend, ServersBackend

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
