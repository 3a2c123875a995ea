"""Who is told that a result was handed over: not those who took it themselves."""

from __future__ import annotations

from typing import Any

import pytest

from simulation.kit import City, Desk
from tests.journeys.conftest import OpenCity
from tests.journeys.matters import BIRTH, WARD, filed, the_task, vn

WAYBILL = "RR123456789VN"
MYSELF = {"method": "desk", "taker": "applicant", "id_checked": True}
ANOTHER = {"method": "desk", "taker": "representative", "taker_name": "Trần Ba", "id_checked": True}
POST = {"method": "post", "carrier": "Bưu điện Việt Nam", "waybill": WAYBILL}


def _resolved(city: City) -> tuple[Desk, str]:
    desk, code = filed(city, BIRTH)
    desk.correct(code, "chưa ghi", contact={"address": "12 Nguyễn Huệ"})
    city.rest()
    with city.agency(WARD) as agency:
        agency.grant(the_task(agency, code))
    city.rest()
    return desk, code


@pytest.mark.parametrize(
    ("how", "told"), [(MYSELF, False), (ANOTHER, True), (POST, True)], ids=["self", "other", "post"]
)
def test_whoever_stood_at_the_desk_is_not_told(opened: OpenCity, how: dict[str, Any], told: bool):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = _resolved(city)
    before = len(city.sent(code))
    desk.act(code, "return-result", how)
    city.rest()
    assert desk.status(code) == 10
    sent = city.sent(code)[before:]
    assert {each.moment for each in sent} == ({"returned"} if told else set())
    if how is POST:
        assert all(WAYBILL in each.text for each in sent)
        assert WAYBILL in city.citizen(code, desk.get(code)["lookup_word"]).page()
    assert not any("Trần Ba" in each.text for each in sent)


def test_the_desk_asks_for_papers_while_an_agency_has_it_and_everybody_knows(opened: OpenCity):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = filed(city, BIRTH)
    city.rest()
    assert desk.status(code) == 4
    due = desk.get(code)["due_at"]
    desk.ask_papers(code, ["Giấy chứng sinh"], "mờ")
    city.rest()
    assert desk.status(code) == 5
    assert "supplement_requested" in [each.moment for each in city.sent(code)]
    with city.agency(WARD) as agency:
        task = the_task(agency, code)
        assert (task.state, task.due_at) == ("paused", None)
        city.set(vn(2026, 3, 4, 9))
        desk.supplement(code, "Giấy chứng sinh")
        city.rest()
        assert desk.status(code) == 4
        assert desk.get(code)["due_at"] > due
        again = the_task(agency, code)
        assert again.state == "open"
        assert any(paper["name"] == "Giấy chứng sinh" for paper in again.data["papers"])
        agency.grant(again)
        city.rest()
    assert desk.status(code) == 9


def test_papers_the_desk_asked_for_that_never_come_stop_the_dossier(opened: OpenCity):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = filed(city, BIRTH)
    city.rest()
    desk.ask_papers(code, ["Giấy chứng sinh"], "mờ", vn(2026, 3, 4, 17))
    city.rest()
    city.set(vn(2026, 3, 5, 9))
    city.rest()
    assert desk.status(code) == 8
    told = [each.moment for each in city.sent(code)]
    assert told.count("stopped") == len({each.channel for each in city.sent(code)})
