"""Citizens read their pages in Vietnamese or English, as they choose; officers' stay Vietnamese."""

from __future__ import annotations

import html
import re

import pytest

from services.intake.usecases import desk as verbs
from shared.events.routing import PaymentRequested
from tests.intake.made import CATALOGUE, OFFICE, PROCEDURE
from tests.intake.rig import AGENCY
from tests.intake.test_pages import Browser, words

LETTERS = re.compile("[À-ỹĐđ]")
NAMES = sorted(
    {OFFICE.name, AGENCY.name, PROCEDURE.name, *(step.name for step in PROCEDURE.steps)},
    key=len,
    reverse=True,
)


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


def vietnamese_of(answer):
    """What a page says in Vietnamese beside names, and what is marked as such."""
    body = re.sub(r'<(\w+)[^>]* lang="vi"[^>]*>.*?</\1>', " ", answer.text, flags=re.DOTALL)
    told = html.unescape(re.sub(r"<[^>]+>", "\n", body.partition("</head>")[2]))
    shown = html.unescape(" ".join(re.findall(r'(?:title|aria-label|alt)="([^"]*)"', body)))
    for name in NAMES:
        told = told.replace(name, "")
    return [line.strip() for line in f"{told}\n{shown}".splitlines() if LETTERS.search(line)]


def test_the_first_visit_is_in_the_language_that_the_browser_asks_for(embedded_desk):
    english = Reader(embedded_desk).get("/tra-cuu")
    assert '<html lang="en"' in english.text
    assert "Look up your application" in english.text
    assert vietnamese_of(english) == ["Liên Thông"]
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
    typed = {"Liên Thông", "Giấy chứng sinh", "Reason: mờ"}
    assert {each for each in vietnamese_of(answer) if each not in typed} == set()


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
    assert (lost.status_code, vietnamese_of(lost)) == (404, ["Liên Thông"])
    stale = reader.post("/tra-cuu", {"code": "x", "word": "y"}, token="old")
    assert (stale.status_code, vietnamese_of(stale)) == (400, ["Liên Thông"])
    for _ in range(40):
        answer = reader.post("/tra-cuu", {"code": "H20-1", "word": "AAAAAA"})
    assert (answer.status_code, vietnamese_of(answer)) == (429, ["Liên Thông"])
    assert "Too many requests; wait" in words(answer)
    crooked = reader.get("//elsewhere.example/x")
    assert 'href="//elsewhere' not in crooked.text


def test_officers_pages_stay_vietnamese_whatever_was_chosen(embedded_desk):
    officer = Browser(embedded_desk, ("officer", OFFICE.code))
    officer.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    for path in ("/ho-so", "/ho-so/moi", "/tai-khoan", "/khong-co", "/tra-cuu"):
        page = officer.get(f"{path}?lang=en" if path != "/tra-cuu" else path)
        assert '<html lang="vi"' in page.text, path
        assert "language" not in str(page.headers)
    assert "English" not in officer.get("/ho-so").text
    assert '<html lang="vi"' in Reader(embedded_desk).get("/dang-nhap").text
    assert '<html lang="en"' in officer.get("/tra-cuu?lang=en").text  # shown to a citizen who asks


def test_what_programs_read_does_not_turn_with_the_language(embedded_desk):
    code = embedded_desk.submit()
    timeline = embedded_desk.http("GET", f"/dossiers/{code}/timeline?lang=en")
    assert "Tiếp nhận hồ sơ" in timeline.get_json()["items"][0]["title"]
    assert CATALOGUE.agency(OFFICE.code).name == OFFICE.name
