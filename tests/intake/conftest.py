"""Fixtures of intake's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends import Backend
from tests.intake.rig import Desk


@pytest.fixture
def desk(backend: Backend) -> Iterator[Desk]:
    """The built service on each back end."""
    made = Desk(backend)
    yield made
    made.close()


@pytest.fixture
def embedded_desk(embedded: Backend) -> Iterator[Desk]:
    """The built service on the embedded back end alone, for what the back end does not touch."""
    made = Desk(embedded)
    yield made
    made.close()
