"""A database that vanishes, only reads, or changed under an open session: told in time, healed alone."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from shared.database import Store, batch, make_engine
from shared.database.engine import Limits
from shared.database.gate import PAUSE_SECONDS
from shared.database.trouble import Contention
from shared.kernel.clock import FixedClock
from shared.kernel.errors import DatabaseAway
from shared.kernel.ids import SeededIds
from tests.backends import Backend, EmbeddedBackend, ServersBackend
from tests.messaging.rig import APPLIED, NOON, Outbox, metadata, translate
from tests.promises.test_away import line_to
from tests.servers.postgres import Postgres
from tests.servers.process import NotStarted

SHORT = Limits(connect=2, pool=1, answer=1, statement=5, lock=1)
_QUESTION = sa.text("SELECT n FROM applied")


def opened(url: str, limits: Limits = SHORT) -> Store:
    engine = make_engine(url, limits)
    return Store(engine, Outbox(translate), clock=FixedClock(NOON), ids=SeededIds(1))


@pytest.fixture
def url(backend: Backend) -> str:
    """A database with a table in it."""
    found = backend.settings("intake").database_url
    made = opened(found)
    metadata.create_all(made.engine)
    made.close()
    return found


@pytest.fixture
def server_url(on_servers: ServersBackend) -> str:
    found = on_servers.settings("intake").database_url
    made = opened(found)
    metadata.create_all(made.engine)
    made.close()
    return found


def write(store: Store) -> None:
    with store.begin() as uow:
        uow.connection.execute(
            APPLIED.insert().values(source="/a", subject="s", sequence=1, id="x")
        )


def read(store: Store) -> None:
    with store.read() as connection:
        connection.execute(sa.select(APPLIED)).all()


def together(store: Store) -> None:
    """By the pipeline, as the ledgers ask."""
    with store.transaction() as connection:
        batch.query(connection, (_QUESTION, {}), (_QUESTION, {}))


def at_the_end(store: Store) -> None:
    """Written with the COMMIT, without a wait before."""
    with store.begin() as uow:
        uow.on_flush(lambda: batch.insert(uow.connection, APPLIED, [
            {"source": "/a", "subject": "s", "sequence": 1, "id": "x"}]))  # fmt: skip


WAYS = [write, read, together, at_the_end, Store.ping]
Way = Callable[[Store], None]


def heals(store: Store, way: Way, *, tries: int = 1) -> None:
    """As a loop does: asked again, it goes on after `tries` refusals at the most."""
    for _ in range(tries):
        with suppress(DatabaseAway, Contention):
            way(store)
            return
    way(store)


def healed(store: Store, way: Way) -> None:
    """At the latest a while after the server is back."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(DatabaseAway, Contention):
            way(store)
            return
        time.sleep(0.05)
    way(store)


# --- gone without a word ------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_host_that_vanishes_is_given_up_in_time_and_healed_alone(server_url: str, way: Way):
    with line_to(server_url) as (proxy, url):
        store = opened(url)
        way(store)
        proxy.hole()
        began = time.monotonic()
        with pytest.raises(DatabaseAway):
            way(store)
        assert time.monotonic() - began < 15
        proxy.heal()
        healed(store, way)
        store.close()


def test_while_a_host_is_gone_one_tries_and_the_others_are_told_at_once(server_url: str):
    with line_to(server_url) as (proxy, url):
        store = opened(url, replace(SHORT, connect=3))
        write(store)
        proxy.hole()
        with pytest.raises(DatabaseAway):
            write(store)
        time.sleep(PAUSE_SECONDS)
        trying = threading.Thread(target=lambda: suppressed(store))
        trying.start()
        time.sleep(0.5)
        began = time.monotonic()
        for _ in range(50):
            with pytest.raises(DatabaseAway):
                write(store)
        assert time.monotonic() - began < 2
        assert trying.is_alive()
        trying.join()
        proxy.heal()
        healed(store, write)
        store.close()


def suppressed(store: Store) -> None:
    with suppress(DatabaseAway):
        write(store)


def test_the_host_itself_is_asked_for_a_sign_of_life(server_url: str):
    store = opened(server_url, replace(SHORT, vanish=7))
    with store.query() as connection:
        fd = connection.connection.driver_connection.fileno()  # type: ignore[union-attr]
        line = socket.socket(fileno=os.dup(fd))
        told = connection.exec_driver_sql("SELECT current_setting('tcp_user_timeout')").scalar()
    with line:
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7000
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 30
    assert told == "7000"  # and the server frees what a vanished client held
    store.close()


def test_when_all_connections_are_in_use_the_next_one_is_told_soon(url: str):
    store = opened(url)
    held = [store.engine.connect() for _ in range(30)]
    began = time.monotonic()
    with pytest.raises(DatabaseAway, match="became free"):
        store.ping()
    assert time.monotonic() - began < 15
    for each in held:
        each.close()
    store.ping()
    store.close()


def test_a_statement_a_lock_and_a_silent_transaction_have_their_end(server_url: str):
    store = opened(server_url, Limits(answer=30, statement=2, lock=1, idle=1))
    with pytest.raises(DatabaseAway, match="too long"), store.query() as connection:
        connection.exec_driver_sql("SELECT pg_sleep(20)")
    with closing(psycopg.connect(server_url.replace("+psycopg", ""))) as other:
        other.execute("LOCK TABLE applied")
        with pytest.raises(Contention):
            write(store)
    with pytest.raises(DatabaseAway):
        asleep(store)
    healed(store, write)
    store.close()


def asleep(store: Store) -> None:
    with store.transaction() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        connection.execute(_QUESTION)  # the first went in a pipeline, at whose end no clock is set
        end = time.monotonic() + 60
        with store.query() as beside:
            look = sa.text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
            while beside.scalar(look, {"pid": pid}) and time.monotonic() < end:
                time.sleep(0.05)
        connection.execute(_QUESTION)


# --- sessions that are of no use any more ------------------------------------------------------------


@pytest.fixture(scope="module")
def primary() -> Iterator[Postgres]:
    """A server of our own: what is done to it here would be felt by every other test."""
    with tempfile.TemporaryDirectory(prefix="lienthong-primary-") as folder:
        Path(folder).chmod(0o755)
        try:
            server = Postgres(Path(folder) / "postgres")
        except NotStarted as missing:
            pytest.skip(f"NOT RUN: it needs a PostgreSQL of its own: {missing}")
        try:
            server.ready()
            made = opened(server.url)
            metadata.create_all(made.engine)
            made.close()
            yield server
        finally:
            server.stop()


def order(url: str, *commands: str) -> None:
    """An administrator's orders."""
    with closing(psycopg.connect(url.replace("+psycopg", ""), autocommit=True)) as connection:
        for each in commands:
            connection.execute(each)  # type: ignore[call-overload]


@contextmanager
def reading_only(url: str) -> Iterator[None]:
    """The server takes no writes, as one that was demoted: its sessions are cut and begin anew."""
    name = "default_transaction_read_only"
    order(url, f"ALTER SYSTEM SET {name} = on", "SELECT pg_reload_conf()")
    _until(url, "on")
    order(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'lienthong'",
    )
    try:
        yield
    finally:
        order(url, f"SET {name} = off", f"ALTER SYSTEM RESET {name}", "SELECT pg_reload_conf()")
        _until(url, "off")


def _until(url: str, state: str) -> None:
    """Once new sessions are so: a server takes its time to read its settings again."""
    end = time.monotonic() + 60
    while True:
        with closing(psycopg.connect(url.replace("+psycopg", ""))) as connection:
            if connection.execute("SHOW transaction_read_only").fetchone() == (state,):
                return
        assert time.monotonic() < end
        time.sleep(0.02)


def sessions(store: Store, way: Way) -> None:
    """By several connections that then lie in the pool, each with its statements parsed."""
    held = []
    for _ in range(4):
        for _ in range(3):
            way(store)
        held.append(store.engine.connect())  # the one just used
    for each in held:
        each.close()


@pytest.mark.parametrize("way", [write, at_the_end, Store.ping])
def test_a_server_that_only_reads_is_away_until_it_writes_again(primary: Postgres, way: Way):
    store = opened(primary.url)
    sessions(store, way)
    with reading_only(primary.url):
        for _ in range(3):
            with pytest.raises(DatabaseAway):
                way(store)
        read(store)  # looking is possible all the time
    heals(store, way)
    store.ping()
    store.close()


def test_of_sessions_left_read_only_none_stays(primary: Postgres):
    """After a failover the old sessions live on, at a server that only reads by now."""
    store = opened(primary.url)
    held = [store.engine.connect() for _ in range(4)]
    for each in held:
        each.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        each.commit()
    for each in held:
        each.close()
    with pytest.raises(DatabaseAway, match="only reads"):
        write(store)
    write(store)  # by a fresh one, not by the next of the old ones
    store.close()


def test_an_alter_under_open_sessions_is_met_once_and_passed(server_url: str):
    store = opened(server_url)
    sessions(store, together)
    order(server_url, "ALTER TABLE applied ALTER COLUMN n TYPE bigint")
    heals(store, together)
    sessions(store, together)
    store.close()


def test_statements_that_the_server_has_forgotten_are_told_anew(server_url: str):
    store = opened(server_url)
    sessions(store, together)
    with store.query() as connection:
        # Said so that the driver does not notice, as a pooler would do it.
        connection.exec_driver_sql("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$")
    heals(store, together)
    store.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_a_session_that_the_server_ends_is_replaced(
    primary: Postgres, way: Way, sign: signal.Signals
):
    """By an administrator's order, and by the crash of another one, with which all are ended."""
    store = opened(primary.url)
    sessions(store, way)
    with store.query() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    assert isinstance(pid, int)
    os.kill(pid, sign)
    end = time.monotonic() + 60
    while True:
        try:
            way(store)
            break
        except DatabaseAway:
            assert time.monotonic() < end
            time.sleep(0.05)
    store.close()


def test_of_several_hosts_the_one_that_writes_is_found(primary: Postgres, server_url: str):
    plain = sa.make_url(server_url)
    order(server_url, f'ALTER DATABASE "{plain.database}" SET default_transaction_read_only = on')
    order(primary.url, f'CREATE DATABASE "{plain.database}"')
    with closing(socket.create_server(("127.0.0.1", 0))) as dead:
        nobody = dead.getsockname()[1]
    hosts = [f"127.0.0.1:{port}" for port in (nobody, plain.port, primary.port)]
    several = plain.set(host=None, port=None).update_query_pairs(
        [*(("host", each) for each in hosts), ("target_session_attrs", "read-write")]
    )
    store = opened(several.render_as_string(hide_password=False))
    try:
        store.ping()
        with store.query() as connection:
            port = connection.exec_driver_sql("SELECT current_setting('port')").scalar()
        assert port == str(primary.port)
    finally:
        store.close()
        order(server_url, "SET default_transaction_read_only = off",
              f'ALTER DATABASE "{plain.database}" RESET default_transaction_read_only')  # fmt: skip


# --- a file -------------------------------------------------------------------------------------------


@pytest.fixture
def file(embedded: EmbeddedBackend) -> Path:
    found = embedded.settings("intake").database_url
    made = opened(found)
    metadata.create_all(made.engine)
    made.close()
    database = sa.make_url(found).database
    assert database is not None
    return Path(database)


def test_a_file_that_cannot_be_written_is_away_until_it_can(file: Path):
    store = opened(f"sqlite:///{file}")

    def forbid(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA query_only = on")  # root may write any file

    sa.event.listen(store.engine, "connect", forbid)
    for _ in range(2):
        with pytest.raises(DatabaseAway, match="cannot be written"):
            write(store)
        with pytest.raises(DatabaseAway):
            store.ping()  # asked for, although reading goes on
    read(store)
    sa.event.remove(store.engine, "connect", forbid)
    heals(store, Store.ping)
    write(store)
    store.close()


def test_a_file_whose_head_was_lost_is_away_and_not_the_fault_of_a_fact(file: Path):
    store = opened(f"sqlite:///{file}")
    kept = file.with_suffix(".kept")
    shutil.copy(file, kept)
    file.write_bytes(b"no database at all " * 1000)
    with pytest.raises(DatabaseAway, match="damaged"):
        write(store)
    shutil.copy(kept, file)
    heals(store, write)
    store.close()


def test_a_writer_that_another_process_keeps_out_is_told_so(file: Path):
    store = opened(f"sqlite:///{file}")
    sa.event.listen(
        store.engine, "connect", lambda made, _: made.execute("PRAGMA busy_timeout = 100")
    )
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Contention):
            write(store)
        other.execute("ROLLBACK")
    write(store)
    store.close()
