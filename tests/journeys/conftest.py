"""A whole city on either back end, for the journeys of one dossier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from shared.catalogue import Catalogue, load
from shared.settings import PROJECT, SERVICES
from simulation.kit import City, open_city
from tests.backends import Backend
from tests.migrating import migrate

OpenCity = Callable[..., City]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(PROJECT / "catalogue")


@pytest.fixture
def opened(backend: Backend, catalogue: Catalogue) -> Iterator[OpenCity]:
    """Opens the one city of a test: `at` an instant, with another `catalogue` if need be."""
    for service in SERVICES:
        backend.migrated(service, partial(migrate, service))
    with ExitStack() as stack:

        def opening(**how: Any) -> City:
            made = open_city(
                backend.data_dir,
                catalogue=how.pop("catalogue", catalogue),
                database={name: backend.settings(name).database_url for name in SERVICES},
                broker=None if backend.embedded else backend.amqp_url(),
                **how,
            )
            return stack.enter_context(made)

        yield opening
