"""Somebody is told in the applicant's place; numbers at which nothing arrives are known again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.intake.domain.contacts import ContactInput, addresses_of, check_contact
from services.intake.domain.finding import terms_of
from services.intake.storage import erasing, unreached
from services.intake.usecases import desk as verbs
from shared.events.intake import ContactGiven
from shared.events.notify import AddressFailed
from shared.kernel.errors import Fault
from tests.intake.made import FORM, OFFICE, OTHER_OFFICE, PROCEDURE, command
from tests.intake.test_calls import asked_to_call
from tests.intake.test_pages import FILLED, Browser, how_many

REP = {
    "rep_name": "Trần Văn Ba", "rep_phone": "0912 345 678", "rep_authority": "GUQ 12/2022",
}  # fmt: skip
TYPED = {f"c.{name}": text for name, text in REP.items()}


def checked(**changes: object):  # type: ignore[no-untyped-def]
    faults: list[Fault] = []
    raw = ContactInput(name="Nguyễn Thị Sáu", phone="0907123456", **changes)  # type: ignore[arg-type]
    return check_contact(raw, faults), [fault.place for fault in faults]


def given(desk, code: str) -> ContactGiven:
    found = [each.event() for each in desk.said(code)]
    return [each for each in found if isinstance(each, ContactGiven)][-1]


# --- what is checked -----------------------------------------------------------------------------


def test_a_representative_is_told_and_the_applicants_own_number_stays():
    contact, faults = checked(**REP, sms=True)
    assert faults == []
    assert contact.told.phone == "+84912345678"
    assert contact.phone == "+84907123456"
    assert contact.representative.authority == "GUQ 12/2022"
    assert terms_of(None, contact, {}).phones == {"+84912345678", "+84907123456"}
    assert "Ba" not in repr(contact)


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"rep_name": "Trần Văn Ba"},
         ["contact.representative.authority", "contact.representative.phone"]),
        ({**REP, "rep_name": None}, ["contact.representative.name"]),
        ({**REP, "rep_phone": "12"}, ["contact.representative.phone"]),
        ({**REP, "rep_email": "x"}, ["contact.representative.email"]),
        # The consent is for the number of who is told.
        ({**REP, "rep_phone": None, "rep_email": "ba@example.vn", "sms": True},
         ["contact.consent.sms"]),
        ({**REP, "mail": True}, ["contact.consent.email"]),
    ],
)  # fmt: skip
def test_what_is_missing_of_a_representative_is_told_at_its_place(changes, places):
    contact, faults = checked(**changes)
    assert (contact, sorted(faults)) == (None, sorted(places))


def test_who_would_be_told_is_read_as_far_as_it_can_be():
    assert addresses_of(ContactInput("A", phone="0907.123.456", email="x")) == {
        "contact.phone": "+84907123456"
    }
    assert addresses_of(ContactInput("A", phone="0907123456", **REP)) == {
        "contact.representative.phone": "+84912345678"
    }


# --- at the desk ---------------------------------------------------------------------------------


def test_the_page_takes_a_representative_shows_who_is_told_and_mends_it(embedded_desk):
    desk, officer = embedded_desk, Browser(embedded_desk, ("officer", OFFICE.code))
    address = f"/ho-so/moi/{PROCEDURE.code}"
    wrong = officer.post(address, {**FILLED, **TYPED, "c.rep_authority": "", "c.sms": "1"})
    assert wrong.status_code == 422
    assert "Trần Văn Ba" in wrong.text
    filed = officer.post(address, {**FILLED, **TYPED, "c.sms": "1"})
    assert filed.status_code == 303
    (code,) = (d for d in how_codes(desk))
    told = given(desk, code)
    assert (told.name, told.representative) == (desk.dossier(code).contact.name, "Trần Văn Ba")
    assert (told.phone, told.consent.sms) == ("+84912345678", True)
    page = officer.get(f"/ho-so/{code}").text
    assert "Trần Văn Ba (GUQ 12/2022)" in page
    asked_to_call(desk, code)
    assert "người được" in officer.get(f"/ho-so/{code}").text
    alone = {"c.name": "Nguyễn Thị Mai", "c.phone": "0907123456", "c.sms": "1", "c.language": "vi"}
    officer.post(f"/ho-so/{code}/contact", {**alone, **dict.fromkeys(TYPED, "")})
    assert given(desk, code).representative is None
    assert given(desk, code).phone == "+84907123456"


def how_codes(desk) -> list[str]:
    with desk.store.read() as connection:
        return list(connection.exec_driver_sql("SELECT code FROM dossiers").scalars())


def test_rest_takes_gives_and_corrects_a_representative(desk):
    body = {
        "procedure": PROCEDURE.code, "channel": "direct", "form": FORM,
        "papers": [{"code": "to-khai", "original": 1}, {"code": "giay-to", "copy": 1}],
        "contact": {
            "name": "Nguyễn Thị Mai", "phone": "0907123456",
            "representative": {"name": "Trần Văn Ba", "email": "ba@example.vn"},
            "consent": {"sms": False, "email": True},
        },
    }  # fmt: skip
    refused = desk.http("POST", "/dossiers", body)
    assert refused.status_code == 422
    assert [e["place"] for e in refused.json["errors"]] == ["contact.representative.authority"]
    body["contact"]["representative"]["authority"] = "GUQ 12/2022"
    filed = desk.http("POST", "/dossiers", body)
    assert filed.status_code == 201
    code = filed.json["code"]
    assert given(desk, code).email == "ba@example.vn"
    whole = desk.http("GET", f"/dossiers/{code}").json
    assert whole["contact"]["representative"]["name"] == "Trần Văn Ba"
    mended = desk.http("POST", f"/dossiers/{code}/correct", {
        "version": whole["version"], "reason": "gõ nhầm",
        "contact": {"rep_email": "ba2@example.vn"},
    })  # fmt: skip
    assert mended.status_code == 200
    assert given(desk, code).email == "ba2@example.vn"
    (change,) = desk.dossier(code).corrections[0].changes
    assert change.place == "contact.representative.email"


def test_what_is_known_of_a_number_is_of_the_one_that_is_told(desk):
    code = desk.submit()
    desk.hear(AddressFailed(dossier=code, channel="sms", at=desk.clock.now()))
    same = replace(command().contact, address="Nơi khác")
    desk.do(verbs.correct_contact, OFFICE.code, code, typed=same)
    assert desk.dossier(code).bounced == ("sms",)
    desk.do(verbs.correct_contact, OFFICE.code, code, typed=replace(same, mail=False, **REP))
    assert desk.dossier(code).bounced == ()


# --- a number is typed again ---------------------------------------------------------------------


def test_a_number_at_which_nothing_arrived_is_asked_about_once_at_any_office(desk):
    code = desk.submit()
    desk.hear(AddressFailed(dossier=code, channel="sms", at=desk.clock.now()))
    phone = desk.dossier(code).contact.phone
    assert phone is not None
    with desk.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT address FROM unreached").scalars().all()
    assert len(rows) == 1
    assert phone not in rows[0]
    officer = Browser(desk, ("officer", OTHER_OFFICE.code))
    address = f"/ho-so/moi/{PROCEDURE.code}"
    typed = {**FILLED, "c.phone": desk.dossier(code).contact.phone_original, "c.sms": "1"}
    before = how_many(desk)
    asked = officer.post(address, typed)
    assert asked.status_code == 422
    assert "không tới" in asked.text
    assert f'name="warned.c.phone" value="{typed["c.phone"]}"' in asked.text
    assert how_many(desk) == before
    other = officer.post(address, {**typed, "warned.c.phone": "0900000000"})
    assert other.status_code == 422
    assert officer.post(address, {**typed, "warned.c.phone": typed["c.phone"]}).status_code == 303
    assert how_many(desk) == before + 1


def test_rest_says_it_beside_the_answer_and_it_is_forgotten_in_time(embedded_desk):
    desk = embedded_desk
    code = desk.submit()
    desk.hear(AddressFailed(dossier=code, channel="sms", at=desk.clock.now()))
    body = {
        "procedure": PROCEDURE.code, "channel": "direct", "form": FORM,
        "papers": [{"code": "to-khai", "original": 1}, {"code": "giay-to", "copy": 1}],
        "contact": {"name": "Lê A", "phone": desk.dossier(code).contact.phone},
    }  # fmt: skip
    (told,) = desk.http("POST", "/dossiers", body).json["unreached"]
    assert told["place"] == "contact.phone"
    with desk.store.transaction() as connection:
        erasing.erase(connection, [code], desk.clock.now(), rule="asked", who="x")
    assert "unreached" not in desk.http("POST", "/dossiers", body).json
    other = desk.submit()
    desk.hear(AddressFailed(dossier=other, channel="sms", at=desk.clock.now()))
    with desk.store.transaction() as connection:
        unreached.forget_old(connection, desk.clock.now() + timedelta(seconds=1))
    assert "unreached" not in desk.http("POST", "/dossiers", body).json


def test_the_page_says_that_nothing_arrives_and_where_to_write_another(embedded_desk):
    code = embedded_desk.submit()
    embedded_desk.hear(AddressFailed(dossier=code, channel="sms", at=embedded_desk.clock.now()))
    officer = Browser(embedded_desk, ("officer", OFFICE.code))
    page = officer.get(f"/ho-so/{code}").text
    assert "Tin nhắn gửi tới số đang ghi không tới." in page
    assert f"/ho-so/{code}?lien-he=1#f-contact-c.phone" in page
    opened = officer.get(f"/ho-so/{code}?lien-he=1").text
    assert opened.count("<details open") >= 1
    assert 'id="f-contact-c.phone"' in opened
