"""The access log is only added to, and whoever breaks it open is found out; on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from services.intake.app import open_store
from shared.database import Store
from shared.identity import audit
from shared.identity.audit.entry import things
from shared.identity.audit.tables import LOG, PRUNES, SEALS
from shared.kernel.clock import FixedClock
from shared.kernel.ids import SeededIds
from tests.backends import Backend
from tests.intake.made import NOW
from tests.intake.rig import migrate


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def store(backend: Backend, clock: FixedClock):
    backend.migrated("intake", migrate)
    made = open_store(backend.settings("intake"), clock=clock, ids=SeededIds(1))
    yield made
    made.close()


def write(store: Store, count: int) -> None:
    with store.begin() as uow:
        for n in range(count):
            audit.note(uow, "read", [f"000.00.01.H20-220301-000{n}"], reason="chữ có dấu, “ngoặc”")


def positions(store: Store) -> list[int]:
    with store.read() as connection:
        return list(connection.scalars(sa.select(LOG.c.position).order_by(LOG.c.position)))


def break_open(store: Store, *statements: str) -> None:
    """As whoever owns the database can: without the triggers."""
    with store.transaction() as connection:
        if connection.dialect.name == "sqlite":
            for name in ("access_log", "access_seals", "access_prunes"):
                for trigger in ("unchanged", "kept"):
                    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}_{trigger}")
        else:
            for name in ("access_log", "access_seals", "access_prunes"):
                connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER ALL")
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.fixture
def sealed(store: Store) -> list[int]:
    """Three spans of four rows, and two rows that are not sealed yet."""
    for _ in range(3):
        write(store, 4)
        assert audit.seal(store) is not None
    assert audit.seal(store) is None
    write(store, 2)
    return positions(store)


def test_an_untouched_log_is_whole(store: Store, sealed: list[int]) -> None:
    found = audit.verify(store)
    assert found.faults == []
    assert (found.rows, found.unsealed, found.end.number) == (12, 2, 3)


TAMPERED: dict[str, tuple[Callable[[list[int]], list[str]], str]] = {
    "changed": (
        lambda at: [f"UPDATE access_log SET actor = 'officer:x' WHERE position = {at[5]}"],
        "span 2",
    ),
    "reason taken out": (
        lambda at: [f"UPDATE access_log SET reason = NULL WHERE position = {at[0]}"],
        "span 1",
    ),
    "taken away": (lambda at: [f"DELETE FROM access_log WHERE position = {at[5]}"], "1 rows were"),
    "exchanged": (
        lambda at: [
            f"UPDATE access_log SET position = 99999 WHERE position = {at[1]}",
            f"UPDATE access_log SET position = {at[1]} WHERE position = {at[2]}",
            f"UPDATE access_log SET position = {at[2]} WHERE position = 99999",
            f"UPDATE access_log SET things = 'a' WHERE position = {at[1]}",
        ],
        "span 1",
    ),
    "put in": (
        lambda at: [
            f"UPDATE access_log SET position = 99999 WHERE position = {at[11]}",
            "UPDATE access_seals SET last = 99999 WHERE number = 3",
            (
                f"INSERT INTO access_log SELECT {at[11]}, at, actor, act, things, place, outcome, reason "
                f"FROM access_log WHERE position = {at[0]}"
            ),
        ],
        "rows were put in",
    ),
    "a seal taken away": (lambda _: ["DELETE FROM access_seals WHERE number = 2"], "are missing"),
    "a seal changed": (
        lambda _: ["UPDATE access_seals SET digest = 'x' WHERE number = 1"],
        "span 1",
    ),
    "a span and its seal": (
        lambda at: [
            f"DELETE FROM access_log WHERE position <= {at[3]}",
            "DELETE FROM access_seals WHERE number = 1",
        ],
        "are missing",
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_whoever_breaks_it_open_is_found_out(store: Store, sealed: list[int], name: str) -> None:
    statements, told = TAMPERED[name]
    break_open(store, *statements(sealed))
    faults = audit.verify(store).faults
    assert faults
    assert told in faults[0]


def test_only_an_exchange_of_two_rows_is_found_too(store: Store, sealed: list[int]) -> None:
    one, two = sealed[1], sealed[2]
    break_open(
        store,
        f"UPDATE access_log SET position = 99999 WHERE position = {one}",
        f"UPDATE access_log SET position = {one} WHERE position = {two}",
        f"UPDATE access_log SET position = {two} WHERE position = 99999",
    )
    assert "changed or exchanged" in audit.verify(store).faults[0]


def test_a_chain_that_was_cut_off_or_made_anew_is_not_the_one_that_was_told(
    store: Store, sealed: list[int]
) -> None:
    told = audit.seal(store)
    assert told is not None
    assert audit.verify(store, told=told).faults == []
    break_open(
        store,
        f"DELETE FROM access_log WHERE position > {sealed[7]}",
        "DELETE FROM access_seals WHERE number > 2",
    )
    assert audit.verify(store).faults == [], "the chain alone cannot know its end"
    assert "is not there" in audit.verify(store, told=told).faults[0]
    write(store, 6)
    for _ in range(2):
        audit.seal(store)
        write(store, 1)
    assert "not the one that was told" in audit.verify(store, told=told).faults[0]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_log SET actor = 'x'",
        "DELETE FROM access_log",
        "UPDATE access_seals SET digest = 'x'",
        "DELETE FROM access_seals",
        "TRUNCATE access_log",
    ],
)
def test_the_database_itself_refuses_to_change_or_take_away(
    store: Store, sealed: list[int], statement: str
) -> None:
    if statement.startswith("TRUNCATE") and store.engine.dialect.name == "sqlite":
        return  # it knows no such statement
    with (
        pytest.raises(sa.exc.DBAPIError, match="only added to"),
        store.engine.begin() as connection,
    ):
        connection.exec_driver_sql(statement)
    assert positions(store) == sealed


def test_what_is_old_goes_in_whole_spans_and_the_rest_can_still_be_checked(
    store: Store, clock: FixedClock
) -> None:
    for _ in range(4):
        write(store, 3)
        audit.seal(store)
        clock.advance(timedelta(days=10))
    before = positions(store)
    assert audit.prune(store, NOW + timedelta(days=15)) == 6
    assert positions(store)[:6] == before[6:12]
    found = audit.verify(store)
    assert found.faults == []
    assert (found.begin.number, found.end.number, found.unsealed) == (2, 4, 1)
    with store.read() as connection:
        assert connection.scalars(sa.select(SEALS.c.number)).all() == [3, 4]
        last = connection.execute(sa.select(LOG).order_by(LOG.c.position.desc())).first()
    assert (last.act, last.things) == ("prune access log", "seal:2")
    with pytest.raises(sa.exc.DBAPIError), store.engine.begin() as connection:
        connection.execute(sa.delete(PRUNES))
    # All of it goes, and what comes afterwards has new positions.
    clock.advance(timedelta(days=100))
    audit.seal(store)
    assert audit.prune(store, clock.now() + timedelta(days=1)) == 7
    write(store, 1)
    assert min(positions(store)) > before[-1]
    audit.seal(store)
    assert audit.verify(store).faults == []
    assert audit.prune(store, NOW) == 0


def test_rows_that_a_killed_prune_left_go_with_the_next(store: Store, sealed: list[int]) -> None:
    from shared.identity.audit import chain

    def killed(*_: Any) -> int:
        raise SystemExit

    whole = chain._delete
    chain._delete = killed
    try:
        with pytest.raises(SystemExit):
            audit.prune(store, NOW + timedelta(days=1))
    finally:
        chain._delete = whole
    assert audit.verify(store).faults == []
    assert audit.prune(store, NOW - timedelta(days=1)) == 12


def test_a_row_under_way_is_never_sealed_out(store: Store) -> None:
    """A seal waits for who has a position and no commit yet; nobody waits for anything else."""
    if store.engine.dialect.name == "sqlite":
        return  # one writer at a time
    write(store, 1)
    noted, go = threading.Event(), threading.Event()

    def slow() -> None:
        with store.begin() as uow:
            audit.note(uow, "read", ["a"])
            uow.connection.execute(sa.text("SELECT 1"))
            noted.set()
            assert go.wait(30)

    writer = threading.Thread(target=slow)
    writer.start()
    assert noted.wait(30)
    write(store, 1)  # it has a later position and is committed
    made: list[Any] = []
    sealer = threading.Thread(target=lambda: made.append(audit.seal(store)))
    sealer.start()
    sealer.join(0.5)
    assert made == []
    go.set()
    for thread in (writer, sealer):
        thread.join(30)
    found = audit.verify(store)
    assert (found.rows, found.unsealed, found.faults) == (3, 0, [])


def test_what_callers_name_is_kept_only_where_it_is_a_code() -> None:
    assert things(["000.00.01.H20-220301-0001", "a", "a"]) == "000.00.01.H20-220301-0001 a"
    for word in ("Nguyễn Thị Mai", "a b", "", "x" * 200, "mai@example.com", "\n", "0907 123 456"):
        assert things([word]) == "?"
