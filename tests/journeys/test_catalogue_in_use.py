"""What the catalogue says of people, channels and days is what the services do."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from services.intake.web.openings import openings
from shared.catalogue import Catalogue
from shared.kernel.clock import to_vn
from simulation.kit import Rejected, filing
from tests.journeys.conftest import OpenCity
from tests.journeys.matters import BIRTH, WARD_BEFORE, case_of, dossier_of, the_task, vn

MONDAY, WEDNESDAY = vn(2022, 3, 14, 9), vn(2022, 3, 16, 9)
NO_APPOINTMENT, SUNDAY_DESK = "ubnd-phuong-11", "ubnd-phuong-2"
SLOW = "1.004873"  # three working days
MOTHER = ("mother_name", "mother_id")
ABANDONED = {"code": "tre-bi-bo-roi", "original": 1}


def _birth(catalogue: Catalogue, *, without: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    body = filing(catalogue.procedure(BIRTH, to_vn(MONDAY).date()))
    form = {n: value for n, value in body["form"].items() if n not in without}
    papers = [*body["papers"], *more.pop("papers", ())]
    return {**body, "form": form | more, "papers": papers}


def test_an_abandoned_child_is_registered_without_a_mother(opened: OpenCity, catalogue: Catalogue):
    city = opened(at=MONDAY)
    desk = city.desk(WARD_BEFORE)
    with pytest.raises(Rejected) as told:
        desk.file(_birth(catalogue, without=MOTHER))
    places = {fault["place"] for fault in told.value.problem["errors"]}
    assert places == {"form.mother_name", "form.mother_id"}
    code = desk.file(_birth(catalogue, without=MOTHER, papers=[ABANDONED])).code
    city.rest()
    assert desk.status(code) == 4
    assert not set(MOTHER) & set(case_of(city, code).form)


def test_a_foreign_mother_has_a_passport_and_one_of_both_must_stay(
    opened: OpenCity, catalogue: Catalogue
):
    city = opened(at=MONDAY)
    desk = city.desk(WARD_BEFORE)
    body = _birth(catalogue, without=("mother_id",), mother_passport="N1234567")
    code = desk.file(body).code
    city.rest()
    with city.agency(WARD_BEFORE) as agency:
        task = the_task(agency, code)
        assert task.data["form"]["mother_passport"] == "N1234567"
        agency.ask_papers(task.id, ["số định danh"], "thiếu")
    city.rest()
    with pytest.raises(Rejected) as told:
        desk.act(code, "supplement", {"form": {"mother_passport": ""}})
    assert [f["place"] for f in told.value.problem["errors"]] == ["form.mother_id"]
    other = {"mother_passport": "", "mother_id": "087190001234"}
    desk.act(code, "supplement", {"form": other})
    city.rest()
    held = dossier_of(city, code).form
    assert "mother_passport" not in held
    assert dict(case_of(city, code).form) == dict(held)


def test_a_procedure_is_filed_by_the_channels_of_the_portal(catalogue: Catalogue):
    assert catalogue.procedure("1.003197", to_vn(MONDAY).date()).channels == ("online",)


def test_on_a_day_without_appointments_a_date_is_kept_and_not_told(opened: OpenCity):
    city = opened(at=MONDAY)
    desk = city.desk(NO_APPOINTMENT)
    for at, told in ((MONDAY, True), (WEDNESDAY, False)):
        city.set(at)
        receipt = desk.submit(SLOW)
        city.rest()
        due_at = dossier_of(city, receipt.code).due_at
        assert due_at is not None
        date = f"{to_vn(due_at):%d/%m/%Y}"
        paper = desk.browser().get(f"/ho-so/{receipt.code}/giay-hen").text
        said = [m.text or "" for m in city.sent(receipt.code) if m.moment == "received"]
        page = city.citizen(receipt.code, receipt.word).page()
        assert len(said) == 1
        assert {date in text for text in (paper, *said)} == {told}
        assert (date in page) == told


def test_who_is_overdue_is_not_told_the_old_date_as_if_it_held(opened: OpenCity):
    city = opened(at=MONDAY)
    desk = city.desk(WARD_BEFORE)
    receipt = desk.submit(SLOW)
    city.rest()
    due_at = dossier_of(city, receipt.code).due_at
    assert due_at is not None
    city.set(vn(2022, 3, 25, 9))
    agency = city.agencies_of(SLOW, WARD_BEFORE)[0]
    with city.agency(agency) as asking:
        asking.ask_papers(the_task(asking, receipt.code).id, ["sổ"], "thiếu")
    city.rest()
    desk.supplement(receipt.code, "Sổ")
    city.rest()
    page = unescape(city.citizen(receipt.code, receipt.word).page())
    need = re.search(r"Bạn cần làm gì:.*?</p>", page, re.DOTALL)
    assert need is not None
    date = f"{to_vn(due_at):%d/%m/%Y}"
    assert date not in need[0]
    assert page.count(date) == 1, "what was told at reception, as a thing of the past"
    said = [m.text or "" for m in city.sent(receipt.code) if m.moment == "supplemented"]
    assert said == [], "the papers were brought to the desk"


def test_receipt_and_page_say_when_the_desk_is_open_sundays_too(opened: OpenCity):
    city = opened(at=MONDAY)
    receipt = city.desk(SUNDAY_DESK).submit(SLOW)
    city.rest()
    paper = city.desk(SUNDAY_DESK).browser().get(f"/ho-so/{receipt.code}/giay-hen").text
    for page in (paper, city.citizen(receipt.code, receipt.word).page()):
        assert "Thứ Hai - Thứ Sáu 07:30-11:30, 13:30-17:30; Chủ Nhật 07:30-10:30" in page
    assert "Chủ Nhật" not in openings(city.built.catalogue.reception(WARD_BEFORE))
