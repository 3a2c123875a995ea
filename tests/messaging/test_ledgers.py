"""Keys, timeline, held facts, depths, column types and migrations, on both databases."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from shared.database import Instant, Json, make_engine
from shared.database.migrate import current, drift, head, upgrade
from shared.identity import keys
from shared.kernel.clock import FixedClock
from shared.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, ParkNow
from shared.messaging import parked
from shared.messaging.history import ledgers_1
from shared.messaging.measure import measure
from shared.messaging.timeline import timeline
from tests.messaging.rig import (
    API_KEYS,
    NOON,
    Reading,
    ScriptedBus,
    drain,
    envelope,
    make,
    metadata,
    open_store,
    scripted,
)


@pytest.fixture
def clock():
    return FixedClock(NOON)


@pytest.fixture
def store(backend, clock):
    made = open_store(backend.settings("routing").database_url, clock, reads=["/maker"])
    yield made
    made.close()


def read(store, question, *args, **options):
    with store.read() as connection:
        return question(connection, *args, **options)


# --- keys -------------------------------------------------------------------------------------


def issue(store, **changes):
    with store.begin() as uow:
        return keys.issue(uow, **{"kind": "desk", "bound_to": "phuong-1", "label": "x", **changes})


def test_a_key_opens_for_whom_it_was_made_until_it_is_revoked(store):
    key_id, text = issue(store)
    assert read(store, keys.verify, text, NOON) == keys.Principal("desk", "phuong-1", key_id)
    with store.begin() as uow:
        keys.revoke(uow, key_id)
    assert read(store, keys.verify, text, NOON) is None
    with store.begin() as uow, pytest.raises(NotFound):
        keys.revoke(uow, key_id)


def test_no_key_opens_but_the_whole_one(store):
    key_id, text = issue(store)
    wrong = text[:-1] + ("a" if text[-1] != "a" else "b")
    for given in (
        "",
        "lt_",
        wrong,
        text[:-1],
        text + "a",
        text.upper(),
        f"lt_{key_id}_",
        f" {text}",
    ):
        assert read(store, keys.verify, given, NOON) is None


def test_of_a_key_only_its_hash_is_kept(store):
    _, text = issue(store)
    (row,) = read(store, lambda connection: list(connection.execute(sa.select(API_KEYS))))
    assert text.rpartition("_")[2] not in str(tuple(row))
    assert len(row.hash) == 32
    (info,) = read(store, keys.list_keys)
    assert (info.label, info.revoked_at, info.made_at) == ("x", None, NOON)


def test_a_drawn_key_is_registered_once_and_stays_revoked(store):
    text = keys.draw()

    def register():
        with store.begin() as uow:
            return keys.register(uow, kind="agency", bound_to="cong-an", label="", text=text)

    assert [register(), register()] == [True, False]
    principal = read(store, keys.verify, text, NOON)
    with store.begin() as uow:
        keys.revoke(uow, principal.key_id)
    assert not register()
    assert read(store, keys.verify, text, NOON) is None


def test_a_key_stops_at_its_end_and_goes_on_when_it_is_renewed(store, clock):
    key_id, text = issue(store, days=30)
    last = NOON + timedelta(days=30)
    assert read(store, keys.verify, text, last - timedelta(seconds=1)) is not None
    assert read(store, keys.verify, text, last) is None
    clock.set(last - timedelta(days=15))
    assert keys.ending(store) == []
    clock.set(last - timedelta(days=14))
    assert [key.key_id for key in keys.ending(store)] == [key_id]
    assert [reading.value for reading in keys.measured(store)] == [1]
    clock.set(last + timedelta(days=1))
    with store.begin() as uow:
        assert keys.renew(uow, key_id, days=30) == last + timedelta(days=31)
    assert read(store, keys.verify, text, clock.now()) is not None
    assert keys.ending(store) == []
    for days in (0, -1, 5000):
        with store.begin() as uow, pytest.raises(InvalidInput):
            keys.renew(uow, key_id, days=days)
    with store.begin() as uow:
        keys.revoke(uow, key_id)
        with pytest.raises(NotFound):
            keys.renew(uow, key_id)


@pytest.mark.parametrize("changes", [{"kind": "king"}, {"bound_to": " "}])
def test_a_key_for_nobody_is_refused(embedded, clock, changes):
    store = open_store(embedded.settings("intake").database_url, clock)
    with pytest.raises(InvalidInput):
        issue(store, **changes)
    store.close()


# --- timeline ---------------------------------------------------------------------------------


def test_a_timeline_tells_what_was_made_and_heard_causes_before_effects(store, clock):
    bus = ScriptedBus()
    consumer = scripted(store, bus)
    bus.put(envelope("/maker", "D1", 2), envelope("/maker", "D1", 1), envelope("/maker", "D2", 1))
    drain(consumer)
    clock.advance(timedelta(days=1))
    with store.begin() as uow:
        uow.record(("/reader", "reader.test.later", "D1", {}))
    told = read(store, timeline, "D1")
    assert [(entry.source, entry.envelope.sequence) for entry in told] == [
        ("/maker", 1), ("/maker", 2), ("/reader", 1), ("/reader", 2), ("/reader", 3),
    ]  # fmt: skip
    assert told[-1].time == NOON + timedelta(days=1)
    assert {entry.state for entry in told} == {"made", "done"}


def test_in_a_timeline_of_one_instant_an_effect_never_stands_before_its_cause(store):
    bus = ScriptedBus()
    # "/a..." sorts before "/reader" and is caused by it: the alphabet must not decide.
    bus.put(envelope("/maker", "D1", 1))
    drain(scripted(store, bus))
    bus.put(envelope("/answer", "D1", 1, after="/reader:1"))
    drain(scripted(store, bus))
    order = [entry.source for entry in read(store, timeline, "D1")]
    assert order.index("/maker") < order.index("/reader") < order.index("/answer")


def test_facts_of_one_unit_keep_their_order_though_two_streams_number_them(store):
    """ "/maker" sorts before "/maker/steps", and one instant is all that a unit of work knows."""
    made = ["/maker", "/maker/steps", "/maker/steps", "/maker", "/maker/steps"]
    with store.begin() as uow:
        for source in made:
            uow.record((source, "maker.test.made", "D1", {}))
    told = read(store, timeline, "D1")
    assert [entry.source for entry in told] == made
    assert [entry.envelope.after for entry in told] == [
        None, "/maker:1", "/maker:1", "/maker/steps:2", "/maker:2",
    ]  # fmt: skip


# --- held facts -------------------------------------------------------------------------------


def hold(store, count=3):
    def trouble(fact):
        if fact.sequence == 1:
            raise ParkNow("a person must look")

    bus = ScriptedBus()
    bus.put(*[envelope("/maker", "D1", n) for n in range(1, count + 1)])
    drain(scripted(store, bus, Reading(trouble)))


def test_held_facts_are_listed_by_state_and_shown_by_a_part_of_their_id(store):
    hold(store)
    (row,) = read(store, parked.list_held)
    assert (row.state, row.stream, row.sequence) == ("parked", "/maker D1", 1)
    everything = read(store, parked.list_held, states=parked.HELD)
    assert [each.sequence for each in everything] == [1, 2, 3]
    assert read(store, parked.show, row.fact_id) == row
    with pytest.raises(Conflict):
        read(store, parked.show, "/maker-D1")
    with pytest.raises(NotFound):
        read(store, parked.show, "no-such-fact")
    with pytest.raises(NotFound):  # too short to be taken for a beginning
        read(store, parked.show, "/m")
    assert read(store, parked.list_held, consumer="another") == []


def test_the_body_of_a_held_fact_is_not_in_its_picture(store):
    hold(store)
    (row,) = read(store, parked.list_held)
    assert "body" not in repr(row)


def test_discarding_needs_a_name_and_a_reason(store):
    hold(store)
    with store.begin() as uow, pytest.raises(InvalidInput) as told:
        parked.discard(uow, "/maker-D1-1", who=" ", why="")
    assert {fault.place for fault in told.value.faults} == {"who", "why"}


def test_what_only_waits_cannot_be_replayed_and_is_given_up_with_all_before_it(store):
    hold(store)
    with store.begin() as uow:
        with pytest.raises(NotAllowed):
            parked.replay(uow, "/maker-D1-2")
        parked.discard(uow, "/maker-D1-2", who="lan", why="x")
    gone = read(store, parked.list_held, states=("discarded",))
    assert [(row.sequence, row.owner) for row in gone] == [(1, "lan"), (2, "lan")]
    drain(scripted(store, ScriptedBus()))
    assert read(store, parked.list_held, states=("waiting", "retry")) == []


def test_depths_tell_how_much_waits_and_since_when(store, clock):
    hold(store)
    clock.advance(timedelta(hours=1))
    make(store, "D9", 2)
    depths = read(store, measure)
    assert (depths.unsent.count, depths.unsent.oldest) == (2, NOON + timedelta(hours=1))
    assert {key: depth.count for key, depth in depths.inbox.items()} == {
        ("reader.facts", "parked"): 1,
        ("reader.facts", "waiting"): 2,
    }
    assert depths.inbox["reader.facts", "parked"].oldest == NOON


# --- column types -----------------------------------------------------------------------------


def test_instants_come_back_in_utc_and_json_with_its_marks(backend):
    engine = make_engine(backend.settings("intake").database_url)
    table = sa.Table("t", sa.MetaData(), sa.Column("at", Instant()), sa.Column("data", Json()))
    table.create(engine)
    local = datetime(2022, 3, 1, 7, 30, 0, 123456, tzinfo=timezone(timedelta(hours=7)))
    with engine.begin() as connection:
        connection.execute(sa.insert(table), {"at": local, "data": {"tên": "Đỗ"}})
        at, data = connection.execute(sa.select(table)).one()
        assert at == local
        assert at.tzinfo is UTC
        assert data == {"tên": "Đỗ"}
        found = sa.select(sa.func.count()).where(table.c.data["tên"].as_string() == "Đỗ")
        assert connection.scalar(found.select_from(table)) == 1
        assert connection.scalar(sa.select(table.c.at).order_by(table.c.at)) == local
    with engine.begin() as connection, pytest.raises(sa.exc.StatementError):
        connection.execute(sa.insert(table), {"at": datetime(2022, 3, 1)})
    engine.dispose()


# --- migrations -------------------------------------------------------------------------------

HISTORY = {
    "env.py": """
from shared.database.migrate import run_history
from tests.messaging.rig import metadata
run_history(metadata)
""",
    "versions/0001_first.py": """
import sqlalchemy as sa
from alembic import op
from shared.messaging.history import create_ledgers, drop_ledgers
revision = "0001"
down_revision = None
def upgrade():
    create_ledgers(op)
    op.create_table("applied",
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger))
def downgrade():
    op.drop_table("applied")
    drop_ledgers(op)
""",
    "versions/0002_second.py": """
import sqlalchemy as sa
from alembic import op
revision = "0002"
down_revision = "0001"
def upgrade():
    with op.batch_alter_table("applied") as batch:
        batch.add_column(sa.Column("id", sa.Text, nullable=False, server_default=""))
def downgrade():
    with op.batch_alter_table("applied") as batch:
        batch.drop_column("id")
""",
    "versions/0003_third.py": """
from alembic import op
from shared.messaging.history import drop_starts, make_starts
revision = "0003"
down_revision = "0002"
def upgrade():
    drop_starts(op)
def downgrade():
    make_starts(op)
""",
    "versions/0004_fourth.py": """
from alembic import op
from shared.messaging.history import add_senders, drop_senders
revision = "0004"
down_revision = "0003"
def upgrade():
    add_senders(op)
def downgrade():
    drop_senders(op)
""",
    "versions/0005_acts.py": """
from alembic import op
from shared.messaging.history import drop_acts, make_acts
revision = "0005"
down_revision = "0004"
def upgrade():
    make_acts(op)
def downgrade():
    drop_acts(op)
""",
    "versions/0006_keys.py": """
from alembic import op
from shared.identity.history import end_keys, endless_keys
revision = "0006"
down_revision = "0005"
def upgrade():
    end_keys(op)
def downgrade():
    endless_keys(op)
""",
    "versions/0007_epochs.py": """
from alembic import op
from shared.messaging.history import drop_epochs, make_epochs
revision = "0007"
down_revision = "0006"
def upgrade():
    make_epochs(op)
def downgrade():
    drop_epochs(op)
""",
}


@pytest.fixture
def history(tmp_path):
    folder = tmp_path / "history"
    for name, text in HISTORY.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_history_brings_an_empty_database_to_what_the_code_says(backend, history):
    engine = make_engine(backend.settings("notify").database_url)
    assert current(engine) is None
    upgrade(engine, history, "0001")
    assert current(engine) == "0001"
    assert any("add_column" in fault and "id" in fault for fault in drift(engine, metadata))
    upgrade(engine, history)
    upgrade(engine, history)
    assert current(engine) == head(history) == "0007"
    assert drift(engine, metadata) == []
    engine.dispose()


def test_drift_names_a_table_that_the_code_does_not_know(backend, history):
    engine = make_engine(backend.settings("notify").database_url)
    upgrade(engine, history)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE stray (x INTEGER)"))
    (fault,) = drift(engine, metadata)
    assert "stray" in fault
    engine.dispose()


def test_a_migration_that_fails_leaves_nothing_behind(backend, history):
    engine = make_engine(backend.settings("notify").database_url)
    broken = history / "versions" / "0002_second.py"
    text = broken.read_text(encoding="utf-8")
    broken.write_text(
        text.replace("def upgrade():", "def upgrade():\n    op.execute('nonsense')"),
        encoding="utf-8",
    )
    with pytest.raises(sa.exc.SQLAlchemyError):
        upgrade(engine, history)
    assert current(engine) is None
    assert "outbox" not in sa.inspect(engine).get_table_names()
    engine.dispose()


# --- history ----------------------------------------------------------------------------------------

FIRST_SHAPE = {"sqlite": "7e9b42d12155671b", "postgresql": "e796bdd7479622ab"}


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=lambda d: d.name)
def test_the_first_shape_of_the_ledgers_never_changes(dialect):
    digest = hashlib.sha256(shape(ledgers_1.tables(), dialect).encode()).hexdigest()[:16]
    assert digest == FIRST_SHAPE[dialect.name]


def shape(tables: sa.MetaData, dialect) -> str:
    """What would be run to create these tables."""
    return "\n".join(
        str(made.compile(dialect=dialect))
        for table in tables.sorted_tables
        for made in (
            sa.schema.CreateTable(table),
            *(sa.schema.CreateIndex(i) for i in sorted(table.indexes, key=lambda i: str(i.name))),
        )
    )
