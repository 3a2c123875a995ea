"""Look-alikes: what is shown before a dossier is filed, to whom, and what is taken down of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from services.intake.domain.similar import alike, identity
from services.intake.usecases import desk as verbs
from services.intake.usecases.similar import SimilarFound
from services.intake.usecases.submit import submit_beside
from shared.events.intake import SimilarSeen
from tests.intake.made import FORM, OFFICE, OTHER_OFFICE, PROCEDURE, catalogue, command
from tests.intake.rig import Desk
from tests.intake.test_pages import FILLED, Browser, how_many, words

ID = "079190001234"
ROLES = {"full_name": "person", "birth_date": "person", "id_number": "person",
         "copies": "parcel", "since": "parcel", "purpose": None}  # fmt: skip
FIELDS = tuple(replace(f, identifies=ROLES.get(f.name)) for f in PROCEDURE.form)
MARKED = replace(PROCEDURE, form=FIELDS)
OTHER_KIND = replace(MARKED, code="1.000007", name="Thủ tục khác")
CITY = catalogue(MARKED, OTHER_KIND)
BODY = {
    "procedure": MARKED.code,
    "channel": "direct",
    "form": FORM,
    "papers": [{"code": "to-khai", "original": 1}, {"code": "giay-to", "copy": 1}],
    "contact": {"name": "Nguyễn Thị Mai"},
}


@pytest.fixture
def city(backend):
    made = Desk(backend, CITY)
    yield made
    made.close()


@pytest.fixture
def small_city(embedded):
    made = Desk(embedded, CITY)
    yield made
    made.close()


def filed(desk: Desk, *, seen=None, **changes):
    with desk.store.begin() as uow:
        return submit_beside(uow, CITY, command(**changes), seen=seen)


class Undone(Exception):
    """Ends a unit of work without a trace."""


def nothing_like(desk: Desk, **changes) -> bool:
    """Whether it would be filed without a word."""
    found = None
    with suppress(Undone), desk.store.begin() as uow:
        _, found = submit_beside(uow, CITY, command(**changes), seen=())
        raise Undone
    return found == ()


def why(desk: Desk, **changes) -> list[tuple[str, ...]]:
    """Why others are like this one; nothing is filed."""
    try:
        filed(desk, seen=(), **changes)
    except SimilarFound as told:
        return [each.why for each in told.similar]
    raise AssertionError("nothing was like it, and it was filed")


def test_the_same_person_and_the_same_parcel_are_told_and_others_are_not(city):
    form = {**FORM, "id_number": ID, "copies": 5, "since": 1999}
    filed(city, form=form)
    assert why(city, form={**FORM, "full_name": "X Y", "id_number": ID}) == [("id_number",)]
    assert why(city, form={**FORM, "full_name": "nguyen thi mại"}) == [("name_and_birth",)]
    assert nothing_like(city, form={**FORM, "birth_date": "1990-05-05"})
    assert nothing_like(city, form={**FORM, "full_name": "Trần Bình"})
    parcel = {"full_name": "Trần Bình", "birth_date": "1980-01-01", "copies": 5, "since": 1999}
    assert why(city, form=parcel) == [("parcel",)]
    assert nothing_like(city, form=parcel, procedure=OTHER_KIND.code)
    assert nothing_like(city, form={**parcel, "since": 2000})


def test_what_ended_long_ago_is_not_told_and_what_is_open_always_is(city):
    ended, _ = filed(city)
    city.do(verbs.withdraw, OFFICE.code, ended.code, reason="đổi ý")
    assert why(city) == [("name_and_birth",)]
    city.clock.set(city.clock.now() + timedelta(days=31))
    assert nothing_like(city)
    filed(city)
    city.clock.set(city.clock.now() + timedelta(days=60))
    assert why(city) == [("name_and_birth",)]


def test_an_officer_decides_and_what_was_shown_is_on_record_without_a_personal_word(city):
    first, _ = filed(city)
    elsewhere, _ = filed(city, office=OTHER_OFFICE.code)
    with pytest.raises(SimilarFound) as told:
        filed(city, seen=())
    marks = [each.mark for each in told.value.similar]
    with pytest.raises(SimilarFound):
        filed(city, seen=marks[:1])
    second, _ = filed(city, seen=marks)
    (event,) = [e for e in city.events(second.code) if isinstance(e, SimilarSeen)]
    assert {(e.dossier, e.office.code) for e in event.similar} == {
        (first.code, OFFICE.code),
        (None, OTHER_OFFICE.code),
    }
    said = city.said(second.code)[-1]
    assert "Mai" not in repr(said.data)
    assert elsewhere.code not in repr(said.data)


def test_a_program_is_told_or_asked_only_where_it_wants_it(city):
    plain = city.http("POST", "/dossiers", BODY)
    assert plain.status_code == 201
    assert "similar" not in plain.json
    again = city.http("POST", "/dossiers", BODY)
    assert again.status_code == 201
    told = city.http("POST", "/dossiers", {**BODY, "check_similar": "tell"})
    assert told.status_code == 201
    assert [each["why"] for each in told.json["similar"]] == [["name_and_birth"]] * 2
    asked = {**BODY, "check_similar": "ask"}
    refused = city.http("POST", "/dossiers", asked)
    assert refused.status_code == 409
    assert refused.json["code"] == "similar_found"
    marks = [each["mark"] for each in refused.json["similar"]]
    done = city.http("POST", "/dossiers", {**asked, "similar_seen": marks})
    assert done.status_code == 201
    wrong = city.http("POST", "/dossiers", {**BODY, "check_similar": "maybe"})
    assert wrong.status_code == 422


@pytest.mark.parametrize("check", ["tell", "ask"])
def test_a_repeat_never_sees_itself(city, check):
    body = {**BODY, "check_similar": check}
    first = city.http("POST", "/dossiers", body, Idempotency_Key="k-1")
    again = city.http("POST", "/dossiers", body, Idempotency_Key="k-1")
    assert first.status_code == again.status_code == 201
    assert again.json == first.json
    assert first.json["similar"] == []


def test_another_office_learns_only_that_there_is_one(small_city):
    mine, _ = filed(small_city)
    body = {**BODY, "check_similar": "ask"}
    refused = small_city.http("POST", "/dossiers", body, key=small_city.other_key)
    (told,) = refused.json["similar"]
    assert set(told) == {"mark", "office", "why"}
    assert mine.code not in refused.text


def test_the_page_shows_them_keeps_what_was_typed_and_files_on_the_second_word(small_city):
    mine, _ = filed(small_city)
    filed(small_city, office=OTHER_OFFICE.code)
    officer = Browser(small_city, ("officer", OFFICE.code))
    officer.get(f"/ho-so/moi/{MARKED.code}")
    shown = officer.post(f"/ho-so/moi/{MARKED.code}", FILLED)
    assert shown.status_code == 409
    told = words(shown)
    assert f"Mở hồ sơ {mine.code}" in told
    assert "Có một hồ sơ tại UBND Phường 2" in told
    assert 'value="Nguyễn Thị Mai"' in shown.text
    assert how_many(small_city) == 2
    marks = [part.split('"')[0] for part in shown.text.split('name="seen" value="')[1:]]
    done = officer.post(f"/ho-so/moi/{MARKED.code}", {**FILLED, "seen": marks})
    assert done.status_code == 303
    twice = officer.post(f"/ho-so/moi/{MARKED.code}", {**FILLED, "seen": marks})
    assert twice.location == done.location
    page = words(officer.get(done.location.removesuffix("/giay-hen")))
    assert "Đã xem hồ sơ tương tự và vẫn nộp" in page


def test_a_double_click_ends_at_the_one_receipt(small_city):
    officer = Browser(small_city, ("officer", OFFICE.code))
    officer.get(f"/ho-so/moi/{MARKED.code}")
    first = officer.post(f"/ho-so/moi/{MARKED.code}", FILLED)
    again = officer.post(f"/ho-so/moi/{MARKED.code}", FILLED)
    assert first.status_code == again.status_code == 303
    assert first.location == again.location


def test_a_child_of_one_procedure_is_the_person_of_another():
    as_child = tuple(
        replace(f, identifies="child" if f.identifies == "person" else None) for f in FIELDS
    )
    birth = replace(OTHER_KIND, form=as_child)
    assert alike(identity(MARKED, FORM), identity(birth, FORM)) == ("name_and_birth",)
    assert identity(PROCEDURE, FORM).empty
