"""What Prometheus is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.database import Store
from shared.kernel.clock import FixedClock
from shared.kernel.errors import DatabaseAway
from shared.messaging.metrics import Metrics, Reading, ledgers
from tests.backends import Backend
from tests.messaging.loops import START, make_store


@pytest.fixture
def store(backend: Backend) -> Iterator[Store]:
    made = make_store(backend.settings("routing").database_url, FixedClock(START))
    yield made
    made.close()


def lines(metrics: Metrics) -> dict[str, float]:
    """Every sample of the page by name and labels."""
    samples = (line.rsplit(" ", 1) for line in metrics.page().decode().splitlines())
    return {name: float(value) for name, value in samples if not name.startswith("#")}


def test_the_ledgers_are_measured_at_each_scrape(store: Store) -> None:
    metrics = Metrics()
    metrics.measure(ledgers(store, ["routing.facts"]))
    assert lines(metrics)["lienthong_outbox_unsent"] == 0
    with store.begin() as uow:
        uow.record("xin")
    assert isinstance(store.clock, FixedClock)
    store.clock.set(START.replace(minute=1))
    page = lines(metrics)
    assert page["lienthong_outbox_unsent"] == 1
    assert page["lienthong_outbox_oldest_seconds"] == 60
    for state in ("waiting", "retry", "parked"):
        held = f'lienthong_inbox_held{{consumer="routing.facts",state="{state}"}}'
        assert page[held] == 0


def test_a_database_that_is_away_is_said_and_the_rest_is_still_told() -> None:
    metrics = Metrics()

    def away() -> list[Reading]:
        raise DatabaseAway("gone")

    metrics.measure(away)
    metrics.loops(lambda: {"relay": "ok"})  # a second reading takes nothing back
    metrics.sent(3, 1)
    page = lines(metrics)
    assert page['lienthong_facts_sent_total{outcome="confirmed"}'] == 3
    assert page['lienthong_facts_sent_total{outcome="failed"}'] == 1
    assert lines(metrics)["lienthong_database_away"] == 1


def test_facts_are_counted_by_consumer_type_and_outcome() -> None:
    metrics = Metrics()
    metrics.handled("routing.facts", "dossier.received", "done", age=0.02)
    metrics.handled("routing.facts", "dossier.received", "done", age=-1.0)
    metrics.batch("routing.facts", 0.004)
    page = lines(metrics)
    labels = 'consumer="routing.facts",outcome="done",type="dossier.received"'
    assert page[f"lienthong_facts_handled_total{{{labels}}}"] == 2
    assert page['lienthong_made_to_handled_seconds_count{consumer="routing.facts"}'] == 2
    assert page['lienthong_handling_seconds_bucket{consumer="routing.facts",le="0.005"}'] == 1


def test_each_loop_is_shown_as_well_or_not() -> None:
    metrics = Metrics()
    metrics.loops(lambda: {"relay": "ok", "consumer": "BrokerAway"})
    page = lines(metrics)
    assert page['lienthong_loop_ok{loop="relay"}'] == 1
    assert page['lienthong_loop_ok{loop="consumer"}'] == 0
