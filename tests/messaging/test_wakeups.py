"""Signals across processes, on PostgreSQL; two stores stand for two processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from shared.database import Store
from shared.kernel.errors import DatabaseAway
from shared.messaging.loops.wakeups import (
    EVEN_SECONDS,
    Listener,
    Notifier,
    listeners,
    notifiers,
    telling,
)
from tests.backends import EmbeddedBackend, ServersBackend
from tests.messaging.loops import make_store


@pytest.fixture
def pair(on_servers: ServersBackend) -> Iterator[tuple[Store, Store]]:
    url = on_servers.settings("routing").database_url
    stores = make_store(url), make_store(url)
    yield stores
    for store in stores:
        store.close()


def say(store: Store, word: str) -> None:
    with store.begin() as uow:
        uow.record(word)


def hear(listener: Listener) -> int:
    """What the listener hears within a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if heard := listener.step(0.2):
            return heard
    return 0


def insistently(step: Callable[[], int]) -> int:
    end = time.monotonic() + 60
    while True:
        try:
            return step()
        except DatabaseAway:
            assert time.monotonic() < end


def test_a_commit_in_one_process_recorded_the_bells_of_another(pair: tuple[Store, Store]) -> None:
    here, there = pair
    listener, notifier = Listener(there, "routing"), Notifier(here, "routing")
    listener.step(0)
    recorded, commits = there.recorded.count, there.commits.count
    say(here, "xin")
    assert notifier.step(5) == 1
    assert hear(listener) == 1
    assert there.recorded.count > recorded
    assert there.commits.count > commits
    for loop in (listener, notifier):
        loop.close()


def test_a_listener_that_begins_recorded_for_what_it_did_not_hear(
    pair: tuple[Store, Store],
) -> None:
    here, there = pair
    say(here, "xin")
    listener = Listener(there, "routing")
    before = there.recorded.count
    listener.step(0)
    assert there.recorded.count > before
    listener.close()


def test_many_commits_become_few_notices(pair: tuple[Store, Store]) -> None:
    here, _ = pair
    notifier = Notifier(here, "routing")
    for number in range(30):
        say(here, f"word-{number}")
    assert notifier.step(1) == 30  # one notice that tells of all
    began, notices = time.monotonic(), 0
    while notices < 20:
        say(here, f"more-{notices}")
        notices += notifier.step(1)
    assert time.monotonic() - began > 10 * EVEN_SECONDS  # the first few went out at once
    say(here, "last")
    assert notifier.step(0) == 0  # not yet, and nobody is kept waiting for it
    assert notifier.step(1) == 1
    notifier.close()


def test_a_notice_says_which_signals_were_given(pair: tuple[Store, Store]) -> None:
    here, there = pair
    listener, notifier = Listener(there, "routing"), Notifier(here, "routing")
    wanted, other = there.signal("wanted"), there.signal("other")
    listener.step(0)
    before = wanted.count, other.count
    with here.begin() as uow:
        uow.signal("wanted")
    say(here, "xin")
    assert notifier.step(5) == 2
    assert hear(listener) == 1
    assert (wanted.count, other.count) == (before[0] + 1, before[1])
    for loop in (listener, notifier):
        loop.close()


def test_services_do_not_wake_each_other(pair: tuple[Store, Store]) -> None:
    here, there = pair
    listener, notifier = Listener(there, "intake"), Notifier(here, "routing")
    listener.step(0)
    say(here, "xin")
    assert notifier.step(5) == 1
    assert listener.step(0.2) == 0
    for loop in (listener, notifier):
        loop.close()


def test_a_line_that_broke_off_is_away_and_made_again(
    pair: tuple[Store, Store], on_servers: ServersBackend
) -> None:
    here, there = pair
    listener, notifier = Listener(there, "routing"), Notifier(here, "routing")
    listener.step(0)
    say(here, "xin")
    assert notifier.step(5) == 1
    assert hear(listener) == 1
    cut_off(here.engine.url.database or "", on_servers)
    with pytest.raises(DatabaseAway):
        listener.step(5)
    notifier.wake()
    with pytest.raises(DatabaseAway):
        notifier.step(1)
    before = there.recorded.count
    insistently(lambda: listener.step(0))
    assert there.recorded.count > before
    assert insistently(lambda: notifier.step(1)) == 1  # what it had to tell it still tells
    assert hear(listener) == 1
    for loop in (listener, notifier):
        loop.close()


def cut_off(database: str, backend: ServersBackend) -> None:
    plain = backend.servers.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
        )


def test_on_sqlite_there_is_one_process_and_nothing_to_tell(embedded: EmbeddedBackend) -> None:
    store = make_store(embedded.settings("routing").database_url)
    assert notifiers(store, "routing") == []
    assert listeners(store, "routing") == []
    store.close()


def test_what_a_command_commits_is_heard_though_it_runs_no_loop(pair: tuple[Store, Store]) -> None:
    here, there = pair
    listener = Listener(there, "routing")
    listener.step(0)
    commits, wished = there.commits.count, there.signal("wished").count
    with telling(here, "routing"):
        with here.begin() as uow:
            uow.signal("wished")
        assert hear(listener) == 1
        assert there.commits.count > commits
        assert there.signal("wished").count > wished
        for _ in range(12):  # more at once than go out one by one
            say(here, "xin")
    recorded = there.recorded.count
    assert hear(listener)
    assert there.recorded.count > recorded
    listener.close()
