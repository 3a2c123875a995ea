"""No loop keeps a processor busy while it has nothing to do: it waits for as long as it may."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from services.embedded.city import City
from shared.kernel.clock import FixedClock
from shared.messaging.loops.loop import Loop
from tests.backends import Backend
from tests.embedded.test_embedded_journey import open_here
from tests.embedded.townsfolk import INTERLINKED, desk_of

_WAIT = 0.02  # seconds
_STEPS = 5


@pytest.fixture
def city(backend: Backend) -> Iterator[City]:
    made = open_here(backend, autopilot=False)
    made.migrate()
    yield made
    made.close()


def _spins(loop: Loop) -> bool:
    """Whether most steps that did nothing came back at once, although each might have waited."""
    waited = []
    for _ in range(_STEPS):
        began = time.monotonic()
        if loop.step(_WAIT) == 0:
            waited.append(time.monotonic() - began >= _WAIT / 2)
    return waited.count(False) > 2  # the first may still look about, or have been woken


@pytest.mark.parametrize("sent", [False, True], ids=["before-any-letter", "after-a-letter"])
def test_an_idle_loop_waits_whatever_the_hour_and_whoever_woke_it(city: City, sent: bool):
    if sent:
        desk_of(city).submit(INTERLINKED)
    city.pump()
    clock = city.clock
    assert isinstance(clock, FixedClock)
    clock.advance(timedelta(hours=1))
    city.pump()
    for loop in city.loops:
        loop.wake()
    assert [loop.name for loop in city.loops if _spins(loop)] == []
