"""Official forms as data: which holds on which day and for whom, and what is wrong with a file."""

from __future__ import annotations

from datetime import date

import pytest

from shared.catalogue import load
from shared.kernel.errors import BrokenCatalogue, NotFound

ONE_STOP, RESIDENCE = "forms/one-stop.yaml", "forms/residence.yaml"
POLICE = ("commune_police",)


@pytest.mark.parametrize(
    ("kind", "on", "roles", "number"),
    [
        ("receipt", date(2022, 3, 1), (), "01"),
        ("receipt", date(2022, 3, 1), ("justice", "police"), "01"),
        ("receipt", date(2022, 3, 1), POLICE, "CT04"),
        ("receipt", date(2021, 6, 30), POLICE, "01"),
        ("refusal", date(2025, 7, 1), POLICE, "CT06"),
        ("apology", date(2025, 7, 1), POLICE, "04"),
        ("control", date(2025, 6, 30), (), "05"),
        ("control", date(2025, 7, 1), (), "06"),
        ("register", date(2025, 7, 1), (), "07"),
        ("stop", date(2025, 6, 30), (), "03"),
        ("stop", date(2025, 7, 1), (), "05"),
    ],
)
def test_the_form_of_a_day_and_of_whoever_acts(city, kind, on, roles, number):
    assert city.form(kind, on, roles).number == number


def test_before_the_first_circular_there_is_no_form(city):
    with pytest.raises(NotFound, match="official form"):
        city.form("receipt", date(2020, 12, 31))


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "en", "vi"),
    [
        (ONE_STOP, 'number: "01"', "number: 01", "forms[0].number", "not in quotes", "nháy"),
        (ONE_STOP, "kind: refusal", "kind: refusl", "kind", "did you mean 'refusal'?", "refusal"),
        (ONE_STOP, "suffix: TNHS, ", "", "forms[0].suffix", "missing", "thiếu"),
        (ONE_STOP, "circular: Thông tư 01/2018/TT-VPCP", "circular: ", "circular", "missing", "thiếu"),
        (ONE_STOP, "valid_to: 2025-06-30", "valid_to: 2025-05-31", "valid_from",
         "on 2025-06-01 there is no form for 'receipt'", "chưa có mẫu"),
        (ONE_STOP, "valid_to: 2025-06-30", "valid_to: 2025-07-01", "valid_from",
         "an earlier version is still in force", "vẫn còn hiệu lực"),
        (ONE_STOP, "valid_from: 2025-07-01", "valid_from: 2025-07-01\n    valid_to: 2026-01-01",
         "valid_to", "from 2026-01-02 on there is no form", "không có mẫu"),
        (ONE_STOP, "valid_from: 2021-01-01", "valid_from: 2021-02-01", "valid_from",
         "on 2021-01-01 there is no form", "chưa có mẫu"),
        (RESIDENCE, "[commune_police, police]", "[commune_police, polise]", "used_by",
         "did you mean 'police'?", "police"),
        (RESIDENCE, "valid_from: 2024-01-01", "valid_from: 2023-01-01", "valid_from",
         "an earlier version is still in force", "vẫn còn hiệu lực"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_place_and_mend(spoiled, file, old, new, place, en, vi):
    spoiled.replace(file, old, new)
    with pytest.raises(BrokenCatalogue) as refused:
        load(spoiled.folder)
    told = [(fault.place, fault.en, fault.vi) for fault in refused.value.faults]
    assert any(
        at.startswith(f"{file}:") and place in at and en in english and vi in vietnamese
        for at, english, vietnamese in told
    ), told


def test_a_city_without_forms_does_not_start_and_is_told_which_are_missing(spoiled):
    (spoiled.folder / ONE_STOP).unlink()
    told = [fault for fault in spoiled.faults() if fault.place == "forms"]
    assert len(told) == 6
    assert "'receipt'" in told[0].en


def test_a_kind_that_a_circular_forgets_is_told(spoiled):
    text = (spoiled.folder / ONE_STOP).read_text(encoding="utf-8")
    spoiled.write(
        ONE_STOP, "\n".join(line for line in text.split("\n") if "kind: apology" not in line)
    )
    assert ["'apology'" in fault.en for fault in spoiled.faults()] == [True]


def test_a_circular_without_forms_is_told(spoiled):
    spoiled.write("forms/empty.yaml", "sets:\n  - {circular: X, valid_from: 2021-01-01}\n")
    assert any("'forms:'" in fault.en for fault in spoiled.faults())
