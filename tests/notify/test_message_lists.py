"""What operators look at stays quick when there are many messages: no list reads all of them."""

import json

import pytest
import sqlalchemy as sa

from services.notify.domain.states import State
from services.notify.storage import queries
from services.notify.storage.tables import messages
from tests.notify.ledger import Ledger, a_contact, received

MANY = 20_000

# All copied from one that was sent, among them a few in other states.
_COPIES = """
INSERT INTO messages SELECT {columns} FROM ({numbers}) AS copies CROSS JOIN messages AS m
"""
_NUMBERS = {
    "postgresql": f"SELECT n FROM generate_series(1, {MANY}) AS n",
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c"
    f" WHERE n < {MANY}) SELECT n FROM c",
}


@pytest.fixture
def crowded(ledger: Ledger) -> Ledger:
    ledger.hear(a_contact(consent_email=False))
    ledger.hear(received())
    rare = " ".join(
        f"WHEN n = {number} THEN '{state.value}'" for number, state in enumerate(State, 1)
    )
    fresh = {
        "id": "m.id || '-' || n",
        "fact_id": "m.fact_id || '-' || n",
        "dossier": "m.dossier || '-' || n",
        "state": f"CASE {rare} WHEN n % 2 = 0 THEN 'delivered' ELSE 'sent' END",
    }
    columns = ", ".join(
        fresh.get(name, f"m.{name}") for name in [column.name for column in messages.c]
    )
    numbers = _NUMBERS[ledger.store.engine.dialect.name]
    with ledger.store.transaction() as connection:
        connection.execute(sa.text(_COPIES.format(columns=columns, numbers=numbers)))
    with ledger.store.transaction() as connection:
        connection.execute(sa.text("ANALYZE"))
    return ledger


def statements(ledger: Ledger, ask) -> list[tuple[str, object]]:  # type: ignore[no-untyped-def]
    heard: list[tuple[str, object]] = []

    def hear(_connection, _cursor, text, values, *_):  # type: ignore[no-untyped-def]
        heard.append((text, values))

    sa.event.listen(ledger.store.engine, "before_cursor_execute", hear)
    with ledger.store.read() as connection:
        ask(connection)
    sa.event.remove(ledger.store.engine, "before_cursor_execute", hear)
    return [(text, values) for text, values in heard if text.startswith("SELECT")]


def full_reads(ledger: Ledger, text: str, values: object) -> list[str]:
    """The steps of the plan that read a table from end to end."""
    if ledger.store.engine.dialect.name == "sqlite":
        with ledger.store.read() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
            steps = [row[3] for row in plan]
        # In the order of an index, until there are enough, is no full read.
        return [step for step in steps if step.startswith("SCAN") and "INDEX" not in step]
    with ledger.store.read() as connection:
        (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {text}", values).one()
    return ["Seq Scan"] if "Seq Scan" in json.dumps(plan) else []


SEARCHES = {
    "everything": queries.Search(),
    "one dossier": queries.Search(dossier="000.00.15.H20-220314-0001-17"),
    "those that wait for a person": queries.Search(states=("uncertain", "undeliverable")),
    "across indexes": queries.Search(states=("queued", "skipped", "sent")),
    **{state.value: queries.Search(states=(state.value,)) for state in State},
}


@pytest.mark.parametrize("what", SEARCHES)
def test_no_list_reads_all_messages(crowded: Ledger, what: str):
    for text, values in statements(crowded, lambda c: queries.find(c, SEARCHES[what])):
        assert full_reads(crowded, text, values) == [], text


def test_a_list_of_several_states_is_one_list_newest_first(crowded: Ledger):
    with crowded.store.read() as connection:
        found = queries.find(connection, SEARCHES["across indexes"])
        few = queries.find(connection, queries.Search(states=("failed", "uncertain", "skipped")))
    assert len(found) == 50
    assert [m.id for m in found] == sorted((m.id for m in found), reverse=True)
    assert sorted(m.state for m in few) == ["failed", "skipped", "uncertain"]


def test_what_is_not_finished_is_counted_without_reading_the_rest(crowded: Ledger):
    for text, values in statements(crowded, queries.unfinished):
        assert full_reads(crowded, text, values) == [], text
    with crowded.store.read() as connection:
        counts = queries.unfinished(connection)
    assert counts == {
        "awaiting_contact": 1, "queued": 2, "sending": 1, "failed": 1,
        "uncertain": 1, "undeliverable": 1, "held": 1, "standby": 1, "to_call": 1,
    }  # fmt: skip
