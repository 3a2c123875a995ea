"""What is typed at the desk is kept until it is filed: found again by reload, Back and the list."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.intake.storage import drafts
from services.intake.storage.drafts import Draft
from services.intake.usecases import drafting
from services.intake.usecases.prune import prune
from shared.identity.audit import tables
from shared.kernel.errors import InvalidInput
from tests.intake.made import OFFICE, OTHER_OFFICE
from tests.intake.test_pages import FILLED, Browser, how_many, words

FORM = "/ho-so/moi/1.000001"
KEEP = "/ho-so/ban-nhap/1.000001"
TYPED = {"token": "t-1", "d.page": "p-1", "d.after": "", "f.full_name": "Nguyễn Thị M"}


@pytest.fixture
def officer(embedded_desk):
    made = Browser(embedded_desk, ("officer", OFFICE.code))
    made.get(FORM)
    return made


def typed(desk, **changes) -> Draft:
    given = {
        "office": OFFICE.code,
        "id": "t-1",
        "procedure": "1.000001",
        "officer": "officer:k",
        "page": "p-1",
        "saves": 1,
        "inputs": (("f.full_name", "Nguyễn"),),
        "saved_at": desk.clock.now(),
    }
    return Draft(**given | changes)


def save(desk, draft, *after):
    with desk.store.begin() as uow:
        return drafting.save(uow, draft, after)


def kept(desk, office=OFFICE.code) -> list[Draft]:
    with desk.store.read() as connection:
        return drafts.of_office(connection, office, desk.clock.now())


def names(desk) -> list[str]:
    return sorted(dict(each.inputs)["f.full_name"] for each in kept(desk))


# --- which save counts ------------------------------------------------------------------------


def test_a_page_goes_on_with_its_own_draft_and_a_late_save_changes_nothing(desk):
    save(desk, typed(desk))
    save(desk, typed(desk, saves=3, inputs=(("f.full_name", "Nguyễn Thị Mai"),)))
    save(desk, typed(desk, saves=2, inputs=(("f.full_name", "Nguyễn Thị"),)))
    assert names(desk) == ["Nguyễn Thị Mai"]


def test_a_page_that_was_opened_from_the_draft_goes_on_with_it(desk):
    save(desk, typed(desk, saves=7))
    saved = save(desk, typed(desk, page="p-2", inputs=(("f.full_name", "Mai"),)), "p-1")
    assert (saved.id, names(desk)) == ("t-1", ["Mai"])


def test_a_form_that_is_open_twice_loses_the_words_of_neither(desk):
    save(desk, typed(desk, inputs=(("f.full_name", "first"),)))
    save(desk, typed(desk, page="p-2", inputs=(("f.full_name", "second"),)), "p-1")
    beside = save(desk, typed(desk, saves=2, inputs=(("f.full_name", "third"),)))
    assert beside.id != "t-1"
    assert names(desk) == ["second", "third"]


def test_a_draft_is_its_offices_own_and_ends_a_day_after_the_last_save(desk):
    save(desk, typed(desk))
    save(desk, typed(desk, office=OTHER_OFFICE.code, inputs=(("f.full_name", "other"),)))
    assert names(desk) == ["Nguyễn"]
    desk.clock.advance(timedelta(hours=23))
    save(desk, typed(desk, saves=2))
    desk.clock.advance(timedelta(hours=23))
    assert len(kept(desk)) == 1
    assert kept(desk, OTHER_OFFICE.code) == []
    list(prune(desk.store, desk.service.settings))
    with desk.store.read() as connection:
        assert drafts.count(connection, OTHER_OFFICE.code) == 0
        assert drafts.count(connection, OFFICE.code) == 1


def test_there_is_an_end_to_how_many_an_office_has(embedded_desk, monkeypatch):
    monkeypatch.setattr(drafting, "MOST", 2)
    for number in range(2):
        save(embedded_desk, typed(embedded_desk, id=f"t-{number}"))
    with pytest.raises(InvalidInput, match="delete some"):
        save(embedded_desk, typed(embedded_desk, id="t-9"))
    save(embedded_desk, typed(embedded_desk, id="t-1", saves=9))


# --- on the pages -----------------------------------------------------------------------------


def test_what_was_saved_is_in_the_form_again_and_no_dossier_yet(officer, embedded_desk):
    more = {"p.other.name": "Giấy\0 xác nhận", "branches": "extra", "c.sms": "1", "d.n": "1"}
    answer = officer.post(KEEP, TYPED | more)
    assert answer.get_json()["id"] == "t-1"
    page = officer.get(f"{FORM}?nhap=t-1")
    assert 'value="Nguyễn Thị M"' in page.text
    assert 'value="Giấy xác nhận"' in page.text
    assert re.search(r'name="branches" value="extra" checked', page.text)
    assert not re.search(r'name="branches" value="main" checked', page.text)
    assert 'name="token" value="t-1"' in page.text
    assert "Đã lưu nháp lúc 09:00" in words(page)
    assert how_many(embedded_desk) == 0


def test_the_button_keeps_it_without_a_script(officer):
    answer = officer.post(KEEP, TYPED | {"d.keep": "1"})
    assert (answer.status_code, answer.location) == (303, f"{FORM}?nhap=t-1")
    page = officer.get(answer.location)
    fields = dict(re.findall(r'name="(d\.\w+)" value="([^"]*)"', page.text))
    again = officer.post(KEEP, TYPED | fields | {"f.full_name": "Mai", "d.keep": "1"})
    assert again.location == answer.location
    assert 'value="Mai"' in officer.get(again.location).text


def test_a_form_that_could_not_be_filed_is_kept_too(officer, embedded_desk):
    answer = officer.post(FORM, FILLED | {"f.birth_date": ""})
    assert answer.status_code == 422
    assert 'value="Nguyễn Thị Mai"' in officer.get(f"{FORM}?nhap=t-1").text
    assert len(kept(embedded_desk)) == 1


def test_the_draft_goes_with_the_filing_and_back_shows_a_new_form(officer, embedded_desk):
    officer.post(KEEP, TYPED)
    filed = officer.post(FORM, FILLED)
    assert filed.status_code == 303
    assert kept(embedded_desk) == []
    late = officer.post(KEEP, TYPED | {"d.n": "9"})  # a save that was on its way
    assert late.get_json()["filed"] is True
    assert kept(embedded_desk) == []
    back = officer.get(f"{FORM}?nhap=t-1")
    code = filed.location.split("/")[-2]
    assert f"/ho-so/{code}/giay-hen" in back.text
    assert 'name="token" value="t-1"' not in back.text
    assert "Nguyễn Thị M" not in back.text


def test_filed_twice_by_a_double_click_is_one_whatever_page_it_was(officer, embedded_desk):
    first = officer.post(FORM, FILLED | {"d.page": "p-1"})
    again = officer.post(FORM, FILLED | {"d.page": "p-2", "d.after": "p-1"})
    assert first.location == again.location
    assert how_many(embedded_desk) == 1


def test_a_new_form_names_the_drafts_that_are_there(officer):
    officer.post(KEEP, TYPED | {"c.name": "Nguyễn Thị Mai"})
    page = officer.get(FORM)
    assert "Có 1 bản nháp khác" in words(page)
    assert f'href="{FORM}?nhap=t-1"' in page.text
    assert 'value="Nguyễn Thị Mai"' not in page.text


def test_drafts_are_listed_opened_and_deleted(officer, embedded_desk):
    assert "Không có bản nháp nào" in words(officer.get("/ho-so/ban-nhap"))
    officer.post(KEEP, TYPED | {"c.name": "Nguyễn Thị Mai"})
    page = officer.get("/ho-so/ban-nhap")
    assert "Nguyễn Thị Mai" in page.text
    assert f'href="{FORM}?nhap=t-1"' in page.text
    assert officer.post("/ho-so/ban-nhap/t-1/xoa").status_code == 303
    assert kept(embedded_desk) == []


def test_another_office_sees_none_of_it(officer, embedded_desk):
    officer.post(KEEP, TYPED | {"c.name": "Nguyễn Thị Mai"})
    stranger = Browser(embedded_desk, ("officer", OTHER_OFFICE.code))
    for path in ("/ho-so/ban-nhap", f"{FORM}?nhap=t-1", FORM):
        assert "Nguyễn Thị M" not in stranger.get(path).text, path
    stranger.post("/ho-so/ban-nhap/t-1/xoa")
    assert len(kept(embedded_desk)) == 1


def test_nothing_is_kept_without_the_forms_token_or_for_what_is_not_offered(officer, embedded_desk):
    assert officer.post(KEEP, TYPED, token="").status_code == 400
    assert officer.post("/ho-so/ban-nhap/1.000004", TYPED).status_code == 404
    assert kept(embedded_desk) == []


def test_an_odd_address_or_count_breaks_nothing(officer):
    for odd in ("x" * 5000, "<script>", "%F0%9F%98%80", "../../x", ""):
        assert officer.get(f"{FORM}?nhap={odd}").status_code == 200
    for odd in ("-1", "x", "9" * 30, "٣"):
        assert officer.post(KEEP, TYPED | {"d.n": odd}).status_code == 200


def test_a_page_of_the_session_before_gets_a_token_of_this_one(officer, embedded_desk):
    again = Browser(embedded_desk, ("officer", OFFICE.code))
    assert again.post(KEEP, TYPED, token=officer.token).status_code == 400
    renewed = again.client.get("/ho-so/ban-nhap/ve").get_json()["csrf"]
    assert again.post(KEEP, TYPED, token=renewed).status_code == 200


def test_typing_on_is_noted_once_and_never_with_a_citizens_words(officer, embedded_desk):
    for count in range(5):
        officer.post(KEEP, TYPED | {"d.n": str(count + 1)})
    embedded_desk.service.beside[0].flush()
    with embedded_desk.store.read() as connection:
        noted = connection.execute(sa.select(tables.LOG)).all()
    saves = [each for each in noted if "ban-nhap" in each.act]
    assert [each.things for each in saves] == ["1.000001 t-1"]
    assert "Nguyễn" not in str(noted)
