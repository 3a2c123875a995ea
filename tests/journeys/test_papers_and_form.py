"""Papers and form are intake's: routing and the agency hold what intake holds, after any history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.catalogue import Catalogue
from simulation.kit import Agency, City, Desk, Rejected, filing
from tests.journeys.conftest import OpenCity
from tests.journeys.matters import (
    BIRTH,
    PERMIT,
    WARD,
    case_of,
    dossier_of,
    filed,
    the_task,
    vn,
)

OPTIONAL = "father_name"
FIELDS = ("birth_place", OPTIONAL, "submitter_relation")


def _same(city: City, agency: Agency, code: str) -> None:
    """Intake, routing and the agency's own file hold the same papers and fields."""
    dossier, case = dossier_of(city, code), case_of(city, code)
    assert case.papers == dossier.papers
    assert dict(case.form) == dict(dossier.form)
    own = the_task(agency, code).data
    assert own["form"] == dict(dossier.form)
    told = {(p["code"], p["name"]): (p["original"], p["copy"]) for p in own["papers"]}
    assert told == {(p.code, p.name): (p.original, p.copy) for p in dossier.papers}


def _asked(city: City, agency: Agency, code: str) -> str:
    task = the_task(agency, code)
    agency.ask_papers(task.id, ["bỏ tên cha ghi nhầm"], "sai")
    city.rest()
    return task.id


@pytest.mark.parametrize("nothing", ["", None, "  "])
def test_an_optional_field_can_be_emptied_alone_and_is_emptied_everywhere(
    opened: OpenCity, nothing: str | None
):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = filed(city, BIRTH, {OPTIONAL: "Nguyễn Nhầm"})
    city.rest()
    with city.agency(WARD) as agency:
        task = _asked(city, agency, code)
        assert agency.told("GET", f"/tasks/{task}")["form"][OPTIONAL] == "Nguyễn Nhầm"
        desk.act(code, "supplement", {"form": {OPTIONAL: nothing}})
        city.rest()
        assert OPTIONAL not in desk.get(code)["form"]
        assert OPTIONAL not in agency.told("GET", f"/tasks/{task}")["form"]
        _same(city, agency, code)


def test_what_was_empty_stays_no_supplement_and_what_is_required_cannot_be_emptied(
    opened: OpenCity,
):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = filed(city, BIRTH, {OPTIONAL: None})
    city.rest()
    with city.agency(WARD) as agency:
        _asked(city, agency, code)
    for form, place in (({OPTIONAL: ""}, "papers"), ({"birth_place": ""}, "form.birth_place")):
        with pytest.raises(Rejected) as told:
            desk.act(code, "supplement", {"form": form})
        assert [fault["place"] for fault in told.value.problem["errors"]] == [place]


def test_the_page_empties_a_field_too(opened: OpenCity):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = filed(city, BIRTH, {OPTIONAL: "Nguyễn Nhầm"})
    city.rest()
    with city.agency(WARD) as agency:
        _asked(city, agency, code)
        held = {f"f.{name}": value for name, value in desk.get(code)["form"].items()}
        browser = desk.browser()
        typed = held | {"f.father_name": "", "round": "1"}
        page = f"/ho-so/{code}"
        assert browser.post(f"{page}/supplement", typed, page=page).status < 400
        city.rest()
        _same(city, agency, code)
    assert OPTIONAL not in dossier_of(city, code).form


PAPERS = [
    [{"code": "to-khai", "original": 1}],
    [{"code": "giay-to-tuy-than", "copy": 2}, {"name": "Đơn A", "original": 1}],
    [{"name": "Đơn B", "copy": 1}, {"name": "Đơn A", "original": 1}],
    [{"code": "noi-cu-tru", "copy": 1}],
]
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        OPTIONAL: st.sampled_from(["Lê Văn Ba", "", None]),
        "birth_place": st.sampled_from(["Trạm y tế", "Nhà riêng"]),
    },
)
ROUND = st.tuples(st.sampled_from([[], *PAPERS]), CHANGES).filter(any)


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(
    first=st.sampled_from(PAPERS),
    before=st.lists(ROUND, max_size=2),
    recount=st.none() | st.sampled_from(PAPERS),
    after=st.lists(ROUND, min_size=1, max_size=3),
)
def _histories(city: City, desk: Desk, agency: Agency, catalogue: Catalogue, **told: Any) -> None:
    body = filing(catalogue.procedure(BIRTH, vn(2026, 3, 2).date()), 1, channel="online")
    code = desk.file({**body, "papers": _whole(body["papers"], told["first"])}).code
    for papers, form in told["before"]:
        desk.ask_papers(code, ["giấy"], "thiếu")
        _bring(desk, code, papers, form)
    held = dossier_of(city, code).papers
    counted = told["recount"] and _whole(body["papers"], told["recount"])
    desk.act(code, "receive", {} if counted is None else {"papers": counted})
    kept = dossier_of(city, code).papers
    others = sum(p.code.startswith("other-") for p in held)
    recounted = 0 if counted is None else sum("name" in paper for paper in counted)
    assert len({p.code for p in kept}) == len(kept), "no paper stands in another's place"
    assert sum(p.code.startswith("other-") for p in kept) == others + recounted
    city.rest()
    for papers, form in told["after"]:
        _same(city, agency, code)
        agency.ask_papers(the_task(agency, code).id, ["giấy"], "thiếu")
        city.rest()
        _bring(desk, code, papers, form)
        city.rest()
    _same(city, agency, code)


def _whole(listed: list[Any], more: list[Any]) -> list[Any]:
    """The procedure's papers with these in the place of those of the same code."""
    codes = {paper.get("code") for paper in more}
    return [p for p in listed if p["code"] not in codes] + [
        {**p, "original": 1, "copy": 1} if "code" in p else p for p in more
    ]


def _bring(desk: Desk, code: str, papers: list[Any], form: Mapping[str, Any]) -> None:
    told = desk.ask(
        "POST", f"/dossiers/{code}/supplement", body={"papers": papers, "form": dict(form)}
    )
    if told.status == 422:  # an empty field that was empty before
        assert [fault["place"] for fault in told.json()["errors"]] == ["papers"]
        desk.supplement(code, "Giấy khác")


def test_after_any_history_intake_routing_and_the_agency_hold_the_same(
    opened: OpenCity, catalogue: Catalogue
):
    city = opened(at=vn(2026, 3, 2, 9))
    with city.agency(WARD) as agency:
        _histories(city, city.desk(WARD), agency, catalogue)


def test_the_version_filed_under_counts_after_its_last_day(opened: OpenCity):
    city = opened(at=vn(2025, 6, 30, 20))  # 1.009994 ends that day
    desk, code = filed(city, PERMIT, channel="online")
    city.set(vn(2025, 7, 1, 8))
    received = desk.receive(code)
    assert received["promised_at"] is not None
    city.rest()
    assert desk.status(code) == 4
    assert case_of(city, code).version == received["procedure_version"] == 1
