"""Promise 3: dying between any two stops, in any service, and starting again changes nothing.

The city of a back end dies again and again on the same ledgers; each case follows a dossier of
its own to the end. A real `kill -9` is in tests/embedded/test_kill9.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.embedded.city import City
from tests.embedded.townsfolk import INTERLINKED
from tests.promises.crashes import STOPS, Crash, Stop
from tests.promises.town import Portrait, Town, check_as_calm, check_once


def live_until(town: Town, city: City, key: str) -> None:
    """File a dossier and carry everything on, as far as one comes."""
    code = town.desk().submit(INTERLINKED, key=key).code
    town.finish(code)


@pytest.mark.parametrize("stop", STOPS, ids=str)
def test_a_crash_changes_nothing_in_the_end(
    lasting: Town, calm: Mapping[str, Portrait], stop: Stop
):
    key = f"crash at {stop}"
    with stop.armed(lasting.city) as fuse, pytest.raises(Crash):
        live_until(lasting, lasting.city, key)
    assert fuse.blown
    lasting.die()

    # The citizen at the desk was told nothing, or the receipt: either way the desk asks again.
    code = lasting.desk().submit(INTERLINKED, key=key).code
    lasting.finish(code)
    check_as_calm(lasting.city, calm, code)
    check_once(lasting.city, code)


def test_dying_at_one_stop_after_the_other_on_one_way_changes_nothing(
    lasting: Town, calm: Mapping[str, Portrait]
):
    deaths = 0
    for stop in STOPS[::3]:
        try:
            with stop.armed(lasting.city, passes=1):
                live_until(lasting, lasting.city, "dies often")
        except Crash:
            deaths += 1
            lasting.die()
    assert deaths >= 5
    code = lasting.desk().submit(INTERLINKED, key="dies often").code
    lasting.finish(code)
    check_as_calm(lasting.city, calm, code)
    check_once(lasting.city, code)
