"""A correction at the desk: intake, routing and the agencies hold the same, whoever was first."""

from __future__ import annotations

from typing import Any

import pytest

from simulation.kit import City, Rejected
from simulation.kit.people import Way
from tests.journeys.conftest import OpenCity
from tests.journeys.matters import BIRTH, WARD, case_of, dossier_of, filed, the_task, vn

LINKED = "2.000986"
PLACE = "birth_place"
NEW = "Bệnh viện Đa khoa Đồng Tháp"


def _told(city: City, code: str) -> list[str]:
    return [each.moment for each in city.sent(code)]


def _lines(desk: Any, code: str) -> list[str]:
    return [" ".join((each["title"], *each["details"])) for each in desk.timeline(code)]


@pytest.mark.parametrize("way", ["queue", "door"])
def test_the_agency_has_the_new_value_under_the_same_task_and_the_citizen_hears_nothing(
    opened: OpenCity, way: Way
):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = filed(city, BIRTH)
    city.rest()
    with city.agency(WARD, way=way) as agency:
        before = the_task(agency, code)
        heard, due = _told(city, code), desk.get(code)["due_at"]
        desk.correct(code, "gõ nhầm", {PLACE: NEW})
        city.rest()
        (message,) = agency.collect()
        assert (message.kind, message.task) == ("changed", before.id)
        assert message.sequence == before.sequence + 1
        assert message.data["form"] == {PLACE: NEW}
        assert message.data["corrected"] is True
        after = the_task(agency, code)
        assert after.data["form"] == {**before.data["form"], PLACE: NEW}
        assert (after.state, after.due_at) == (before.state, before.due_at)
        assert dict(case_of(city, code).form) == dict(dossier_of(city, code).form)
        assert NEW in agency.browser().get(f"/nhiem-vu/{before.id}").text
        agency.grant(after)
        city.rest()
    assert {*_told(city, code)} - {*heard} == {"resolved"}
    assert desk.get(code)["due_at"] == due
    assert desk.status(code) == 9


def test_later_steps_get_what_was_corrected_before_they_opened(opened: OpenCity):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = filed(city, LINKED)
    city.rest()
    desk.correct(code, "gõ nhầm", {PLACE: NEW, "child_name": "Nguyễn Thị Sen"})
    city.rest()
    first, *others = city.agencies_of(LINKED, WARD)
    with city.agency(first) as agency:
        agency.grant(the_task(agency, code))
    city.rest()
    for other in {*others} - {first}:
        with city.agency(other) as agency:
            for task in agency.tasks(code):
                assert task.data["form"].get("child_name", "Nguyễn Thị Sen") == "Nguyễn Thị Sen"


@pytest.mark.parametrize("first", ["answer", "correction"])
def test_an_answer_and_a_correction_at_the_same_time_end_in_the_same(opened: OpenCity, first: str):
    """Whichever was first by the clock: routing had the answer before it heard of the correction."""
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = filed(city, BIRTH)
    city.rest()
    with city.agency(WARD) as agency:
        task = the_task(agency, code)
        if first == "answer":
            agency.grant(task)
            desk.correct(code, "gõ nhầm", {PLACE: NEW})
        else:
            desk.correct(code, "gõ nhầm", {PLACE: NEW})
            agency.grant(task)
        city.rest()
        agency.collect()
        told = agency.client.task(task.id)
        assert told.state == "completed", "its answer stands"
        assert told.data["form"][PLACE] == NEW, "and it knows better now"
    assert case_of(city, code).form[PLACE] == dossier_of(city, code).form[PLACE] == NEW
    assert desk.status(code) == 9
    (correction,) = desk.get(code)["corrections"]
    assert len(correction["overtaken"]) == 1
    assert any("đã trả lời trước khi nhận bản sửa lần 1" in each for each in _lines(desk, code))
    assert "đến sau câu trả lời" in desk.browser().get(f"/ho-so/{code}").text
    with pytest.raises(Rejected) as refused:
        desk.correct(code, "gõ nhầm", {PLACE: "X"})
    assert refused.value.status == 409


def test_after_an_answer_the_desk_is_told_what_to_do(opened: OpenCity):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = filed(city, LINKED)
    city.rest()
    first, *_ = city.agencies_of(LINKED, WARD)
    with city.agency(first) as agency:
        agency.grant(the_task(agency, code))
    city.rest()
    with pytest.raises(Rejected) as refused:
        desk.correct(code, "gõ nhầm", {PLACE: NEW})
    assert refused.value.problem["code"] == "answered_already"
    assert "correct" not in desk.get(code)["allowed"]


def test_a_new_phone_hears_where_the_dossier_stands_and_the_old_one_nothing_more(opened: OpenCity):
    city = opened(at=vn(2026, 3, 2, 9))
    desk, code = filed(city, BIRTH)
    city.rest()
    old = {each.id for each in city.sent(code)}
    desk.correct(code, "sai số", contact={"phone": "0912 345 678"})
    city.rest()
    (told,) = [each for each in city.sent(code) if each.id not in old]
    assert (told.moment, told.channel) == ("contact_changed", "sms")
    assert "Hen tra" in told.text
    desk.correct(code, "gõ nhầm", contact={"address": "Số 9 Lê Lợi", "name": "Trần Thị Bưởi"})
    city.rest()
    assert len(city.sent(code)) == len(old) + 1, "a name is no other way to reach them"
