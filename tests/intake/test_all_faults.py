"""Whatever is wrong with a request is told in one answer: its shape, its contents, its dates."""

from __future__ import annotations

from typing import Any

import pytest

from tests.intake.test_api import BODY, count
from tests.intake.test_pages import FILLED, officer, words

__all__ = ["officer"]  # the fixture

FORM = BODY["form"]
CONTACT = BODY["contact"]


def faults(answer: Any) -> dict[str, dict[str, str]]:
    assert answer.status_code == 422, answer.text
    told = answer.get_json()["errors"]
    assert all(each["vi"] and each["en"] for each in told)
    assert len({each["place"] for each in told}) == len(told), "told twice"
    return {each["place"]: each for each in told}


def test_shape_form_papers_contact_and_branches_are_told_together(embedded_desk):
    body = {
        "procedure": "1.000001",
        "channel": "direct",
        "office": "another",
        "form": {"birth_date": "1990-02-30", "copies": "two", "co/lour.x": "red"},
        "papers": [{"code": "to-khai", "original": "1"}, {"code": "no-such", "copy": 1}],
        "branches": ["nowhere"],
        "contact": {"phone": "01681234567", "language": "fr", "consent": {"sms": "yes"}},
    }
    told = faults(embedded_desk.http("POST", "/dossiers", body))
    assert {place: each["pointer"] for place, each in told.items()} == {
        "office": "#/office",
        "form.full_name": "#/form/full_name",
        "form.birth_date": "#/form/birth_date",
        "form.copies": "#/form/copies",
        "form.co/lour.x": "#/form/co~1lour.x",
        "papers.0.original": "#/papers/0/original",
        "papers.1.code": "#/papers/1/code",
        "papers.giay-to": "#/papers",
        "branches": "#/branches",
        "contact.name": "#/contact/name",
        "contact.phone": "#/contact/phone",
        "contact.language": "#/contact/language",
        "contact.consent.sms": "#/contact/consent/sms",
    }
    assert "0381234567" in told["contact.phone"]["vi"]
    assert count(embedded_desk) == 0
    assert embedded_desk.http("POST", "/dossiers", BODY).get_json()["code"].endswith("-0001")


@pytest.mark.parametrize("procedure", ["9.999999", 7, None])
def test_without_a_known_procedure_only_what_can_be_known_is_told(embedded_desk, procedure):
    body = {**BODY, "procedure": procedure, "form": {"x": 1}, "contact": {"phone": "12"}, "y": 1}
    told = faults(embedded_desk.http("POST", "/dossiers", body))
    assert set(told) == {"procedure", "contact.name", "contact.phone", "y"}


def test_what_is_missing_altogether_is_told_with_what_belongs_into_it(embedded_desk):
    told = faults(embedded_desk.http("POST", "/dossiers", {"procedure": "1.000001"}))
    wanted = {"channel", "form", "form.full_name", "form.birth_date", "contact", "contact.name"}
    assert set(told) == wanted


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_a_body_that_is_no_object_is_refused_without_a_crash(embedded_desk, body):
    answer = embedded_desk.http("POST", "/dossiers", body)
    assert answer.status_code == 422 if body is not None else answer.status_code in (415, 422)


@pytest.mark.parametrize(
    "part",
    [
        {"form": "x"},
        {"papers": {"code": 1}},
        {"papers": [None, 5, "x", {"code": [], "copy": True}]},
        {"contact": [1]},
        {"contact": {"name": {}, "phone": [], "email": 5, "language": None, "consent": 3}},
        {"branches": "main"},
        {"branches": [1, None]},
        {"channel": ["direct"]},
    ],
)
def test_whatever_stands_in_a_part_the_rest_is_judged_all_the_same(embedded_desk, part):
    body = {**BODY, "form": {**FORM, "copies": "two"}, **part}
    told = faults(embedded_desk.http("POST", "/dossiers", body))
    head = next(iter(part))
    assert any(place.split(".")[0] == head for place in told)
    assert ("form.copies" in told) is (head != "form")


def test_a_supplement_is_told_all_its_faults_too(desk):
    code = desk.http("POST", "/dossiers", {**BODY, "channel": "online"}).get_json()["code"]
    asked = {"items": ["Tờ khai"], "reason": "chưa ký"}
    desk.http("POST", f"/dossiers/{code}/request-supplement", asked)
    body = {
        "round": "1",
        "papers": [{"code": "no-such", "original": 1}],
        "form": {"birth_date": "2023-01-01", "colour": "red", "full_name": "x" * 51},
    }
    told = faults(desk.http("POST", f"/dossiers/{code}/supplement", body))
    wanted = {"round", "papers.0.code", "form.birth_date", "form.colour", "form.full_name"}
    assert set(told) == wanted
    other = desk.http("POST", f"/dossiers/{code}/supplement", body, key=desk.other_key)
    assert other.status_code == 404


def test_a_date_that_may_not_lie_in_the_future_is_refused_over_rest(desk):
    def filed(day: str) -> Any:
        return desk.http("POST", "/dossiers", {**BODY, "form": {**FORM, "birth_date": day}})

    told = faults(filed("2022-03-02"))
    assert told["form.birth_date"]["en"] == "must not be after today"
    assert filed("2022-03-01").status_code == 201
    field = desk.http("GET", "/procedures/1.000001").get_json()["form"][1]
    assert (field["name"], field["not_after"]) == ("birth_date", "today")


def test_the_page_marks_every_fault_at_its_input(officer, embedded_desk):
    page = officer.get("/ho-so/moi/1.000001")
    assert "Không sau hôm nay" in page.text
    wrong = FILLED | {
        "f.full_name": "",
        "f.birth_date": "2022-03-02",
        "f.copies": "hai",
        "p.to-khai.original": "x",
        "c.name": "",
        "c.phone": "01681234567",
        "c.email": "mai",
    }
    answer = officer.post("/ho-so/moi/1.000001", wrong)
    assert answer.status_code == 422
    for name in ("f.full_name", "f.birth_date", "f.copies", "c.name", "c.phone", "c.email"):
        marked = f'id="f-{name}" name="{name}"'
        tag = answer.text[answer.text.index(marked) :].split(">")[0]
        assert 'aria-invalid="true"' in tag, name
    told = words(answer)
    for said in ("không thể ở sau hôm nay", "Số bản từ 0 đến 99", "0381234567"):
        assert said in told
