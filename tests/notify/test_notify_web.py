"""Operators' pages and API: guarded, masked, filtered, readable on a phone."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from services.notify.delivery.sender import Sender
from services.notify.domain.delivery import Unknown
from services.notify.web import create_web
from shared.identity import keys
from shared.identity.guard import assert_every_route_is_guarded
from tests.backends import Backend
from tests.english import vietnamese_of
from tests.notify.conftest import opened
from tests.notify.ledger import DOSSIER, Ledger, RecordingChannel, a_contact, received

#: Where the holder of a letter ends such letters.
PUBLIC = {"ending.ask", "ending.act"}
OTHER = "000.00.15.H20-220314-0002"


class Door:
    """A client of notify's web app, and a key of each kind."""

    def __init__(self, ledger: Ledger, backend: Backend) -> None:
        settings = backend.settings("notify")
        self.app = create_web(replace(settings, cookie_secure=False), ledger.store, ledger.composer)
        self.client: FlaskClient = self.app.test_client()
        with ledger.store.begin() as uow:
            self.keys = {
                kind: keys.issue(uow, kind=kind, bound_to="x", label="thử")[1]
                for kind in ("operator", "desk", "agency")
            }

    def get(self, path: str, kind: str = "operator", **options):  # type: ignore[no-untyped-def]
        return self.client.get(path, headers=self._headers(kind), **options)

    def post(self, path: str, kind: str = "operator", **options):  # type: ignore[no-untyped-def]
        return self.client.post(path, headers=self._headers(kind), **options)

    def _headers(self, kind: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[kind]}"} if kind else {}


@pytest.fixture
def ledger_here(embedded: Backend, clock) -> Iterator[Ledger]:  # type: ignore[no-untyped-def]
    with opened(embedded, clock) as made:
        yield made


@pytest.fixture
def door(ledger_here: Ledger, embedded: Backend) -> Door:
    return Door(ledger_here, embedded)


@pytest.fixture
def told(ledger_here: Ledger) -> Ledger:
    ledger_here.hear(a_contact(first="email"), a_contact(OTHER, consent_email=False))
    ledger_here.hear(received(), received(OTHER))
    Sender("email", RecordingChannel(), ledger_here.store).step(0)
    uncertain = RecordingChannel(idempotent=False, answers=[Unknown("broke off")])
    Sender("sms", uncertain, ledger_here.store).step(0)
    return ledger_here


def test_every_route_needs_a_key(door: Door):
    assert_every_route_is_guarded(door.app, public=PUBLIC)


@pytest.mark.parametrize("kind", ["desk", "agency", ""])
@pytest.mark.parametrize(
    "path", ["/tin-nhan", "/tin-nhan/m-1", "/api/v1/messages", "/api/v1/messages/m-1"]
)
def test_only_an_operators_key_opens_anything(door: Door, path: str, kind: str):
    answer = door.get(path, kind)
    assert answer.status_code in (401, 403) or "/dang-nhap" in answer.headers.get("Location", "")


def test_the_list_shows_messages_with_masked_addresses(door: Door, told: Ledger):
    page = door.get("/tin-nhan").get_data(as_text=True)
    assert "***456" in page
    assert "s***@example.vn" in page
    for secret in ("907123456", "sau.nguyen", "Nguyễn Thị Sáu"):
        assert secret not in page
    assert "Đã gửi" in page
    assert "Chưa rõ đã gửi" in page


def test_the_list_is_filtered_by_state_channel_and_dossier(door: Door, told: Ledger):
    def codes(query: str) -> int:
        page = door.get(f"/tin-nhan?{query}").get_data(as_text=True)
        return len(re.findall(r'data-label="Hồ sơ"', page))

    assert codes("") == 3
    assert codes("channel=sms") == 2
    assert codes(f"dossier={OTHER}") == 1
    assert codes("state=uncertain") == 1
    assert codes("state=nonsense") == 3
    assert codes("state=failed") == 0


def revealed(door: Door, message: str) -> str:
    """The page with what was written to the citizen."""
    answer = door.post(f"/tin-nhan/{message}/noi-dung", data={"reason": "công dân gọi hỏi"})
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def test_a_message_page_shows_its_text_for_a_reason_and_offers_to_send_an_uncertain_one_again(
    door: Door, told: Ledger
):
    (uncertain,) = told.messages(states=("uncertain",))
    page = door.get(f"/tin-nhan/{uncertain.id}").get_data(as_text=True)
    assert "Da tiep nhan" not in page
    assert "Da tiep nhan" in revealed(door, uncertain.id)
    assert "Gửi lại" in page
    assert "nhận hai lần" in page
    answer = door.post(f"/tin-nhan/{uncertain.id}/gui-lai")
    assert answer.status_code == 303
    assert told.messages(dossier=uncertain.dossier, channel="sms")[0].state == "queued"


def test_a_message_that_was_sent_is_not_offered_again(door: Door, told: Ledger):
    (sent,) = told.messages(channel="email")
    assert "Gửi lại" not in door.get(f"/tin-nhan/{sent.id}").get_data(as_text=True)
    assert door.post(f"/tin-nhan/{sent.id}/gui-lai").status_code == 303
    assert door.post(f"/api/v1/messages/{sent.id}/resend").status_code == 409


def test_the_html_of_a_citizens_words_is_shown_as_text(door: Door, ledger_here: Ledger):
    ledger_here.hear(a_contact(name="<script>alert(1)</script>"))
    ledger_here.hear(received())
    (mail,) = ledger_here.messages(channel="email")
    page = revealed(door, mail.id)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_api_lists_one_dossiers_messages_in_pages(door: Door, told: Ledger):
    first = door.get(f"/api/v1/messages?dossier={DOSSIER}&limit=1").get_json()
    assert len(first["messages"]) == 1
    asked = {"dossier": DOSSIER, "limit": 1, "after": first["next"]}
    second = door.get("/api/v1/messages", query_string=asked).get_json()
    assert second["next"] is None
    kinds = {page["messages"][0]["channel"] for page in (first, second)}
    assert kinds == {"email", "sms"}
    assert "body" not in first["messages"][0]


@pytest.mark.parametrize("query", ["after=x", "limit=0", "state=lost", "nothing=1", "after=~"])
def test_a_wrong_question_to_the_api_is_told_as_a_problem(door: Door, query: str):
    answer = door.get(f"/api/v1/messages?{query}")
    assert answer.status_code == 422
    assert answer.content_type.startswith("application/problem+json")


def test_what_is_not_there_is_not_found_everywhere(door: Door):
    for path in ("/tin-nhan/m-0", "/api/v1/messages/m-0"):
        assert door.get(path).status_code == 404
    assert door.post("/tin-nhan/m-0/gui-lai").status_code == 404
    assert door.post("/api/v1/messages/m-0/resend").status_code == 404


def test_an_empty_house_says_so(door: Door):
    assert "Chưa có tin nhắn nào" in door.get("/tin-nhan").get_data(as_text=True)
    assert door.get("/").headers["Location"] == "/tin-nhan"


def test_no_page_in_english_holds_vietnamese(door: Door, told: Ledger):
    assert "English</a>" in door.get("/tin-nhan").text
    door.get("/tin-nhan?lang=en")
    messages = told.messages()
    pages = [door.get(f"/tin-nhan/{message.id}") for message in messages]
    pages += [door.get(f"/tin-nhan{query}") for query in ("", "?state=sent", "?dossier=x")]
    empty = {"reason": ""}
    pages += [door.post(f"/tin-nhan/{each.id}/noi-dung", data=empty) for each in messages]
    for page in pages:
        assert '<html lang="en"' in page.text
        assert vietnamese_of(page.text) == []
    assert {page.status_code for page in pages} == {200, 422}
    done = door.post(f"/tin-nhan/{messages[0].id}/gui-lai")
    assert vietnamese_of(door.get(done.location).text) == []
    listed = door.get("/api/v1/messages?lang=en").get_json()
    assert listed == door.get("/api/v1/messages?lang=vi").get_json()


def test_the_words_are_tried_on_nobody_s_data_and_wrong_days_are_told(door: Door, told: Ledger):
    page = door.get("/tin-nhan/mau?moment=stopped&on=14/03/2022").get_data(as_text=True)
    assert "dung xu ly" in page
    assert "700 đồng" in page
    assert "Nguyễn Thị Sáu" not in page
    wrong = door.get("/tin-nhan/mau?on=31/02/2022").get_data(as_text=True)
    assert "31/02/2022" in wrong  # what was typed stays
    assert "không có ngày 31" in wrong
    none = door.get("/tin-nhan/mau?moment=paid&channel=call").get_data(as_text=True)
    assert "Không có mẫu nào" in none


def test_what_a_month_cost_is_a_page_and_a_file(door: Door, told: Ledger):
    Sender("sms", RecordingChannel(name="sms.smpp"), told.store).step(0)
    page = door.get("/tin-nhan/chi-phi").get_data(as_text=True)
    assert "Chi phí tin nhắn tháng 03/2022" in page
    assert "UBND Phường 1" in page
    answer = door.get("/tin-nhan/chi-phi.csv?thang=2022-03")
    assert answer.mimetype == "text/csv"
    assert "2022-03,ubnd-phuong-1," in answer.get_data(as_text=True)
    wrong = door.get("/tin-nhan/chi-phi?thang=99/2022")
    assert (wrong.status_code, "mm/yyyy" in wrong.get_data(as_text=True)) == (422, True)
    assert door.get("/tin-nhan/chi-phi", kind="desk").status_code == 403
