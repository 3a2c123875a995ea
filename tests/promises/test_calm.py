"""A calm run is the same on both back ends: the measure for all the troubled ones."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shared.settings import SERVICES
from tests.embedded.townsfolk import INTERLINKED, LAND
from tests.promises.test_away import becomes
from tests.promises.town import Portrait, Town, check_as_calm, check_once


@pytest.mark.parametrize("procedure", [INTERLINKED, LAND])
def test_both_back_ends_end_alike(town: Town, calm: Mapping[str, Portrait], procedure: str):
    code = town.desk(procedure).submit(procedure).code
    for service in SERVICES:
        becomes(town, service, 200)
    town.finish(code, procedure=procedure)
    check_as_calm(town.city, calm, code, procedure=procedure)
    check_once(town.city, code)
