"""What an officer is told and asked at the counter: faults by their inputs, doubts, what is final."""

from __future__ import annotations

import html
import re

import pytest

from tests.intake.made import OFFICE
from tests.intake.test_pages import FILLED, Browser, how_many, words

pytestmark = pytest.mark.usefixtures("embedded_desk")
FINAL = {
    "refuse": {"reason": "Nơi nộp sai", "next_step": "Nộp ở phường 2\ntrước thứ sáu"},
    "withdraw": {"reason": "Đổi ý"},
}


@pytest.fixture
def officer(embedded_desk):
    return Browser(embedded_desk, ("officer", OFFICE.code))


def links(answer) -> dict[str, str]:
    """The links of the list of faults: id of the input -> words."""
    summary = re.search(r'<div class="notice bad".*?</div>', answer.text, re.DOTALL)
    assert summary is not None
    return dict(re.findall(r'<a href="#([^"]+)">([^<]+)</a>', summary[0]))


def test_every_fault_is_listed_with_the_way_to_its_input(officer):
    officer.get("/ho-so/moi/1.000001")
    bad = FILLED | {"f.full_name": "", "c.phone": "12", "p.to-khai.original": "-4", "c.name": ""}
    answer = officer.post("/ho-so/moi/1.000001", bad)
    assert answer.status_code == 422
    assert "<title>Cần sửa · " in answer.text
    found = links(answer)
    assert {"f-f.full_name", "f-c.phone", "f-c.name", "f-p.to-khai"} <= set(found)
    for target in found:
        assert len(re.findall(rf'id="{re.escape(target)}"', answer.text)) == 1
    assert 'tabindex="-1" data-first' in answer.text


def test_the_faults_of_an_act_lead_to_the_inputs_of_its_own_form(officer, embedded_desk):
    code = embedded_desk.submit(channel="online")
    officer.get(f"/ho-so/{code}")
    answer = officer.post(f"/ho-so/{code}/refuse", {"reason": "x", "next_step": ""})
    found = links(answer)
    assert found
    for target in found:
        assert target.startswith("f-refuse-")
        assert f'id="{target}"' in answer.text
    ids = re.findall(r'\sid="([^"]+)"', answer.text)
    assert len(ids) == len(set(ids))


def test_a_phone_without_a_way_of_telling_is_asked_about_once(officer, embedded_desk):
    officer.get("/ho-so/moi/1.000001")
    silent = {name: text for name, text in FILLED.items() if name != "c.sms"}
    answer = officer.post("/ho-so/moi/1.000001", silent)
    assert answer.status_code == 422
    assert links(answer) == {"f-c.sms": "Cách báo tin"}
    assert how_many(embedded_desk) == 0
    assert 'value="Nguyễn Thị Mai"' in answer.text
    asked = dict(re.findall(r'<input type="hidden" name="(asked)" value="([^"]*)"', answer.text))
    assert officer.post("/ho-so/moi/1.000001", silent | asked).status_code == 303
    assert how_many(embedded_desk) == 1


def test_nobody_is_asked_who_gave_no_way_to_be_reached(officer, embedded_desk):
    officer.get("/ho-so/moi/1.000001")
    bare = {name: text for name, text in FILLED.items() if name not in ("c.sms", "c.phone")}
    assert officer.post("/ho-so/moi/1.000001", bare).status_code == 303


def test_the_doubt_is_told_with_all_the_faults(officer):
    officer.get("/ho-so/moi/1.000001")
    bad = {name: text for name, text in FILLED.items() if name != "c.sms"} | {"c.name": ""}
    answer = officer.post("/ho-so/moi/1.000001", bad)
    assert {"f-c.sms", "f-c.name"} <= set(links(answer))


@pytest.mark.parametrize("act", FINAL)
def test_what_is_final_is_asked_before_it_is_done(officer, embedded_desk, act):
    code = embedded_desk.submit(channel="online")
    officer.get(f"/ho-so/{code}")
    asked = officer.post(f"/ho-so/{code}/{act}", FINAL[act])
    assert asked.status_code == 200
    assert "Không làm lại được" in words(asked)
    assert code in asked.text
    assert embedded_desk.http("GET", f"/dossiers/{code}").get_json()["status"]["number"] == 1
    kept = {
        html.unescape(name): html.unescape(value)
        for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', asked.text)
        if name != "csrf_token"
    }
    assert kept == FINAL[act]
    back = officer.post(f"/ho-so/{code}/{act}", kept | {"back": "1"})
    for text in FINAL[act].values():
        assert text in html.unescape(back.text)
    done = officer.post(f"/ho-so/{code}/{act}", kept | {"sure": "1"})
    assert done.status_code == 303
    status = embedded_desk.http("GET", f"/dossiers/{code}").get_json()["status"]["number"]
    assert status == {"refuse": 3, "withdraw": 7}[act]


def test_a_faulty_final_act_tells_its_faults_first(officer, embedded_desk):
    code = embedded_desk.submit(channel="online")
    officer.get(f"/ho-so/{code}")
    answer = officer.post(f"/ho-so/{code}/refuse", {"reason": "", "next_step": ""})
    assert answer.status_code == 422


def test_an_act_says_that_it_was_done(officer, embedded_desk):
    code = embedded_desk.submit(channel="online")
    officer.get(f"/ho-so/{code}")
    asked = {"items": "Giấy khai sinh", "reason": "Thiếu", "token": "t-9"}
    answer = officer.post(f"/ho-so/{code}/request-supplement", asked)
    page = officer.get(answer.headers["Location"])
    assert "Đã gửi yêu cầu bổ sung" in words(page)
    assert 'role="status"' in page.text
    odd = officer.get(f"/ho-so/{code}?xong=%3Cscript%3E")
    assert odd.status_code == 200
    assert "script&gt;" not in odd.text.partition("<main")[2]


@pytest.mark.parametrize("act", ["refuse", "withdraw", "no-such-act"])
def test_the_address_of_an_act_opened_by_itself_leads_to_its_page(officer, embedded_desk, act):
    """After a faulty act it stands in the address bar: Enter there must not be an error."""
    code = embedded_desk.submit(channel="online")
    answer = officer.get(f"/ho-so/{code}/{act}")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/ho-so/{code}"
    programs = embedded_desk.web.test_client().get(
        f"/ho-so/{code}/{act}", headers={"Accept": "application/json"}
    )
    assert programs.status_code in (401, 405)


def test_signing_out_by_a_link_signs_nobody_out(officer):
    answer = officer.get("/dang-xuat")
    assert answer.status_code == 303
    assert officer.get("/ho-so").status_code == 200
