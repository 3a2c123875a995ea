"""Fixtures of notify's tests."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.notify.app import open_store
from services.notify.domain.composing import Composer
from shared.kernel.clock import FixedClock
from shared.kernel.ids import SeededIds
from tests.backends import Backend
from tests.notify.ledger import START, Ledger, migrate, the_catalogue


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def ledger(backend: Backend, clock: FixedClock) -> Iterator[Ledger]:
    with opened(backend, clock) as made:
        yield made


@pytest.fixture
def ledger_on_postgresql(on_servers: Backend, clock: FixedClock) -> Iterator[Ledger]:
    with opened(on_servers, clock) as made:
        yield made


@contextmanager
def opened(backend: Backend, clock: FixedClock) -> Iterator[Ledger]:
    backend.migrated("notify", migrate)
    store = open_store(backend.settings("notify"), clock=clock, ids=SeededIds(8))
    yield Ledger(store, Composer(the_catalogue()), clock)
    store.close()
