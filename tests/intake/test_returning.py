"""Results are handed over: to whom, by which post, some now and the rest later."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from services.intake.domain.dossier import Dossier
from services.intake.domain.returning import correct_waybill, return_result
from services.intake.domain.statuses import Status
from services.intake.storage.rows import from_row, to_row
from shared.events.intake import DossierPartlyReturned, DossierReturned, WaybillCorrected
from shared.events.parts import StepResult
from shared.events.routing import DossierResolved
from shared.kernel.errors import InvalidInput, NotAllowed
from tests.intake.made import CONTACT, NOW, OFFICE, around, dossier, vn
from tests.intake.rig import AGENCY
from tests.intake.test_pages import Browser, words

ADDRESS = "12 Nguyễn Huệ, Cao Lãnh"
POST = {"method": "post", "carrier": "Bưu điện Việt Nam", "waybill": "rr 123456789 vn"}
MYSELF = {"method": "desk", "taker": "applicant", "id_checked": "1"}


def result(step: str, outcome: str = "granted", **more: Any) -> StepResult:
    return StepResult(step=step, agency=AGENCY, outcome=outcome, at=NOW, **more)


BOTH = (result("birth"), result("card", "refused", reason="thiếu"))


def resolved(*results: StepResult) -> Dossier:
    one = dossier()
    return replace(
        one, status=Status.RESOLVED, underlying=Status.PROCESSING, results=results or BOTH,
        contact=replace(one.contact, address=ADDRESS), finished_at=NOW,
    )  # fmt: skip


def handed(one: Dossier, **told: Any):
    return return_result(one, around(NOW), **told)


def faults(one: Dossier, **told: Any) -> set[str]:
    with pytest.raises(InvalidInput) as wrong:
        handed(one, **told)
    return {fault.place for fault in wrong.value.faults}


def test_the_applicant_takes_all_and_only_the_kind_of_taker_leaves_the_desk():
    decision = handed(resolved(), method="desk", taker="applicant", id_checked=True)
    assert decision.state.status is Status.RETURNED
    (event,) = decision.events
    assert (type(event), event.taker, event.waybill) == (DossierReturned, "applicant", None)
    assert from_row(to_row(decision.state)) == decision.state


def test_a_representative_has_a_name_that_stays_at_the_desk():
    decision = handed(
        resolved(),
        method="desk",
        taker="representative",
        taker_name=" Trần  Văn Ba",
        id_checked=True,
    )
    assert decision.state.handed[0].name == "Trần Văn Ba"
    assert "Ba" not in str(decision.events[0].__struct_fields__)
    assert decision.events[0].taker == "representative"


def test_what_is_missing_at_the_desk_is_told_at_once():
    one = resolved()
    assert faults(one, method="desk", taker="") == {"taker"}
    assert faults(one, method="desk", taker="applicant") == {"id_checked"}
    assert faults(one, method="desk", taker="representative") == {"id_checked", "taker_name"}
    assert faults(one, method="mule") == {"method"}
    assert faults(one, method="desk", steps=[]) == {"steps"}
    assert faults(one, method="desk", steps=["birth", "else"]) == {"steps"}


@pytest.mark.parametrize("number", ["", "12", "a/b/c/d/e", "é12345", "x" * 41])
def test_a_posting_has_a_carrier_a_number_and_an_address(number):
    one = resolved()
    assert faults(one, method="post", carrier="", waybill=number) == {"carrier", "waybill"}
    homeless = replace(one, contact=replace(one.contact, address=None))
    assert faults(homeless, **POST) == {"method"}
    assert handed(one, **POST).events[0].waybill == "RR123456789VN"


def test_a_program_that_tells_only_the_method_is_let_through_as_ever():
    for method in ("desk", "post", "online"):
        assert handed(resolved(), method=method, id_checked=False).state.status is Status.RETURNED


def test_some_now_and_the_rest_later_a_refusal_is_a_result():
    first = handed(resolved(), steps=["card"], **POST)
    assert (first.state.status, first.state.returned_at) == (Status.RESOLVED, None)
    (event,) = first.events
    assert isinstance(event, DossierPartlyReturned)
    assert (event.steps, event.left) == (("card",), 1)
    assert [r.step for r in first.state.results_left] == ["birth"]
    assert faults(first.state, method="desk", steps=["card"]) == {"steps"}
    rest = handed(first.state, method="desk", taker="applicant", id_checked=True)
    assert rest.state.status is Status.RETURNED
    assert [each.steps for each in rest.state.handed] == [("card",), ("birth",)]
    with pytest.raises(NotAllowed):
        handed(rest.state, method="desk")


RIGHT = {"carrier": "Bưu điện Việt Nam", "waybill": "rr 123456798 vn", "reason": "Gõ nhầm hai số"}


def test_a_waybill_is_mended_and_nothing_else_moves():
    sent = handed(resolved(), steps=["card"], **POST).state
    decision = correct_waybill(sent, around(NOW), **RIGHT)
    (event,) = decision.events
    assert isinstance(event, WaybillCorrected)
    assert (event.number, event.was, event.waybill) == (1, "RR123456789VN", "RR123456798VN")
    after = decision.state
    assert after == replace(sent, handed=(replace(sent.handed[0], waybill="RR123456798VN"),))
    assert from_row(to_row(after)) == after


def test_of_several_parcels_the_one_named_is_mended_else_the_last():
    first = handed(resolved(), steps=["card"], **POST).state
    both = handed(first, method="desk", taker="applicant", id_checked=True).state
    assert correct_waybill(both, around(NOW), **RIGHT).events[0].number == 1
    again = handed(first, **{**POST, "waybill": "EA123456789VN"}).state
    assert correct_waybill(again, around(NOW), **RIGHT).events[0].number == 2
    mended = correct_waybill(again, around(NOW), number=1, **RIGHT).state
    assert [each.waybill for each in mended.handed] == ["RR123456798VN", "EA123456789VN"]


def test_what_is_wrong_with_a_mended_waybill_is_told_at_once():
    sent = handed(resolved(), **POST).state
    for told, places in (
        ({"carrier": "", "waybill": "1", "reason": " "}, {"carrier", "waybill", "reason"}),
        ({**RIGHT, "number": 2}, {"number"}),
        ({**RIGHT, "waybill": "RR123456789VN"}, {"waybill"}),
    ):
        with pytest.raises(InvalidInput) as wrong:
            correct_waybill(sent, around(NOW), **told)
        assert {fault.place for fault in wrong.value.faults} == places
    with pytest.raises(NotAllowed):
        correct_waybill(handed(resolved(), method="desk").state, around(NOW), **RIGHT)


def test_a_posting_that_was_told_without_a_number_gets_one():
    sent = handed(resolved(), method="post").state
    (event,) = correct_waybill(sent, around(NOW), **RIGHT).events
    assert event.was is None


# --- by the pages -----------------------------------------------------------------------------


@pytest.fixture
def officer(embedded_desk):
    return Browser(embedded_desk, ("officer", OFFICE.code), name="Lê Thị Hoa")


def with_results(desk, *results: StepResult) -> str:
    code = desk.submit(contact=replace(CONTACT, address=ADDRESS))
    desk.started(code)
    desk.hear(DossierResolved(dossier=code, results=results or BOTH, resolved_at=desk.clock.now()))
    return code


def hand(officer, code, **typed):
    officer.get(f"/ho-so/{code}")
    return officer.post(f"/ho-so/{code}/return-result", typed)


def test_the_page_asks_who_takes_it_and_keeps_what_was_typed(officer, embedded_desk):
    code = with_results(embedded_desk, BOTH[0])
    assert hand(officer, code, method="desk").status_code == 422
    wrong = hand(officer, code, method="desk", taker="representative", taker_name="Trần Văn Ba")
    assert "Xem giấy tờ tùy thân" in words(wrong)
    assert 'value="Trần Văn Ba"' in wrong.text
    done = hand(
        officer,
        code,
        method="desk",
        taker="representative",
        taker_name="Trần Văn Ba",
        id_checked="1",
    )
    assert done.status_code == 303
    page = words(officer.get(done.location))
    assert "Đã ghi nhận trả kết quả." in page
    for said in ("Người được ủy quyền", "Trần Văn Ba (đã xem giấy tờ)", "Cán bộ: Lê Thị Hoa"):
        assert said in page


def test_a_part_is_handed_over_and_the_dossier_waits_for_the_rest(officer, embedded_desk):
    code = with_results(embedded_desk)
    assert hand(officer, code, **MYSELF).status_code == 422  # nothing ticked
    assert hand(officer, code, steps="card", **MYSELF).status_code == 303
    assert embedded_desk.dossier(code).status is Status.RESOLVED
    assert code in officer.get("/ho-so?xem=cho-tra").text
    page = words(officer.get(f"/ho-so/{code}"))
    assert "Đã trả một phần kết quả, còn 1" in page
    assert hand(officer, code, **POST).status_code == 303
    assert embedded_desk.dossier(code).status is Status.RETURNED
    assert code not in officer.get("/ho-so?xem=cho-tra").text


def test_what_was_posted_stands_on_the_days_list_as_page_and_files(desk):
    officer = Browser(desk, ("officer", OFFICE.code))
    code = with_results(desk, BOTH[0])
    hand(officer, code, **POST)
    other = with_results(desk, BOTH[0])
    hand(officer, other, **MYSELF)
    page = officer.get("/ho-so/gui-buu-dien")
    assert code in page.text
    assert other not in page.text
    for said in ("RR123456789VN", "Bưu điện Việt Nam", ADDRESS, "0907 123 456", "Nguyễn Thị Mai"):
        assert said in words(page)
    csv = officer.client.get("/ho-so/gui-buu-dien.csv").data.decode("utf-8-sig")
    assert [line.split(",")[1] for line in csv.splitlines()] == ["Mã hồ sơ", code]
    book = load_workbook(BytesIO(officer.client.get("/ho-so/gui-buu-dien.xlsx").data))
    rows = list(book.active.iter_rows(values_only=True))
    assert rows[2][1:4] == (code, "Nguyễn Thị Mai", ADDRESS)
    desk.clock.set(vn(2022, 3, 2, 0, 1))
    assert "Ngày này không gửi gì" in words(officer.get("/ho-so/gui-buu-dien"))
    assert code in officer.get("/ho-so/gui-buu-dien?ngay=2022-03-01").text
    assert officer.get("/ho-so/gui-buu-dien?ngay=x").status_code == 200
    stranger = Browser(desk, ("officer", "ubnd-phuong-2"))
    assert code not in stranger.get("/ho-so/gui-buu-dien?ngay=2022-03-01").text


def test_the_citizen_sees_by_which_post_it_comes(officer, embedded_desk):
    code = with_results(embedded_desk, BOTH[0])
    hand(officer, code, **POST)
    citizen = Browser(embedded_desk)
    word = embedded_desk.dossier(code).lookup_word
    seen = words(citizen.post("/tra-cuu", {"code": code, "word": word}))
    assert "Gửi qua Bưu điện Việt Nam, mã vận đơn RR123456789VN" in seen
    assert ADDRESS not in seen


def test_a_mended_waybill_stands_everywhere_with_who_and_why(desk):
    officer = Browser(desk, ("officer", OFFICE.code), name="Lê Thị Hoa")
    code = with_results(desk, BOTH[0])
    hand(officer, code, **POST)
    act = f"/ho-so/{code}/correct-waybill"
    officer.get(f"/ho-so/{code}")
    wrong = officer.post(act, {**RIGHT, "reason": ""})
    assert wrong.status_code == 422
    assert 'value="rr 123456798 vn"' in wrong.text
    done = officer.post(act, RIGHT)
    assert done.status_code == 303
    page = words(officer.get(done.location))
    assert "Đã sửa mã vận đơn; công dân được báo mã đúng." in page
    for said in ("RR123456789VN → RR123456798VN", "Gõ nhầm hai số", "Cán bộ: Lê Thị Hoa"):
        assert said in page
    listed = words(officer.get("/ho-so/gui-buu-dien"))
    assert "RR123456798VN" in listed
    assert "RR123456789VN" not in listed
    seen = {"code": code, "word": desk.dossier(code).lookup_word}
    assert "mã vận đơn RR123456798VN" in words(Browser(desk).post("/tra-cuu", seen))
    path = f"/dossiers/{code}/correct-waybill"
    again = desk.http("POST", path, {**RIGHT, "number": 1})
    assert [each["place"] for each in again.json["errors"]] == ["waybill"]
    assert desk.http("POST", path, {**RIGHT, "waybill": "EA1234567VN"}).status_code == 200


def test_over_rest(embedded_desk):
    code = with_results(embedded_desk)
    path = f"/dossiers/{code}"
    assert embedded_desk.http("GET", path).json["results_left"] == ["birth", "card"]
    body = {"method": "post", "steps": ["card"], "carrier": "VNPost", "waybill": "EA 1234 5678"}
    for _ in range(2):
        part = embedded_desk.http("POST", f"{path}/return-result", body, Idempotency_Key="a")
        assert (part.status_code, part.json["status"]["number"]) == (200, 9)
    wrong = embedded_desk.http(
        "POST", f"{path}/return-result", {"method": "desk", "taker": "representative"}
    )
    assert {each["place"] for each in wrong.json["errors"]} == {"taker_name", "id_checked"}
    assert embedded_desk.http("GET", path).json["results_left"] == ["birth"]
