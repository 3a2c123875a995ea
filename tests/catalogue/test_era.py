"""The eras of the city: fifteen units until 2025-06-30, three wards since, codes given again."""

from __future__ import annotations

from datetime import date

import pytest

from shared.catalogue import WHOLE_CITY, Catalogue
from shared.kernel.errors import NotFound
from tests.catalogue.conftest import Spoiled

BEFORE, SINCE = date(2025, 6, 30), date(2025, 7, 1)
#: The code list of the statistical office, district 866, until 2025-06-30.
OLD = {
    "29863": "Phường 11", "29866": "Phường 1", "29869": "Phường 2", "29872": "Phường 4",
    "29875": "Phường 3", "29878": "Phường 6", "29881": "Xã Mỹ Ngãi", "29884": "Xã Mỹ Tân",
    "29887": "Xã Mỹ Trà", "29888": "Phường Mỹ Phú", "29890": "Xã Tân Thuận Tây",
    "29892": "Phường Hòa Thuận", "29893": "Xã Hòa An", "29896": "Xã Tân Thuận Đông",
    "29899": "Xã Tịnh Thới",
}  # fmt: skip
#: The code list of the province since 2025-07-01, as far as it lies in what was the city.
NEW = {"29869": "Phường Cao Lãnh", "29884": "Phường Mỹ Ngãi", "29888": "Phường Mỹ Trà"}
#: Of the national portal, July 2026: decided by the commune, in 2022 by the city.
OF_THE_COMMUNE = ("1.001266", "1.001570", "1.001612", "1.013225", "1.013227", "2.000720")
#: What became of the nine that are Phường Cao Lãnh (high); of the other six from memory.
CAO_LANH = {
    "29866", "29875", "29872", "29878", "29892", "29893", "29899", "29890", "29896",
}  # fmt: skip


def of(book: Catalogue, on: date) -> dict[str, str]:
    return {ward.code: ward.name for ward in book.wards if ward.is_valid(on)}


def test_the_units_of_each_day_are_those_of_the_code_lists(city: Catalogue):
    assert of(city, BEFORE) == OLD
    assert of(city, SINCE) == of(city, date(2026, 11, 30)) == NEW


@pytest.mark.parametrize("code", NEW)
def test_a_code_that_was_given_again_means_another_unit_by_date(city: Catalogue, code: str):
    assert (city.ward(code, BEFORE).name, city.ward(code, SINCE).name) == (OLD[code], NEW[code])
    before, since = (city.agency_for("justice", code, on) for on in (BEFORE, SINCE))
    assert (before.name, since.name) == (
        f"Ủy ban nhân dân {OLD[code]}", f"Ủy ban nhân dân {NEW[code]}",
    )  # fmt: skip


def test_a_code_that_was_given_to_nobody_is_unknown_since(city: Catalogue):
    assert city.ward("29866", BEFORE).name == "Phường 1"
    with pytest.raises(NotFound):
        city.ward("29866", SINCE)


def test_an_older_name_is_followed_to_the_unit_that_has_its_area(city: Catalogue):
    assert city.territory("Phường 2", BEFORE) == "29869"
    assert city.territory("Phường 2", SINCE) == "29888"
    assert city.territory("Xã Mỹ Ngãi", SINCE) == "29884"
    assert city.territory("Phường Cao Lãnh", SINCE) == "29869"
    assert city.territory("Phường Cao Lãnh", BEFORE) is None, "not there yet"
    assert {w.code for w in city.wards if w.into == "29869"} == CAO_LANH


def test_there_is_no_district_level_since_and_wards_decide_what_it_decided(city: Catalogue):
    desks = {office.territory for office in city.offices(SINCE)}
    assert desks == set(NEW)
    assert {office.territory for office in city.offices(BEFORE)} == {*OLD, WHOLE_CITY}
    for code in OF_THE_COMMUNE:
        procedure = city.procedure(code, SINCE)
        assert procedure.level == "commune"
        for office in city.offices(SINCE):
            assert city.office_handles(office.code, procedure, SINCE)
    ward = city.agency_for("construction", "29869", SINCE)
    assert (ward.territory, ward.is_valid(BEFORE)) == ("29869", False)


def test_a_unit_that_ends_names_the_one_that_has_its_area(spoiled: Spoiled):
    wards = "agencies/wards.yaml"
    spoiled.replace(wards, ', into: "29869"}', "}")
    spoiled.replace(wards, 'into: "29884"', 'into: "29866"')
    spoiled.replace(wards, "valid_from: 2025-07-01}", 'valid_from: 2025-07-01, into: "29888"}')
    told = [(fault.en, fault.vi) for fault in spoiled.faults() if fault.place.endswith("into")]
    assert len(told) == 3
    assert any("goes on has no successor" in en for en, _ in told)
    assert any("thuộc đơn vị nào" in vi for _, vi in told)
