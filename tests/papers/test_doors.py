"""The desk's papers at their addresses: where they are offered, who gets them, what is noted."""

from __future__ import annotations

import html
import re

import pytest
import sqlalchemy as sa

from services.intake.usecases import desk as verbs
from services.intake.web.pages import papers
from shared.events.routing import DossierExtended, DossierStopped
from shared.identity.audit.tables import LOG
from shared.web.server import WebServer, serving
from tests.browser import SCREENS, is_sound, opened_page
from tests.intake.made import NOW, OFFICE, OTHER_OFFICE, vn
from tests.intake.rig import AGENCY
from tests.intake.test_browser import sign_in
from tests.intake.test_pages import Browser, words

SLUGS = ("giay-hen", "phieu-bo-sung", "phieu-tu-choi", "thong-bao-dung", "phieu-xin-loi",
         "phieu-kiem-soat")  # fmt: skip
FILLED = {
    "channel": "direct",
    "branches": "main",
    "f.full_name": "Nguyễn Thị Mai",
    "f.birth_date": "1990-05-04",
    "p.to-khai.original": "1",
    "p.giay-to.copy": "1",
    "c.name": "Nguyễn Thị Mai",
    "c.phone": "0907 123 456",
    "c.sms": "1",
    "c.address": "12 Nguyễn Huệ,\u00a0 Phường 1",
    "token": "t-1",
}


@pytest.fixture
def officer(embedded_desk):
    return Browser(embedded_desk, ("officer", OFFICE.code))


def offered(officer, code) -> list[str]:
    """The papers that the dossier's page leads to."""
    page = officer.get(f"/ho-so/{code}").text
    nav = re.search(r'aria-label="Giấy để in">(.*?)</nav>', page, re.DOTALL)[1]
    return [html.unescape(path) for path in re.findall(r'href="([^"]+)"', nav)]


def refuse(desk, code):
    desk.do(verbs.refuse, OFFICE.code, code, reason="Sai nơi nộp", next_step="Nộp ở Phường 2")


def test_each_paper_is_offered_where_it_applies_and_nowhere_else(officer, embedded_desk):
    desk = embedded_desk
    waiting, refused = desk.submit(channel="online"), desk.submit(channel="online")
    desk.do(
        verbs.request_supplement,
        OFFICE.code,
        waiting,
        items=["Ảnh"],
        reason="thiếu",
        respond_by=None,
    )
    refuse(desk, refused)
    received, stopped = desk.submit(), desk.submit()
    desk.hear(
        DossierExtended(
            dossier=received, agency=AGENCY, reason="Mưa", promised_at=vn(2022, 3, 8, 9),
            due_at=vn(2022, 3, 15, 9), extended_at=NOW, number=1,
        )
    )  # fmt: skip
    desk.hear(
        DossierStopped(dossier=stopped, reason="Tranh chấp", next_step="Chờ tòa", stopped_at=NOW)
    )
    expected = {
        waiting: {"giay-hen", "phieu-bo-sung"},
        refused: {"giay-hen", "phieu-tu-choi"},
        received: {"giay-hen", "phieu-xin-loi", "phieu-kiem-soat"},
        stopped: {"giay-hen", "thong-bao-dung", "phieu-kiem-soat"},
    }
    for code, slugs in expected.items():
        links = offered(officer, code)
        assert {path.partition("?")[0].rpartition("/")[2] for path in links} == slugs
        for path in links:
            assert officer.get(path).status_code == 200, path
        for slug in SLUGS:
            for end in ("", ".pdf"):
                answer = officer.get(f"/ho-so/{code}/{slug}{end}")
                assert answer.status_code == (200 if slug in slugs else 409), slug
                if slug not in slugs:
                    assert "ồ sơ" in words(answer), "says why"
                elif end:
                    assert answer.mimetype == "application/pdf"
                    assert answer.data.startswith(b"%PDF-")
                    assert answer.headers["Cache-Control"] == "no-store"


def test_another_offices_paper_is_not_there_and_a_stranger_signs_in_first(embedded_desk):
    code = embedded_desk.submit()
    stranger = Browser(embedded_desk, ("officer", OTHER_OFFICE.code))
    for slug in SLUGS:
        for end in ("", ".pdf"):
            assert stranger.get(f"/ho-so/{code}/{slug}{end}").status_code == 404, slug
    nobody = embedded_desk.web.test_client()
    for path in (f"/ho-so/{code}/giay-hen.pdf", "/so-theo-doi", "/so-theo-doi.pdf"):
        assert nobody.get(path, headers={"Accept": "text/html"}).status_code == 303, path


def test_filing_leads_to_a_receipt_that_prints_by_itself_once(officer, embedded_desk):
    officer.get("/ho-so/moi/1.000001")
    answer = officer.post("/ho-so/moi/1.000001", FILLED)
    receipt = officer.get(answer.location)
    assert "data-print-now" in receipt.text
    assert "12 Nguyễn Huệ, Phường 1" in words(receipt)
    assert "data-print-now" not in officer.get(answer.location).text, "not when it is read again"
    code = answer.location.split("/")[-2]
    assert embedded_desk.dossier(code).contact.address == "12 Nguyễn Huệ, Phường 1"


def test_a_refusal_leads_to_its_paper_with_reason_and_next_step(officer, embedded_desk):
    code = embedded_desk.submit(channel="online")
    officer.get(f"/ho-so/{code}")
    told = {"reason": "Sai nơi nộp", "next_step": "Nộp ở Phường 2"}
    answer = officer.post(f"/ho-so/{code}/refuse", told | {"sure": "1"})
    assert answer.location.endswith("/phieu-tu-choi")
    paper = officer.get(answer.location)
    assert "data-print-now" in paper.text
    assert "Lý do Sai nơi nộp Ông/Bà làm gì tiếp Nộp ở Phường 2" in words(paper)


def test_every_print_is_noted_as_a_look(officer, embedded_desk):
    code = embedded_desk.submit()
    for path in (f"/ho-so/{code}/giay-hen", f"/ho-so/{code}/giay-hen.pdf?kho=80",
                 "/so-theo-doi", "/so-theo-doi.pdf"):  # fmt: skip
        assert officer.get(path).status_code == 200
    for loop in embedded_desk.service.beside:
        loop.close()
    with embedded_desk.store.read() as connection:
        noted = connection.execute(sa.select(LOG.c.act, LOG.c.things).order_by(LOG.c.position))
        looked = [row.act for row in noted if row.things == code and row.act.startswith("GET")]
    assert looked == [
        "GET /ho-so/<string:code>/giay-hen",
        "GET /ho-so/<string:code>/giay-hen.pdf",
        "GET /so-theo-doi",
        "GET /so-theo-doi.pdf",
    ]


def test_the_register_has_the_day_of_the_office_in_its_order(desk, monkeypatch):
    monkeypatch.setattr(papers, "ROWS", 2)
    before = desk.submit()
    desk.clock.set(vn(2022, 3, 2, 0, 0))
    codes = [desk.submit()]
    desk.submit(channel="online")  # not received
    desk.clock.set(vn(2022, 3, 2, 23, 59))
    codes += [desk.submit(), desk.submit()]
    desk.clock.set(vn(2022, 3, 3, 0, 0))
    after = desk.submit()
    officer = Browser(desk, ("officer", OFFICE.code))
    first, second = (
        words(officer.get(f"/so-theo-doi?ngay=2022-03-02&phan={part}")) for part in (1, 2)
    )
    assert "Số hồ sơ 3 (trong sổ này: 1-2)" in first
    assert [first.index(code) for code in codes[:2]] == sorted(first.index(c) for c in codes[:2])
    assert codes[2] in second
    assert f"3 {codes[2]}" in second, "numbered on"
    assert before not in first + second
    assert after not in first + second
    assert (
        Browser(desk, ("officer", OTHER_OFFICE.code))
        .get("/so-theo-doi?ngay=2022-03-02")
        .text.count(codes[0])
        == 0
    )


@pytest.mark.parametrize(
    "query",
    ["ngay=x", "ngay=9999-12-31", "ngay=0001-01-01", "phan=-1", "phan=99999", "phan=0", "phan=٣",
     "ngay=2/3/2022"],
)  # fmt: skip
def test_an_odd_day_or_part_breaks_no_register(officer, query):
    for path in ("/so-theo-doi", "/so-theo-doi.pdf"):
        assert officer.get(f"{path}?{query}").status_code == 200


@pytest.mark.parametrize(
    "query", ["lan=x", "lan=-1", "lan=", "lan=٢", "kho=81", "kho=80&lan=99999"]
)
def test_an_odd_number_or_sheet_breaks_no_paper(officer, embedded_desk, query):
    code = embedded_desk.submit()
    assert officer.get(f"/ho-so/{code}/giay-hen?{query}").status_code == 200
    assert officer.get(f"/ho-so/{code}/giay-hen.pdf?{query}").status_code == 200
    assert officer.get(f"/ho-so/{code}/phieu-bo-sung?{query}").status_code == 409


def test_no_address_holds_a_person_or_the_word(officer, embedded_desk):
    code = embedded_desk.submit()
    word = embedded_desk.dossier(code).lookup_word
    page = officer.get(f"/ho-so/{code}/giay-hen")
    for address in re.findall(r'(?:href|src|action)="([^"]+)"', page.text):
        assert word not in address
        assert "Nguy" not in address
    pdf = officer.get(f"/ho-so/{code}/giay-hen.pdf")
    assert "Nguy" not in pdf.headers["Content-Disposition"]


def test_an_address_is_kept_by_every_door_and_emptied_by_the_desk(officer, embedded_desk):
    code = embedded_desk.submit()
    body = {"name": "Mai", "address": "Số 5 đường Thử"}
    answer = embedded_desk.http("POST", f"/dossiers/{code}/contact", body)
    assert answer.status_code == 200, answer.text
    told = embedded_desk.http("GET", f"/dossiers/{code}").get_json()
    assert told["contact"]["address"] == "Số 5 đường Thử"
    page = officer.get(f"/ho-so/{code}")
    assert 'value="Số 5 đường Thử"' in page.text
    wrong = officer.post(f"/ho-so/{code}/contact", {"c.name": "Mai", "c.address": "x" * 301})
    assert wrong.status_code == 422
    assert "Địa chỉ : Dài 301 ký tự, tối đa 300." in words(wrong)
    assert officer.post(f"/ho-so/{code}/contact", {"c.name": "Mai"}).status_code == 303
    assert embedded_desk.dossier(code).contact.address is None
    given = [each for each in embedded_desk.said(code) if b"contact.given" in each.type.encode()]
    assert given
    assert not any("đường Thử" in str(each.event()) for each in given), "for the papers alone"


# --- in a browser -------------------------------------------------------------------------------


@pytest.fixture
def site(embedded_desk):
    server = WebServer(embedded_desk.web)
    with serving(server):
        yield server.url


@pytest.fixture(params=SCREENS)
def page(browser, request):
    with opened_page(browser, request.param) as opened:
        opened.add_init_script("window.prints = 0; window.print = () => { window.prints += 1; };")
        yield opened


@pytest.mark.browser
def test_filing_prints_once_and_every_paper_is_sound(page, site, embedded_desk):
    sign_in(page, site, embedded_desk)
    page.goto(f"{site}/ho-so/moi/1.000001")
    for name in ("f.full_name", "c.name"):
        page.locator(f"[name='{name}']").fill("Nguyễn Thị Mai")
    page.locator("[name='c.address']").fill("12 Nguyễn Huệ, Phường 1")
    page.locator("[name='f.birth_date']").fill("1990-05-04")
    page.locator("[name='p.to-khai.original']").fill("1")
    page.locator("[name='p.giay-to.copy']").fill("1")
    page.get_by_role("button", name="Nộp và in giấy hẹn").click()
    page.wait_for_url("**/giay-hen")
    page.wait_for_function("window.prints === 1")
    is_sound(page)
    page.reload()
    page.evaluate("document.fonts.ready")
    assert page.evaluate("window.prints") == 0
    page.get_by_role("button", name="In giấy").click()
    assert page.evaluate("window.prints") == 1
    page.get_by_role("link", name="Khổ 80 mm").click()
    is_sound(page)
    page.get_by_role("link", name="Xem hồ sơ").click()
    page.get_by_role("link", name="Phiếu kiểm soát").click()
    is_sound(page)
    page.goto(f"{site}/so-theo-doi")
    is_sound(page)
    code = embedded_desk.submit(channel="online")
    refuse(embedded_desk, code)
    page.goto(f"{site}/ho-so/{code}/phieu-tu-choi")
    is_sound(page)
    page.goto(f"{site}/ho-so/{code}/phieu-xin-loi")
    is_sound(page)


@pytest.mark.browser
@pytest.mark.parametrize("slip", [False, True], ids=["A4", "80 mm"])
def test_the_longest_receipt_fits_the_screen_and_the_code_one_line(page, site, embedded_desk, slip):
    from dataclasses import replace

    from tests.intake.made import CONTACT

    contact = replace(CONTACT, name="W" * 196, address="Ố" * 300)
    code = embedded_desk.submit(contact=contact)
    sign_in(page, site, embedded_desk)
    page.goto(f"{site}/ho-so/{code}/giay-hen{'?kho=80' if slip else ''}")
    is_sound(page)
    height, line = page.locator(".receipt .code").evaluate(
        "e => [e.getBoundingClientRect().height, parseFloat(getComputedStyle(e).lineHeight)]"
    )
    assert height < 1.5 * line


@pytest.mark.browser
def test_the_square_of_a_paper_fills_in_the_code_and_no_more(page, site, embedded_desk):
    code = embedded_desk.submit()
    page.goto(f"{site}/tra-cuu#{code}")
    assert page.get_by_label("Mã hồ sơ").input_value() == code
    assert page.get_by_label("Từ tra cứu").input_value() == ""
    is_sound(page)
    for odd in ("#", "#%", "#<b>x</b>", "#%E0%A4%A", "#" + "x" * 99, "#noi-dung"):
        page.goto("about:blank")
        page.goto(f"{site}/tra-cuu{odd}")
        assert page.get_by_label("Mã hồ sơ").input_value() == ""
        assert page.complaints == []
