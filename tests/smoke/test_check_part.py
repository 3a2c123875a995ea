"""The part of the catalogue that checks an installation stays apart from the city's real work."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from shared.catalogue import check, load
from shared.identity import keys
from shared.kernel.clock import FixedClock, parse_instant
from shared.kernel.errors import NotFound
from tests.backends import Backend

CITY = Path(__file__).resolve().parents[2] / "catalogue"
TODAY = date(2026, 11, 23)
OFFICE, PROCEDURE = "kiem-tra-tiep-nhan", "0.000001"


@pytest.fixture(scope="module")
def city():
    return load(CITY)


def test_it_stands_in_no_list_of_offices_or_procedures(city):
    assert OFFICE not in {office.code for office in city.offices(TODAY)}
    assert PROCEDURE not in {procedure.code for procedure in city.procedures(TODAY)}
    assert PROCEDURE not in city.procedure_codes()
    assert [office.code for office in city.offices(TODAY, check=True)] == [OFFICE]
    assert [each.code for each in city.procedures(TODAY, check=True)] == [PROCEDURE]


def test_its_office_takes_its_procedure_and_neither_crosses_over(city):
    made = city.procedure(PROCEDURE, TODAY)
    real = city.procedures(TODAY)[0]
    assert city.office_handles(OFFICE, made, TODAY)
    assert not city.office_handles(OFFICE, real, TODAY)
    assert not city.office_handles("mot-cua-thanh-pho", made, TODAY)


def test_every_step_of_it_and_no_other_step_goes_to_agencies_that_check(city):
    for step in city.procedure(PROCEDURE, TODAY).steps:
        assert city.agency_for(step.role, "*", TODAY).check
    for procedure in city.procedures(TODAY):
        for office in city.offices(TODAY):
            if city.office_handles(office.code, procedure, TODAY):
                for step in procedure.steps:
                    assert not city.agency_for(step.role, office.territory, TODAY).check
    for office in city.offices(TODAY):
        assert not city.agency_for("desk", office.territory, TODAY).check


def test_it_forks_and_joins_and_asks_agencies_by_both_ways(city):
    steps = {step.code: step for step in city.procedure(PROCEDURE, TODAY).steps}
    assert {code: step.after for code, step in steps.items()} == {
        "open": (),
        "left": ("open",),
        "right": ("open",),
        "close": ("left", "right"),
    }
    ways = {city.agency_for(step.role, "*", TODAY).reach for step in steps.values()}
    assert ways == {"amqp", "web"}


def test_names_say_that_it_is_no_real_agency(city):
    with_mark = [each for each in city.every_agency() if each.check]
    assert len(with_mark) == 5
    assert all("kiểm tra hệ thống" in each.name for each in with_mark)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("agencies/check.yaml", "[check_open]", "[check_open, construction]", "real agency has"),
        ("agencies/city.yaml", "[construction]", "[construction, check_left]", "real agency has"),
        (
            "procedures/check-0.000001-kiem-tra-he-thong.yaml",
            "role: check_left",
            "role: construction",
            "never meet",
        ),
        (
            "procedures/1.001193-khai-sinh.yaml",
            "role: justice",
            "role: check_left",
            "never meet",
        ),
        (
            "procedures/check-0.000001-kiem-tra-he-thong.yaml",
            "    check: true\n",
            "",
            "never meet",
        ),
    ],
)
def test_a_catalogue_that_mixes_them_is_refused(tmp_path, file, old, new, said):
    folder = tmp_path / "catalogue"
    shutil.copytree(CITY, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert [fault for fault in check(folder) if said in fault.en]


def test_only_its_own_key_sees_its_procedure_and_the_citys_report_leaves_it_out(embedded: Backend):
    from services.embedded.city import open_city

    clock = FixedClock(parse_instant("2026-11-23T02:00:00Z"))
    town = open_city(embedded.settings("intake").data_dir, clock=clock, secret_key="k" * 40)
    town.migrate()
    with town.intake.store.begin() as uow:
        own, real, operator = (
            keys.issue(uow, kind=kind, bound_to=code, label="t")[1]
            for kind, code in (("desk", OFFICE), ("desk", "ubnd-phuong-1"), ("operator", "*"))
        )
    client = town.intake.web.test_client(use_cookies=False)

    def get(path: str, key: str):
        return client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {key}"}).json

    assert [each["code"] for each in get("/procedures", own)["items"]] == [PROCEDURE]
    assert PROCEDURE not in [each["code"] for each in get("/procedures", real)["items"]]
    made = client.post(
        "/api/v1/dossiers",
        json={
            "procedure": PROCEDURE,
            "channel": "direct",
            "form": {"run": "t", "number": 1},
            "papers": [{"code": "phieu-kiem-tra", "original": 1}],
            "contact": {"name": "Kiểm tra", "email": "t@example.com", "consent": {"email": True}},
        },
        headers={"Authorization": f"Bearer {own}"},
    )
    assert made.status_code == 201, made.json
    report = get("/reports/ii06a?from=2026-11-01&to=2026-11-30", operator)
    assert OFFICE not in [each["office"] for each in report["offices"]]
    assert report["total"]["received"]["total"] == 0
    own_report = get("/reports/ii06a?from=2026-11-01&to=2026-11-30", own)
    assert own_report["total"]["received"]["total"] == 1
    town.close()


def test_an_agency_that_does_not_exist_is_still_not_found(city):
    with pytest.raises(NotFound):
        city.agency_for("check_none", "*", TODAY)
