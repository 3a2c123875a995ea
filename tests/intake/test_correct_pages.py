"""The page on which a received dossier is corrected, and the same over REST."""

from __future__ import annotations

import html
import re

import pytest

from services.intake.usecases import desk as verbs
from shared.events.intake import ContactGiven, DossierCorrected
from shared.events.parts import Step
from shared.events.routing import CorrectionOvertaken, StepAnswered
from tests.intake.made import OFFICE, OTHER_OFFICE
from tests.intake.rig import AGENCY
from tests.intake.test_pages import Browser, words

WHY = {"reason": "gõ nhầm so với căn cước"}


@pytest.fixture
def officer(embedded_desk):
    return Browser(embedded_desk, ("officer", OFFICE.code), name="Lê Thị Hoa")


def inputs(answer) -> dict[str, str]:
    """What a browser would send of the page's form, untouched."""
    form = re.search(
        r"<form method=\"post\" action=\"[^\"]+/sua\".*?</form>", answer.text, re.DOTALL
    )
    assert form is not None
    found = {}
    for tag in re.findall(r"<input[^>]+>", form[0]):
        attributes = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        if attributes["type"] != "checkbox" or " checked" in tag:
            found[attributes["name"]] = html.unescape(attributes.get("value", ""))
    for name, body in re.findall(r'<textarea[^>]+name="([^"]+)"[^>]*>(.*?)</textarea>', form[0]):
        found[name] = html.unescape(body)
    for name, body in re.findall(
        r'<select[^>]+name="([^"]+)"[^>]*>(.*?)</select>', form[0], re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', body)
        found[name] = html.unescape(chosen[1]) if chosen else ""
    return found


def save(officer, page, code, **typed):
    sent = inputs(page) | {name.replace("__", "."): value for name, value in typed.items()}
    return officer.post(f"/ho-so/{code}/sua", {k: v for k, v in sent.items() if v is not None})


def answered(desk, code):
    desk.hear(
        StepAnswered(
            dossier=code, step=Step(code="s", name="Bước"), agency=AGENCY, task="t1",
            answer="completed", outcome="granted", late=False, answered_at=desk.clock.now(),
        )
    )  # fmt: skip


def test_only_what_was_touched_is_changed_and_the_page_says_what_who_and_why(
    officer, embedded_desk
):
    code = embedded_desk.submit(form={"full_name": "Nguyễn Thị Mai", "birth_date": "1990-05-04",
                                      "copies": 2, "urgent": True, "area": 1250.5})  # fmt: skip
    page = officer.get(f"/ho-so/{code}/sua")
    saved = save(officer, page, code, f__full_name="Nguyễn Thị Mây", **WHY)
    assert saved.status_code == 303
    shown = words(officer.get(saved.location))
    assert "Đã sửa hồ sơ" in shown
    assert "Họ và tên: Nguyễn Thị Mai → Nguyễn Thị Mây" in shown
    assert "Lý do: gõ nhầm so với căn cước" in shown
    assert "Cán bộ: Lê Thị Hoa" in shown
    held = embedded_desk.dossier(code)
    assert held.form == {"full_name": "Nguyễn Thị Mây", "birth_date": "1990-05-04", "copies": 2,
                         "urgent": True, "area": 1250.5}  # fmt: skip
    (event,) = [e for e in embedded_desk.events(code) if isinstance(e, DossierCorrected)]
    assert event.mended == 1
    assert len([e for e in embedded_desk.events(code) if isinstance(e, ContactGiven)]) == 1


def test_ticks_and_the_contact_are_corrected_too(officer, embedded_desk):
    code = embedded_desk.submit()
    page = officer.get(f"/ho-so/{code}/sua")
    saved = save(officer, page, code, f__urgent="1", c__mail=None, c__phone="0907 123 457", **WHY)
    assert saved.status_code == 303
    held = embedded_desk.dossier(code)
    assert held.form["urgent"] is True
    assert (held.contact.phone, held.contact.mail, held.contact.sms) == (
        "+84907123457",
        False,
        True,
    )
    assert [c.place for c in held.corrections[0].changes] == [
        "contact.phone", "contact.consent.email", "form.urgent",
    ]  # fmt: skip


def test_the_receipt_is_printed_anew_and_says_that_it_takes_the_place_of_the_first(
    officer, embedded_desk
):
    code = embedded_desk.submit()
    before = words(officer.get(f"/ho-so/{code}/giay-hen"))
    assert "bản sửa" not in before
    page = officer.get(f"/ho-so/{code}/sua")
    save(officer, page, code, c__name="Nguyễn Thị Mây", **WHY)
    after = words(officer.get(f"/ho-so/{code}/giay-hen"))
    assert "(bản sửa)" in after
    assert "Bản sửa lần 1, lúc 09:00" in after
    assert "Nguyễn Thị Mây" in after
    assert "Nguyễn Thị Mai" not in after
    assert officer.client.get(f"/ho-so/{code}/giay-hen.pdf").data.startswith(b"%PDF")
    assert "Giấy hẹn (bản sửa)" in words(officer.get(f"/ho-so/{code}"))


def test_a_fault_keeps_all_that_was_typed(officer, embedded_desk):
    code = embedded_desk.submit()
    page = officer.get(f"/ho-so/{code}/sua")
    wrong = save(officer, page, code, f__full_name="Mây", f__price="1.5.", c__mail=None, reason="")
    assert wrong.status_code == 422
    again = inputs(wrong)
    assert again["f.full_name"] == "Mây"
    assert again["f.price"] == "1.5."
    assert "c.mail" not in again
    assert again["version"] == inputs(page)["version"]
    assert {"f-reason", "f-f.price"} <= set(re.findall(r'<a href="#([^"]+)"', wrong.text))
    assert embedded_desk.dossier(code).corrections == ()
    mended = save(officer, wrong, code, f__price="", **WHY)
    assert mended.status_code == 303
    held = embedded_desk.dossier(code)
    assert held.form["full_name"] == "Mây"
    assert held.contact.mail is False


def test_two_officers_at_once_see_both_versions_and_nobody_undoes_the_other(officer, embedded_desk):
    code = embedded_desk.submit()
    other = Browser(embedded_desk, ("officer", OFFICE.code))
    mine, theirs = officer.get(f"/ho-so/{code}/sua"), other.get(f"/ho-so/{code}/sua")
    first = {"f__full_name": "Nguyễn Thị Mây", "f__birth_date": "04/05/1991"}
    assert save(other, theirs, code, **first, **WHY).status_code == 303
    conflict = save(officer, mine, code, f__full_name="Nguyễn Thị My", **WHY)
    assert conflict.status_code == 409
    shown = words(conflict)
    assert "vừa được người khác thay đổi" in shown
    assert "Họ và tên Nguyễn Thị My Nguyễn Thị Mây" in shown
    again = inputs(conflict)
    assert again["f.full_name"] == "Nguyễn Thị My"
    assert again["f.birth_date"] == "04/05/1991", "what was not touched is as it stands now"
    assert again["reason"] == WHY["reason"]
    assert save(officer, conflict, code).status_code == 303
    held = embedded_desk.dossier(code)
    assert held.form == {"full_name": "Nguyễn Thị My", "birth_date": "1991-05-04"}
    assert [c.changes[0].old for c in held.corrections] == ["Nguyễn Thị Mai", "Nguyễn Thị Mây"]


def test_the_same_page_sent_twice_corrects_once(officer, embedded_desk):
    code = embedded_desk.submit()
    page = officer.get(f"/ho-so/{code}/sua")
    for _ in range(2):
        saved = save(officer, page, code, f__full_name="Nguyễn Thị Mây", **WHY)
        assert saved.status_code == 303
    assert len(embedded_desk.dossier(code).corrections) == 1


def test_an_answer_that_came_meanwhile_refuses_and_loses_nothing(officer, embedded_desk):
    code = embedded_desk.submit()
    page = officer.get(f"/ho-so/{code}/sua")
    answered(embedded_desk, code)
    refused = save(officer, page, code, f__full_name="Nguyễn Thị Mây", **WHY)
    assert refused.status_code == 409
    assert "đã trả lời theo nội dung đang ghi" in words(refused)
    assert inputs(refused)["f.full_name"] == "Nguyễn Thị Mây"
    closed = officer.get(f"/ho-so/{code}/sua")
    assert closed.status_code == 409
    assert "Việc có thể làm" in words(closed)
    assert "/sua" not in officer.get(f"/ho-so/{code}").text


def test_a_correction_that_came_too_late_for_an_agency_stands_on_the_page(officer, embedded_desk):
    code = embedded_desk.submit()
    page = officer.get(f"/ho-so/{code}/sua")
    save(officer, page, code, f__full_name="Nguyễn Thị Mây", **WHY)
    embedded_desk.hear(
        CorrectionOvertaken(
            dossier=code, number=1, step=Step(code="s", name="Bước"), agency=AGENCY, task="t1",
            overtaken_at=embedded_desk.clock.now(),
        )
    )  # fmt: skip
    assert f"đến sau câu trả lời của {AGENCY.name}" in words(officer.get(f"/ho-so/{code}"))


def test_another_office_has_no_such_page(embedded_desk):
    code = embedded_desk.submit()
    stranger = Browser(embedded_desk, ("officer", OTHER_OFFICE.code))
    assert stranger.get(f"/ho-so/{code}/sua").status_code == 404
    assert stranger.post(f"/ho-so/{code}/sua", WHY).status_code == 404


def test_the_citizen_sees_that_it_was_corrected_and_no_value(officer, embedded_desk):
    code = embedded_desk.submit()
    page = officer.get(f"/ho-so/{code}/sua")
    save(officer, page, code, f__full_name="Nguyễn Thị Mây", **WHY)
    citizen = Browser(embedded_desk)
    word = embedded_desk.dossier(code).lookup_word
    seen = words(citizen.post("/tra-cuu", {"code": code, "word": word}))
    assert "Nơi tiếp nhận sửa chỗ ghi nhầm" in seen
    assert "Mây" not in seen


def test_over_rest_with_the_version_that_was_read(desk):
    code = desk.submit()
    path = f"/dossiers/{code}"
    version = desk.http("GET", path).json["version"]
    body = {"version": version, **WHY, "form": {"copies": 3}, "contact": {"phone": "0907123457"}}
    for _ in range(2):
        done = desk.http("POST", f"{path}/correct", body, Idempotency_Key="k1")
        assert done.status_code == 200, done.json
    stale = desk.http("POST", f"{path}/correct", body, Idempotency_Key="k2")
    assert stale.status_code == 409
    assert stale.json["now"] == {"form.copies": 3, "contact.phone": "0907123457"}
    assert stale.json["yours"] == stale.json["now"]
    whole = desk.http("GET", path).json
    assert stale.json["version"] == whole["version"] != version
    assert whole["contact"]["email"] == "mai@example.com"
    (correction,) = whole["corrections"]
    assert correction["reason"] == WHY["reason"]
    assert {"place": "form.copies", "old": None, "new": 3} in correction["changes"]
    items = desk.http("GET", f"{path}/timeline").json["items"]
    (told,) = [each for each in items if each["type"] == "dossier.corrected"]
    assert "Số bản: (trống) → 3" in told["details"]


def test_rest_tells_every_fault_with_its_place(embedded_desk):
    code = embedded_desk.submit()
    path = f"/dossiers/{code}"
    version = embedded_desk.http("GET", path).json["version"]
    body = {"version": version, "form": {"nope": 1, "birth_date": "2999-01-01"},
            "contact": {"phone": "12"}}  # fmt: skip
    wrong = embedded_desk.http("POST", f"{path}/correct", body)
    assert wrong.status_code == 422
    assert {each["place"] for each in wrong.json["errors"]} == {
        "reason", "form.nope", "form.birth_date", "contact.phone",
    }  # fmt: skip
    assert (
        embedded_desk.http("POST", f"{path}/correct", body, key=embedded_desk.other_key).status_code
        == 404
    )


def test_a_corrected_name_is_found_and_the_old_one_is_not(desk):
    officer = Browser(desk, ("officer", OFFICE.code))
    code = desk.submit()
    desk.do(
        verbs.correct, OFFICE.code, code, reason="x", form={}, contact={"name": "Trần Kỳ Duyên"},
        version=desk.http("GET", f"/dossiers/{code}").json["version"],
    )  # fmt: skip
    officer.get("/ho-so")
    found = officer.post("/ho-so/tim", {"q": "ky duyen"})
    shown = words(officer.get(found.location)) if found.status_code == 303 else words(found)
    assert code in shown or found.location.endswith(code)


@pytest.mark.parametrize("act", ["refuse", "withdraw", "contact", "request-supplement"])
def test_an_act_that_is_loaded_again_shows_the_page(officer, embedded_desk, act):
    code = embedded_desk.submit(channel="online")
    officer.get(f"/ho-so/{code}")
    assert officer.post(f"/ho-so/{code}/{act}", {}).status_code == 422
    again = officer.get(f"/ho-so/{code}/{act}")
    assert (again.status_code, again.location) == (303, f"/ho-so/{code}")
    assert officer.get(again.location).status_code == 200
