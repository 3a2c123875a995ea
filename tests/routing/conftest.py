"""Fixtures of routing's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends import Backend, EmbeddedBackend
from tests.routing.town import Town, migrate


@pytest.fixture
def town(backend: Backend) -> Iterator[Town]:
    """Routing on each back end."""
    backend.migrated("routing", migrate)
    made = Town(backend.settings("routing"))
    yield made
    made.close()


@pytest.fixture
def small_town(embedded: EmbeddedBackend) -> Iterator[Town]:
    """Routing embedded, for what has nothing to do with servers."""
    embedded.migrated("routing", migrate)
    made = Town(embedded.settings("routing"))
    yield made
    made.close()
