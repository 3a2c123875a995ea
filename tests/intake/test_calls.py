"""Calls that the desk is asked for: what to say, what came of it, numbers at which nothing arrives."""

from __future__ import annotations

import dataclasses

import pytest

from services.intake.usecases import desk as verbs
from shared.events.intake import CitizenCalled
from shared.events.notify import AddressFailed, CallDropped, CitizenUnreachable, StopChanged
from tests.intake.made import OFFICE
from tests.intake.test_lists import on
from tests.intake.test_pages import Browser

WORDS = "Hồ sơ này đã có kết quả. Mời Ông/Bà đến UBND Phường 1 nhận."


def asked_to_call(desk, code: str, call: str = "m-1", moment: str = "resolved") -> None:
    at = desk.clock.now()
    desk.hear(
        CitizenUnreachable(
            dossier=code, moment=moment, reason="not_delivered", at=at, call=call, words=WORDS
        )
    )


def answers(desk, code: str) -> list[tuple[str, tuple[str, ...]]]:
    """What intake has said of calls: (outcome, ids)."""
    said = [envelope.event() for envelope in desk.said(code)]
    return [(each.outcome, each.calls or ()) for each in said if isinstance(each, CitizenCalled)]


@pytest.fixture
def code(desk) -> str:
    code = desk.submit()
    desk.started(code)
    desk.resolved(code)
    asked_to_call(desk, code)
    return code


@pytest.mark.parametrize(
    ("outcome", "stays"),
    [("reached", False), ("called_back", False), ("no_answer", True), ("wrong_number", False)],
)
def test_an_officer_says_what_came_of_a_call_and_notify_hears_it(desk, code, outcome, stays):
    answer = desk.http("POST", f"/dossiers/{code}/called", {"outcome": outcome})
    assert answer.status_code == 200
    assert (on(desk, "can-goi") == [code]) is stays
    assert answers(desk, code) == [(outcome, ("m-1",))]
    assert desk.dossier(code).bounced == (("sms",) if outcome == "wrong_number" else ())


def test_an_outcome_that_there_is_not_is_refused_with_those_there_are(desk, code):
    answer = desk.http("POST", f"/dossiers/{code}/called", {"outcome": "met"})
    assert answer.status_code == 422
    assert "no_answer" in answer.get_data(as_text=True)
    assert answers(desk, code) == []


def test_the_page_says_whom_to_call_with_which_words_and_how_often_nobody_answered(desk, code):
    browser = Browser(desk, ("officer", OFFICE.code))
    page = browser.get(f"/ho-so/{code}").get_data(as_text=True)
    assert WORDS in page
    desk.do(verbs.called, OFFICE.code, code, outcome="no_answer")
    page = browser.get(f"/ho-so/{code}").get_data(as_text=True)
    assert "Đã gọi 1 lần không ai nghe" in page


def test_who_stands_at_the_desk_need_not_be_called_and_notify_hears_it(desk, code):
    asked_to_call(desk, code, "m-2", "extended")
    desk.do(verbs.return_result, OFFICE.code, code, method="desk")
    assert on(desk, "can-goi") == []
    assert answers(desk, code) == [("met", ("m-1", "m-2"))]
    asked_to_call(desk, code, "m-3")  # crossed with the hand-over
    assert on(desk, "can-goi") == []
    assert answers(desk, code)[-1] == ("met", ("m-3",))


def test_a_call_that_a_late_receipt_makes_needless_is_taken_off_and_no_other(desk, code):
    asked_to_call(desk, code, "m-2", "extended")
    desk.hear(CallDropped(dossier=code, call="m-1", at=desk.clock.now()))
    assert on(desk, "can-goi") == [code]
    desk.hear(CallDropped(dossier=code, call="m-2", at=desk.clock.now()))
    assert on(desk, "can-goi") == []


def test_a_number_at_which_nothing_arrives_is_shown_until_another_is_written_down(desk):
    code = desk.submit()
    desk.hear(AddressFailed(dossier=code, channel="sms", at=desk.clock.now()))
    browser = Browser(desk, ("officer", OFFICE.code))
    assert "tin gửi tới số này không tới" in browser.get(f"/ho-so/{code}").get_data(as_text=True)
    contact = {
        "name": "Nguyễn Thị Sáu", "phone": "0912345678", "consent": {"sms": True, "email": False},
        "first": "sms",
    }  # fmt: skip
    assert desk.http("POST", f"/dossiers/{code}/contact", contact).status_code == 200
    assert "số này không tới" not in browser.get(f"/ho-so/{code}").get_data(as_text=True)
    assert desk.dossier(code).contact.first == "sms"


def test_a_dossier_of_the_version_before_with_a_call_to_make_still_has_it(desk, code):
    with desk.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE dossiers SET progress = '{}'")
    (call,) = desk.dossier(code).calls
    assert (call.id, call.words) == (None, None)
    desk.do(verbs.called, OFFICE.code, code)
    assert answers(desk, code) == [("reached", ())]


def test_a_refused_way_is_shown_at_the_desk_until_it_is_opened_again_or_is_another(desk):
    code = desk.submit()
    at = desk.clock.now()
    for stopped in (True, True, False, True):
        desk.hear(StopChanged(dossier=code, channel="sms", stopped=stopped, at=at))
        assert desk.dossier(code).opted_out == (("sms",) if stopped else ())
    page = Browser(desk, ("officer", OFFICE.code)).get(f"/ho-so/{code}").text
    assert "người dân từ chối nhận tin nhắn" in page
    assert "Công dân từ chối nhận tin bằng tin nhắn" in page
    held = desk.dossier(code)
    same = held.reached_at(dataclasses.replace(held.contact, name="Khác"))
    other = held.reached_at(dataclasses.replace(held.contact, phone="+84907000001"))
    assert (same.opted_out, other.opted_out) == (("sms",), ())
