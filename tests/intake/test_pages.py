"""The desk's pages and the citizen's look-up, as a browser without scripts sees them."""

from __future__ import annotations

import html
import re

import pytest
import sqlalchemy as sa

from services.intake.storage.tables import dossiers
from services.intake.usecases import desk as verbs
from shared.events import names
from shared.events.envelope import Data, Envelope
from shared.events.event import kind_of
from shared.events.routing import DossierStopped, PaymentRequested, StepOpened
from tests.intake.made import CATALOGUE, OFFICE, OTHER_OFFICE, vn
from tests.intake.rig import AGENCY


class Browser:
    """A client with cookies that reads the form token of each page it is on."""

    def __init__(self, desk, *places, **more):
        self.client = desk.browser(*places, **more) if places else desk.web.test_client()
        self.token = ""
        self.get("/tra-cuu")

    def get(self, path):
        answer = self.client.get(path, headers={"Accept": "text/html"})
        if answer.mimetype == "text/html":
            found = re.search(r'name="csrf-token" content="([^"]+)"', answer.text)
            self.token = found[1] if found else self.token
        return answer

    def post(self, path, data=None, *, token=None):
        sent = {"csrf_token": self.token if token is None else token, **(data or {})}
        return self.client.post(path, data=sent, headers={"Accept": "text/html"})


@pytest.fixture
def officer(embedded_desk):
    return Browser(embedded_desk, ("officer", OFFICE.code))


FILLED = {
    "channel": "direct",
    "branches": "main",
    "f.full_name": "Nguyễn Thị Mai",
    "f.birth_date": "1990-05-04",
    "f.copies": "2",
    "p.to-khai.original": "1",
    "p.giay-to.copy": "1",
    "p.other.name": "Giấy xác nhận",
    "p.other.original": "1",
    "c.name": "Nguyễn Thị Mai",
    "c.phone": "0907 123 456",
    "c.sms": "1",
    "token": "t-1",
}


def words(answer) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


def how_many(desk) -> int:
    with desk.store.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(dossiers))


def test_a_dossier_is_filed_on_the_page_and_the_receipt_shows_what_is_on_disk(
    officer, embedded_desk
):
    page = officer.get("/ho-so/moi/1.000001")
    assert "Tờ khai" in page.text
    answer = officer.post("/ho-so/moi/1.000001", FILLED)
    assert answer.status_code == 303
    code = answer.location.split("/")[-2]
    held = embedded_desk.dossier(code)
    assert held.form["copies"] == 2
    assert [p.code for p in held.papers] == ["to-khai", "giay-to", "other-3"]
    receipt = words(officer.get(answer.location))
    for said in (code, held.lookup_word, "09:00 ngày 08/03/2022", "Giấy xác nhận"):
        assert said in receipt


def test_a_form_sent_twice_files_one_dossier(officer, embedded_desk):
    officer.get("/ho-so/moi/1.000001")
    first = officer.post("/ho-so/moi/1.000001", FILLED)
    again = officer.post("/ho-so/moi/1.000001", FILLED)
    assert first.location == again.location
    assert how_many(embedded_desk) == 1


def test_a_wrong_form_keeps_what_was_typed_and_marks_each_fault(officer, embedded_desk):
    officer.get("/ho-so/moi/1.000001")
    wrong = FILLED | {"f.birth_date": "", "p.giay-to.copy": "", "c.phone": "01681234567"}
    answer = officer.post("/ho-so/moi/1.000001", wrong)
    assert answer.status_code == 422
    assert 'value="Nguyễn Thị Mai"' in answer.text
    assert 'value="01681234567"' in answer.text
    told = words(answer)
    assert "còn 3 chỗ cần sửa" in told
    assert "0381234567" in told
    assert "Thiếu «Giấy tờ tùy thân»" in told
    assert 'value="t-1"' in answer.text
    assert how_many(embedded_desk) == 0
    assert officer.post("/ho-so/moi/1.000001", FILLED).status_code == 303


@pytest.mark.parametrize("count", ["-1", "x", "100", "1e3"])
def test_a_count_that_is_none_is_refused_at_its_paper(officer, count):
    officer.get("/ho-so/moi/1.000001")
    answer = officer.post("/ho-so/moi/1.000001", FILLED | {"p.to-khai.original": count})
    assert answer.status_code == 422
    assert "Số bản từ 0 đến 99" in words(answer)


def test_no_page_changes_anything_without_its_form_token(officer, embedded_desk):
    code = embedded_desk.submit()
    for path in ("/ho-so/moi/1.000001", f"/ho-so/{code}/withdraw"):
        assert officer.post(path, FILLED | {"reason": "r"}, token="").status_code == 400
    assert how_many(embedded_desk) == 1
    assert "withdraw" in {*embedded_desk.http("GET", f"/dossiers/{code}").get_json()["allowed"]}


def test_another_offices_dossier_is_on_no_page(embedded_desk):
    code = embedded_desk.submit(channel="online")
    before = embedded_desk.dossier(code)
    stranger = Browser(embedded_desk, ("head", OTHER_OFFICE.code))
    assert code not in stranger.get("/ho-so?xem=tat-ca").text
    for path in ("", "/giay-hen"):
        assert stranger.get(f"/ho-so/{code}{path}").status_code == 404
    for act in verbs_of_pages():
        answer = stranger.post(f"/ho-so/{code}/{act}", {"reason": "r", "amount_vnd": "1"})
        assert answer.status_code == 404, act
    assert embedded_desk.dossier(code) == before


def verbs_of_pages():
    from services.intake.web.pages.acts import ACTS

    return list(ACTS)


def test_a_stranger_is_led_to_the_sign_in_and_an_agency_is_not_let_in(embedded_desk):
    stranger = Browser(embedded_desk)
    answer = stranger.get("/ho-so")
    assert (answer.status_code, answer.location) == (303, "/dang-nhap?next=/ho-so")
    agency = Browser(embedded_desk, ("agency", AGENCY.code))
    assert agency.get("/ho-so").status_code == 403


def test_the_list_tells_dates_in_words_and_finds_by_name(officer, embedded_desk):
    late = embedded_desk.submit()
    embedded_desk.clock.set(vn(2022, 3, 7, 10))
    soon = embedded_desk.submit(procedure="1.000003")
    embedded_desk.clock.set(vn(2022, 3, 10, 9))
    told = words(officer.get("/ho-so"))
    assert told.index(late) < told.index(soon)
    assert "Quá hạn 2 ngày" in told
    assert "Hôm nay, 10:00" in told
    assert soon not in officer.get("/ho-so?xem=qua-han").text
    by_name = officer.post("/ho-so/tim", {"q": "mai nguyen"}).location
    assert late in officer.get(f"{by_name}&trang-thai=2").text
    assert late not in officer.get(officer.post("/ho-so/tim", {"q": "hòa"}).location).text
    for query in ("?tu=x&den=9999-12-31", "?trang-thai=99999", "?cursor=zzz", "?tu=0001-01-01"):
        assert officer.get(f"/ho-so{query}").status_code == 200, query
    assert officer.get("/ho-so?tim=%00").status_code == 422


def test_the_list_goes_on_over_pages(officer, embedded_desk):
    codes = {embedded_desk.submit() for _ in range(27)}
    first = officer.get("/ho-so?xem=tat-ca").text
    following = html.unescape(re.search(r'href="([^"]*cursor=[^"]*)" rel="next"', first)[1])
    second = officer.get(following).text
    met = {c for c in codes if c in first} | {c for c in codes if c in second}
    assert met == codes
    assert "Về đầu" in second


def test_the_dossier_page_offers_what_is_allowed_and_does_it(officer, embedded_desk):
    code = embedded_desk.submit(channel="online")
    path = f"/ho-so/{code}"
    page = words(officer.get(path))
    assert "Tiếp nhận và in giấy hẹn" in page
    assert "Ghi nhận đã trả kết quả" not in page
    asked = {"items": "Tờ khai có ký\n\nẢnh", "reason": "chưa ký", "respond_by": "03/13/2022"}
    wrong = officer.post(f"{path}/request-supplement", asked)
    assert wrong.status_code == 422
    assert "Không có tháng 13" in words(wrong)
    assert 'value="03/13/2022"' in wrong.text
    asked["respond_by"] = "09032022"
    assert officer.post(f"{path}/request-supplement", asked).status_code == 303
    page = words(officer.get(path))
    assert "yêu cầu bổ sung (lần 1)" in page
    assert "trả lời trước 17:00 ngày 09/03/2022" in page
    brought = {"round": "1", "p.to-khai.original": "1", "f.full_name": "Nguyễn Thị Mai"}
    assert officer.post(f"{path}/supplement", brought).status_code == 303
    counted = {"p.to-khai.original": "1", "p.giay-to.copy": "1"}
    received = officer.post(f"{path}/receive", counted)
    assert received.location.endswith("/giay-hen")
    assert embedded_desk.dossier(code).received_at is not None
    embedded_desk.started(code)
    embedded_desk.resolved(code)
    assert officer.post(f"{path}/return-result", {"method": "online"}).status_code == 303
    page = words(officer.get(path))
    assert "Trả kết quả điện tử" in page
    assert "Việc có thể làm" not in page


def test_an_act_that_fails_says_why_and_keeps_what_was_typed(officer, embedded_desk):
    code = embedded_desk.submit(channel="online")
    officer.get(f"/ho-so/{code}")
    answer = officer.post(f"/ho-so/{code}/refuse", {"reason": "Sai nơi nộp", "next_step": ""})
    assert answer.status_code == 422
    assert "Sai nơi nộp" in answer.text
    late = officer.post(f"/ho-so/{code}/return-result", {"method": "desk"})
    assert late.status_code == 409
    assert "Lúc này được phép" in words(late)
    assert officer.post(f"/ho-so/{code}/fly", {}).status_code == 404


def test_a_payment_is_taken_down_on_the_page(officer, embedded_desk):
    code = embedded_desk.submit(procedure="1.000002")
    embedded_desk.started(code)
    embedded_desk.hear(
        PaymentRequested(
            dossier=code,
            step="pay",
            agency=AGENCY,
            amount_vnd=1_250_000,
            reference="TB-1",
            requested_at=embedded_desk.clock.now(),
        )
    )
    assert "1.250.000 đồng" in words(officer.get(f"/ho-so/{code}"))
    wrong = officer.post(f"/ho-so/{code}/payment", {"amount_vnd": "1 tỷ", "proof": "BL"})
    assert wrong.status_code == 422
    paid = {"amount_vnd": "1.250.000", "proof": "BL-9", "step": "pay"}
    assert officer.post(f"/ho-so/{code}/payment", paid).status_code == 303
    assert "đã nộp tiền" in words(officer.get(f"/ho-so/{code}"))


def test_a_contact_is_mended_on_the_page(officer, embedded_desk):
    code = embedded_desk.submit()
    page = officer.get(f"/ho-so/{code}")
    assert 'value="0907 123 456"' in page.text
    mended = {"c.name": "Nguyễn Thị Mai", "c.phone": "0911 222 333", "c.sms": "1"}
    assert officer.post(f"/ho-so/{code}/contact", mended).status_code == 303
    assert "0911 222 333" in words(officer.get(f"/ho-so/{code}"))


def test_the_report_page_shows_the_month(officer, embedded_desk):
    embedded_desk.submit()
    page = words(officer.get("/bao-cao?thang=2022-03"))
    assert "tháng 03/2022" in page
    assert "Thử nghiệm 1 0 1 0" in page
    for typed in ("3/2022", "032022"):
        assert "tháng 03/2022" in words(officer.get(f"/bao-cao?thang={typed}"))
    wrong = officer.get("/bao-cao?thang=13/2022")
    assert "Không đọc được tháng này" in words(wrong)
    assert 'value="13/2022"' in wrong.text


@pytest.mark.slow
def test_every_procedure_of_the_city_can_be_filed_on_its_page(embedded):
    """Every office's every procedure: its form renders, takes plausible values, and is filed."""
    from shared.catalogue import load
    from shared.settings import PROJECT
    from tests.intake.rig import Desk

    desk = Desk(embedded, load(PROJECT / "catalogue"))
    known = desk.web.extensions["lienthong.intake"]
    filed = set()
    for office in ("ubnd-phuong-1", "mot-cua-thanh-pho"):
        officer = Browser(desk, ("officer", office), login=office)
        for procedure in known.procedures_of(office):
            page = officer.get(f"/ho-so/moi/{procedure.code}")
            assert page.status_code == 200, procedure.code
            typed = plausible(procedure)
            answer = officer.post(f"/ho-so/moi/{procedure.code}", typed)
            if answer.status_code == 409:  # the same people as on the form before
                marks = re.findall(r'name="seen" value="([^"]+)"', answer.text)
                answer = officer.post(f"/ho-so/moi/{procedure.code}", {**typed, "seen": marks})
            assert answer.status_code == 303, (procedure.code, words(answer))
            receipt = words(officer.get(answer.location))
            assert procedure.name in receipt
            assert officer.get(answer.location.removesuffix("/giay-hen")).status_code == 200
            filed.add(procedure.code)
    assert filed >= {p.code for p in known.catalogue.procedures(known.today())}
    desk.close()


def plausible(procedure):
    values = {
        "date": "2022-02-20",
        "id_number": "087190001234",
        "phone": "0907123456",
        "number": "2",
        "bool": "1",
        "text": "An",
        "name": "An",
    }
    typed = {"channel": procedure.channels[0], "c.name": "Nguyễn Thị Mai"}
    for field in procedure.form:
        typed[f"f.{field.name}"] = field.choices[0] if field.choices else values[field.type]
        if field.type == "number" and field.least:
            typed[f"f.{field.name}"] = str(int(max(field.least, 2)))
        if field.not_before == 0:
            typed[f"f.{field.name}"] = "2026-12-31"
    for paper in procedure.papers:
        typed[f"p.{paper.code}.original"] = str(paper.original)
        typed[f"p.{paper.code}.copy"] = str(paper.copy)
    return typed | {"branches": [b.code for b in procedure.branches]}


# --- the citizen ------------------------------------------------------------------------------


def look(desk, code, word, browser=None):
    browser = browser or Browser(desk)
    browser.get("/tra-cuu")
    return browser.post("/tra-cuu", {"code": code, "word": word})


def test_a_citizen_sees_status_dates_and_what_to_do_and_nothing_personal(embedded_desk):
    code = embedded_desk.submit()
    word = embedded_desk.dossier(code).lookup_word
    answer = look(embedded_desk, f" {code.lower()} ".replace("-", "–"), f" {word.lower()} ")
    assert answer.status_code == 200
    told = words(answer)
    assert "Được tiếp nhận" in told
    assert "Bạn chưa cần làm gì; hẹn trả kết quả 09:00 ngày 08/03/2022" in told
    for private in ("Mai", "907", "example.com", "1990", "04/05"):
        assert private not in told
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("status", ["online", "supplement", "resolved", "stopped", "withdrawn"])
def test_in_each_status_the_citizen_is_told_what_to_do_next(embedded_desk, status):
    code = embedded_desk.submit(channel="online" if status == "online" else "direct")
    if status not in ("online", "withdrawn"):
        embedded_desk.started(code)
    if status == "supplement":
        embedded_desk.asked_for_papers(code, step=None)
    elif status == "resolved":
        embedded_desk.resolved(code)
    elif status == "stopped":
        embedded_desk.hear(
            DossierStopped(
                dossier=code,
                reason="không đủ điều kiện",
                next_step="Nộp lại ở huyện",
                stopped_at=embedded_desk.clock.now(),
            )
        )
    elif status == "withdrawn":
        with embedded_desk.store.begin() as uow:
            verbs.withdraw(uow, CATALOGUE, OFFICE.code, code, reason="đổi ý")
    expected = {
        "online": "đang kiểm tra hồ sơ",
        "supplement": "Giấy chứng sinh",
        "resolved": "nhận kết quả, mang theo giấy hẹn",
        "stopped": "Nộp lại ở huyện",
        "withdrawn": "Hồ sơ đã kết thúc",
    }[status]
    answer = look(embedded_desk, code, embedded_desk.dossier(code).lookup_word)
    assert expected in words(answer)
    assert OFFICE.hotline in answer.text


def test_an_event_that_no_version_of_ours_can_read_is_named_by_its_type_and_breaks_no_page(
    officer, embedded_desk
):
    desk = embedded_desk
    code = desk.submit()
    desk.started(code)
    torn = Envelope(
        id="torn",
        source=names.ROUTING_STEPS,
        type=kind_of(StepOpened).type,
        subject=code,
        time=desk.clock.now(),
        data=Data(b'{"dossier":"of another time"}'),
        sequence=1,
    )
    desk.publish(torn, "steps.step.opened")
    items = desk.http("GET", f"/dossiers/{code}/timeline").get_json()["items"]
    assert (items[-1]["type"], items[-1]["title"]) == ("step.opened", "step.opened")
    assert "step.opened" in words(officer.get(f"/ho-so/{code}"))
    assert "đang chuyển bước tiếp theo" in words(look(desk, code, desk.dossier(code).lookup_word))


def test_a_wrong_word_and_a_code_that_is_not_there_get_the_same_answer(embedded_desk):
    code = embedded_desk.submit()
    answers = [
        look(embedded_desk, code, "AAAAAA"),
        look(embedded_desk, code, ""),
        look(embedded_desk, code[:-4] + "9999", "AAAAAA"),
        look(embedded_desk, "x\0' OR 1=1 --", "??????"),
    ]
    assert {a.status_code for a in answers} == {404}
    told = {words(a) for a in answers}
    assert len(told) == 1


def test_the_front_page_is_the_citizens_and_leads_officers_to_their_list(officer, embedded_desk):
    assert "Tra cứu hồ sơ" in words(Browser(embedded_desk).get("/"))
    assert officer.get("/").location == "/ho-so"
