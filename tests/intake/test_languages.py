"""People read their pages in Vietnamese or English, as they choose; papers of state stay Vietnamese."""

from __future__ import annotations

import pytest

from services.intake.usecases import desk as verbs
from services.intake.web.pages.listing import LISTS
from shared.events.routing import PaymentRequested
from tests.english import LETTERS, vietnamese_of
from tests.intake.made import CATALOGUE, OFFICE, PROCEDURE, TODAY
from tests.intake.rig import AGENCY
from tests.intake.test_pages import Browser, words

NAMES = {OFFICE.name, AGENCY.name, PROCEDURE.name, *(step.name for step in PROCEDURE.steps)}


#: What people have typed, and what is called by its own name.
TYPED = (
    "Nguyễn Thị Hoa", "Nguyễn Thị Mai", "Giấy chứng sinh", "mờ",
)  # fmt: skip


def of_catalogue():
    """What stands in the catalogue in Vietnamese: names and addresses of places, fields, papers."""
    return {
        text
        for text in strings_of((CATALOGUE.agencies(TODAY), CATALOGUE.procedures(TODAY)))
        if LETTERS.search(text)
    }


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list | frozenset):
        for each in value:
            yield from strings_of(each)
    elif hasattr(value, "__struct_fields__") or hasattr(value, "__dataclass_fields__"):
        for name in getattr(value, "__struct_fields__", None) or value.__dataclass_fields__:
            yield from strings_of(getattr(value, name))


class Reader(Browser):
    """A citizen whose browser asks for a language."""

    def __init__(self, desk, wants="en-GB,en;q=0.8"):
        self.wants = wants
        super().__init__(desk)

    def get(self, path):
        self.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = self.wants
        return super().get(path)

    def look(self, desk, code, query=""):
        sent = {"code": code, "word": desk.dossier(code).lookup_word}
        return self.post(f"/tra-cuu{query}", sent)


def test_the_first_visit_is_in_the_language_that_the_browser_asks_for(embedded_desk):
    english = Reader(embedded_desk).get("/tra-cuu")
    assert '<html lang="en"' in english.text
    assert "Look up your application" in english.text
    assert vietnamese_of(english.text, NAMES) == []
    for wants in ("vi", "vi-VN,en;q=0.5", "fr", "*", "", "en;q=x,,", "en;q=0"):
        shown = Reader(embedded_desk, wants).get("/tra-cuu").text
        assert '<html lang="vi"' in shown, wants


def test_who_chose_a_language_keeps_it_and_nothing_else_is_remembered(embedded_desk):
    reader = Reader(embedded_desk, "vi")
    page = reader.get("/tra-cuu")
    assert 'href="/tra-cuu?lang=en" lang="en" hreflang="en">English</a>' in page.text
    chosen = reader.get("/tra-cuu?lang=en")
    (cookie,) = (each for each in chosen.headers.getlist("Set-Cookie") if "language" in each)
    assert cookie.startswith("lienthong-language=en;")
    assert {"HttpOnly", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Look up" in reader.get("/").text
    assert "Tra cứu hồ sơ" in reader.get("/tra-cuu?lang=vi").text
    assert "Tra cứu hồ sơ" in reader.get("/").text
    for odd in ("", "xx", "vi,en", "../en"):
        answer = reader.get(f"/tra-cuu?lang={odd}")
        assert (answer.status_code, "language" in str(answer.headers)) == (200, False)


@pytest.mark.parametrize(
    "status", ["online", "received", "papers", "payment", "resolved", "withdrawn"]
)
def test_whatever_has_happened_is_told_in_english(embedded_desk, status):
    desk = embedded_desk
    code = desk.submit(channel="online" if status == "online" else "direct")
    if status not in ("online", "received"):
        desk.started(code)
    if status == "papers":
        desk.asked_for_papers(code)
    elif status == "payment":
        asked = PaymentRequested(
            dossier=code, step="pay", agency=AGENCY, amount_vnd=1_250_000,
            reference="TB-1", requested_at=desk.clock.now(),
        )  # fmt: skip
        desk.hear(asked)
    elif status == "resolved":
        desk.resolved(code)
    elif status == "withdrawn":
        desk.do(verbs.withdraw, OFFICE.code, code, reason="moved away")
    answer = Reader(desk).look(desk, code)
    assert answer.status_code == 200
    said = {
        "online": "is checking your application. You need not do anything yet. For any question",
        "received": "the result is promised for 09:00 on 08/03/2022",
        "papers": "asks for more papers",
        "payment": "1,250,000 VND, notice no. TB-1",
        "resolved": "Please come to",
        "withdrawn": "Withdrawn by the citizen",
    }[status]
    assert said in words(answer)
    assert vietnamese_of(answer.text, {*NAMES, "Giấy chứng sinh", "mờ"}) == []


def test_a_dossier_that_is_shown_can_be_read_in_the_other_language_without_typing_it_again(
    embedded_desk,
):
    code = embedded_desk.submit()
    reader = Reader(embedded_desk, "vi")
    shown = reader.look(embedded_desk, code)
    assert '<form method="post" action="/tra-cuu?lang=en">' in shown.text
    word = embedded_desk.dossier(code).lookup_word
    assert (
        f'name="word" value="{word}"><button type="submit" class="plain" lang="en">' in shown.text
    )
    assert "What you need to do" in reader.look(embedded_desk, code, "?lang=en").text
    missed = reader.post("/tra-cuu", {"code": "H20-1", "word": "AAAAAA"})
    assert (missed.status_code, "No dossier has this code" in words(missed)) == (404, True)
    again = reader.post("/tra-cuu?lang=vi", {"code": "H20-1"})
    assert (again.status_code, 'value="H20-1"' in again.text) == (200, True)
    assert "Không có hồ sơ" not in again.text, "nothing was looked up"


def test_faults_of_citizens_pages_are_in_their_language(embedded_desk):
    reader = Reader(embedded_desk)
    lost = reader.get("/khong-co")
    assert (lost.status_code, vietnamese_of(lost.text)) == (404, [])
    stale = reader.post("/tra-cuu", {"code": "x", "word": "y"}, token="old")
    assert (stale.status_code, vietnamese_of(stale.text)) == (400, [])
    for _ in range(40):
        answer = reader.post("/tra-cuu", {"code": "H20-1", "word": "AAAAAA"})
    assert (answer.status_code, vietnamese_of(answer.text)) == (429, [])
    assert "Too many requests; wait" in words(answer)
    crooked = reader.get("//elsewhere.example/x")
    assert 'href="//elsewhere' not in crooked.text


def test_officers_read_vietnamese_whatever_the_browser_asks_until_they_choose(embedded_desk):
    officer = Browser(embedded_desk, ("officer", OFFICE.code))
    officer.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    for path in ("/ho-so", "/ho-so/moi", "/tai-khoan", "/khong-co", "/tra-cuu"):
        page = officer.get(path)
        assert '<html lang="vi"' in page.text, path
        assert ">English</a>" in page.text, path
        assert "language" not in str(page.headers)
    assert '<html lang="vi"' in Reader(embedded_desk).get("/dang-nhap").text
    assert 'href="/ho-so?xem=can-goi&amp;lang=en"' in officer.get("/ho-so?xem=can-goi").text
    assert '<html lang="en"' in officer.get("/ho-so?lang=en").text
    for path in ("/ho-so/moi", "/khong-co", "/tra-cuu"):
        assert '<html lang="en"' in officer.get(path).text, path


def officers(desk):
    """An officer who reads English."""
    officer = Browser(desk, ("head", OFFICE.code))
    officer.get("/ho-so?lang=en")
    return officer


def test_no_page_of_the_desk_in_english_holds_vietnamese(embedded_desk):
    desk = embedded_desk
    code, checked = desk.submit(), desk.submit(channel="online")
    desk.started(code)
    desk.asked_for_papers(code)
    officer = officers(desk)
    lists = [f"/ho-so?xem={name}" for name in LISTS]
    papers = [f"/ho-so/{code}/{end}" for end in ("giay-hen", "phieu-bo-sung", "phieu-kiem-soat")]
    for path in (
        "/ho-so", *lists, "/ho-so/moi", f"/ho-so/moi/{PROCEDURE.code}", f"/ho-so/{code}", f"/ho-so/{checked}",
        f"/ho-so/{code}/sua", *papers, "/ho-so/cho-gui", "/ho-so/cho-gui/giay", "/ho-so/ban-nhap",
        "/ho-so/nhap-tep", "/tai-khoan", "/can-bo", "/bao-cao", "/khong-co",
    ):  # fmt: skip
        page = officer.get(path)
        assert '<html lang="en"' in page.text, path
        shown = (
            page.text.partition("</title>")[2] if path in papers else page.text
        )  # it is the paper's
        assert vietnamese_of(shown, {*NAMES, *TYPED, *of_catalogue()}) == [], path


def test_a_paper_of_state_is_the_same_whoever_prints_it(embedded_desk):
    code = embedded_desk.submit()
    vietnamese, english = Browser(embedded_desk, ("officer", OFFICE.code)), officers(embedded_desk)
    for end in ("giay-hen", "phieu-kiem-soat"):
        path = f"/ho-so/{code}/{end}"
        sheets = [sheet_of(who.get(path).text) for who in (vietnamese, english)]
        assert sheets[0] == sheets[1]
        assert "Cộng hòa xã hội chủ nghĩa Việt Nam" in sheets[0]
        assert "Print" in words(english.get(path))
    pdfs = [who.get(f"/ho-so/{code}/giay-hen.pdf").data for who in (vietnamese, english)]
    assert pdfs[0] == pdfs[1]


def sheet_of(page):
    return page.partition('<div class="card receipt sheet')[2].partition('class="signatures"')[0]


def test_faults_of_officers_are_in_their_language_and_nothing_typed_is_lost(embedded_desk):
    officer = officers(embedded_desk)
    answer = officer.post(f"/ho-so/moi/{PROCEDURE.code}", {"c.name": "Mai"})
    assert answer.status_code == 422
    assert "is required" in words(answer).lower()
    assert 'value="Mai"' in answer.text
    assert vietnamese_of(answer.text, {*NAMES, *TYPED, *of_catalogue()}) == []
    assert "lang=vi" not in answer.text, "the link would lose what is typed"


def test_what_programs_read_does_not_turn_with_the_language(embedded_desk):
    code = embedded_desk.submit()
    timeline = embedded_desk.http("GET", f"/dossiers/{code}/timeline?lang=en")
    assert "Tiếp nhận hồ sơ" in timeline.get_json()["items"][0]["title"]
    assert CATALOGUE.agency(OFFICE.code).name == OFFICE.name
