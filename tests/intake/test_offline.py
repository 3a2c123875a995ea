"""What a desk took in while its line was away: filed once, found by its slip, nobody else's to send."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.intake.domain.slips import numbered, read_number, read_slip
from services.intake.storage.tables import answers, slips
from services.intake.web.pages.blank import ASKED
from shared.events.intake import SlipGiven
from shared.kernel.errors import InvalidInput
from tests.intake.made import NOW, OFFICE, OTHER_OFFICE
from tests.intake.rig import Desk
from tests.intake.test_pages import FILLED, Browser, how_many, words
from tests.intake.test_similar import CITY

NUMBER = numbered("AC3KMN", 7)
TAKEN = NOW - timedelta(hours=2)
SLIP = {"o.number": NUMBER, "o.word": "K7F3QM", "o.at": str(int(TAKEN.timestamp() * 1000))}
DOOR = "/ho-so/cho-gui/1.000001"


class Officer(Browser):
    """An officer whose browser keeps forms."""

    def key(self, term="t"):
        return self.client.get(f"/ho-so/cho-gui/khoa?e={term}").json

    def send(self, **changes):
        sent = FILLED | SLIP | {"o.owner": self.key()["owner"], "csrf_token": self.token} | changes
        return self.client.post(DOOR, data=sent, headers={"Accept": "application/json"})


@pytest.fixture
def officer(desk):
    return Officer(desk, ("officer", OFFICE.code))


def kept(desk):
    with desk.store.read() as connection:
        return connection.execute(sa.select(slips)).all()


# --- the number ---------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [NUMBER, NUMBER.lower(), NUMBER.replace("-", " "), f" {NUMBER} "])
def test_a_slips_number_is_read_however_it_is_typed(typed):
    assert read_number(typed) == NUMBER


def test_one_wrong_letter_or_two_that_changed_places_are_no_slip():
    plain = NUMBER.replace("-", "")
    assert read_number(plain) == NUMBER
    for place in range(2, len(plain)):
        for other in "034679ACDEFGHJKMNPQRTUVWXY":
            wrong = plain[:place] + other + plain[place + 1 :]
            assert other == plain[place] or read_number(wrong) is None, wrong
        swapped = plain[: place - 1] + plain[place] + plain[place - 1] + plain[place + 1 :]
        assert swapped == plain or read_number(swapped) is None, swapped


@pytest.mark.parametrize("text", ["", "TT", "000.01.15.H20-220301-0001", "TT-AC3KMN-0007", "Trần"])
def test_no_other_text_is_a_slip(text):
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        (TAKEN, True),
        (NOW + timedelta(minutes=4), True),
        (NOW + timedelta(hours=1), False),
        (NOW - timedelta(days=40), False),
    ],
)
def test_a_clock_that_cannot_be_right_refuses_nobody(said, believed):
    slip = read_slip(NUMBER, "K7F3QM", str(int(said.timestamp() * 1000)), NOW)
    assert slip.taken_at == (said if believed else None)
    for nonsense in ("", "x", "-1", "9" * 15, "1e9"):
        assert read_slip(NUMBER, "K7F3QM", nonsense, NOW).taken_at is None


def test_a_number_or_word_that_no_page_of_ours_makes_is_refused():
    for number, word in ((NUMBER[:-1] + "0", "K7F3QM"), (NUMBER, "K7F3Q0"), (NUMBER, "")):
        with pytest.raises(InvalidInput):
            read_slip(number, word, "", NOW)


# --- the door -----------------------------------------------------------------------------------


def test_what_waited_is_filed_once_however_often_it_is_sent(officer, desk):
    first = officer.send()
    assert first.status_code == 201
    assert officer.send().json == first.json
    assert how_many(desk) == len(kept(desk)) == 1
    code = first.json["code"]
    dossier = desk.dossier(code)
    assert dossier.received_at == NOW  # when it reached us, whatever the desk says
    (told,) = [each for each in desk.events(code) if isinstance(each, SlipGiven)]
    assert (told.number, told.taken_at, told.sent_at) == (NUMBER, TAKEN, NOW)
    page = words(officer.get(f"/ho-so/{code}"))
    assert NUMBER in page
    assert "07:00 ngày 01/03/2022" in page
    assert NUMBER in words(officer.get(first.json["receipt"]))


def test_a_page_whose_answer_was_lost_and_then_waited_is_one_dossier_with_its_slip(officer, desk):
    assert officer.post("/ho-so/moi/1.000001", FILLED).status_code == 303
    assert kept(desk) == []
    answer = officer.send()
    assert answer.status_code == 201
    assert how_many(desk) == len(kept(desk)) == 1
    assert kept(desk)[0].dossier == answer.json["code"]
    officer.send()
    assert len(kept(desk)) == 1


def test_it_is_filed_once_also_after_its_answer_was_cleared_away(officer, desk):
    code = officer.send().json["code"]
    with desk.store.begin() as uow:
        uow.connection.execute(sa.delete(answers))
    desk.clock.advance(timedelta(days=200))
    assert officer.send().json["code"] == code
    assert how_many(desk) == 1


def test_the_same_form_with_other_words_names_the_dossier_that_is_there(officer, desk):
    code = officer.send().json["code"]
    again = officer.send(**{"f.full_name": "Trần Văn Hùng"})
    assert again.status_code == 409
    assert code in again.json["faults"][0]
    assert how_many(desk) == 1


def test_faults_are_told_with_the_words_of_their_inputs(officer, desk):
    wrong = officer.send(**{"f.birth_date": "", "p.giay-to.copy": ""})
    assert wrong.status_code == 422
    assert any(each.startswith("Ngày sinh: ") for each in wrong.json["faults"])
    assert any(each.startswith("Giấy tờ tùy thân: ") for each in wrong.json["faults"])
    assert how_many(desk) == 0
    assert officer.send().status_code == 201


def test_look_alikes_wait_for_the_officer(embedded):
    city = Desk(embedded, CITY)
    officer = Officer(city, ("officer", OFFICE.code))
    same = {"f.id_number": "087190001234"}
    first = officer.send(token="t-0", **same, **{"o.number": numbered("AC3KMN", 1)})
    assert first.status_code == 201
    answer = officer.send(**same)
    assert answer.status_code == 409
    assert "cùng một việc" in answer.json["faults"][0]
    assert how_many(city) == 1
    city.close()


def test_nobody_sends_what_another_person_or_office_took_in(officer, desk):
    colleague = Officer(desk, ("officer", OFFICE.code))
    elsewhere = Officer(desk, ("officer", OTHER_OFFICE.code))
    mine = officer.key()["owner"]
    for other in (colleague, elsewhere):
        assert other.key()["owner"] != mine
        assert other.key()["key"] != officer.key()["key"]
        answer = other.send(**{"o.owner": mine})
        assert (answer.status_code, answer.json["code"]) == (403, "other_person")
    assert how_many(desk) == 0


def test_the_key_is_one_persons_and_one_terms(officer, desk):
    told = officer.key("a")
    assert len(base64.b64decode(told["key"])) == 32
    assert officer.key("a")["key"] == told["key"] != officer.key("b")["key"]
    assert 0 < told["left"] <= 36_000
    assert read_number(numbered(told["series"], 1))
    answer = desk.web.test_client().get(
        "/ho-so/cho-gui/khoa", headers={"Authorization": f"Bearer {desk.key}"}
    )
    assert answer.status_code == 403
    stranger = desk.web.test_client().get(
        "/ho-so/cho-gui/khoa", headers={"Accept": "application/json"}
    )
    assert stranger.status_code == 401


# --- found by its number ------------------------------------------------------------------------


def test_the_desk_finds_it_by_the_number_and_no_other_office_does(officer, desk):
    code = officer.send().json["code"]
    found = officer.post("/ho-so/tim", {"q": NUMBER.lower()})
    assert found.headers["Location"].endswith(f"/ho-so/{code}")
    other = Officer(desk, ("officer", OTHER_OFFICE.code))
    assert not other.post("/ho-so/tim", {"q": NUMBER}).headers["Location"].endswith(code)


def test_the_citizen_finds_it_by_number_and_word_and_nobody_by_half_of_it(officer, desk):
    before = officer.post("/tra-cuu", {"code": NUMBER, "word": "K7F3QM"})
    assert before.status_code == 404
    assert "có thể chưa được gửi" in words(before)
    code = officer.send().json["code"]
    assert code in words(officer.post("/tra-cuu", {"code": NUMBER, "word": "k7f 3qm"}))
    own = desk.dossier(code).lookup_word
    assert code in words(officer.post("/tra-cuu", {"code": code, "word": own}))
    for pair in ((NUMBER, own), (code, "K7F3QM"), (NUMBER, ""), (numbered("AC3KMN", 8), "K7F3QM")):
        answer = officer.post("/tra-cuu", dict(zip(("code", "word"), pair, strict=True)))
        assert answer.status_code == 404


def test_tries_of_a_slips_word_are_counted(officer):
    answers_ = [
        officer.post("/tra-cuu", {"code": NUMBER, "word": f"AAAAA{n}"}).status_code
        for n in range(12)
    ]
    assert 429 in answers_


def test_two_browsers_of_one_series_are_told_apart_by_the_word(officer, desk):
    first = officer.send().json["code"]
    same_number = {"o.word": "AAAAAA", "f.full_name": "Lê Thị Thảo", "f.birth_date": "1970-01-01"}
    second = officer.send(token="t-2", **same_number).json["code"]
    assert second != first
    assert second in words(officer.post("/tra-cuu", {"code": NUMBER, "word": "AAAAAA"}))
    assert first in words(officer.post("/tra-cuu", {"code": NUMBER, "word": "K7F3QM"}))


# --- pages without a person ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/ho-so/moi", "/ho-so/moi/1.000001", "/ho-so/cho-gui", "/ho-so/cho-gui/giay"]
)
def test_what_the_browser_keeps_of_a_page_is_nobodys(embedded_desk, path):
    officer = Officer(embedded_desk, ("officer", OFFICE.code), name="Nguyễn Thị Hoa")
    typed = {"token": "t-9", "d.page": "p", "c.name": "Lê Văn Riêng", "d.keep": "1"}
    officer.post("/ho-so/ban-nhap/1.000001", typed)
    page = officer.get(path)
    assert "Nguyễn Thị Hoa" in page.text
    assert "Đang mất mạng.</strong> Vẫn" not in page.text
    kept_page = officer.get(f"{path}?{ASKED}=1&nhap=t-9")
    assert kept_page.status_code == 200
    assert "Nguyễn Thị Hoa" not in kept_page.text
    assert "Lê Văn Riêng" not in kept_page.text
    assert "data-owner" not in kept_page.text
    assert "data-blank" in kept_page.text


def test_the_worker_may_answer_for_the_desk_and_for_nothing_else(embedded_desk):
    client = embedded_desk.web.test_client()
    answer = client.get("/intake/offline-worker.js")
    assert answer.headers["Service-Worker-Allowed"] == "/ho-so"
    assert "javascript" in answer.content_type
    assert "Service-Worker-Allowed" not in client.get("/intake/offline.js").headers
    assert "offline" not in client.get("/tra-cuu").text  # citizens load nothing of it
