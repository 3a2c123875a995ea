"""Finding dossiers: by code, name, phone, ID number, parcel; the rows behind it and how they come."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from services.intake.app import build
from services.intake.domain.contacts import ContactInput
from services.intake.domain.dossier import Contact
from services.intake.domain.finding import beginnings, folded, read_search, terms_of
from services.intake.storage import search
from services.intake.storage.filling import is_whole
from services.intake.storage.search import Index
from services.intake.storage.searches import KEPT
from services.intake.storage.tables import search_words, searches
from services.intake.usecases import desk as verbs
from services.intake.usecases.lists import searched
from shared.catalogue import FormField
from tests.intake.made import CATALOGUE, FORM, OFFICE, OTHER_OFFICE, PROCEDURE
from tests.intake.test_pages import Browser, words

ID = "079190001234"
OWN = OFFICE.official_id


def find(desk, text: str, office=OFFICE) -> set[str]:
    with desk.store.read() as connection:
        index = desk.store.given[Index]
        return set(searched(connection, index, office.code, office.official_id, text).codes)


def named(name: str, phone: str | None = None) -> ContactInput:
    return ContactInput(name=name, phone=phone)


def test_a_dossier_is_found_by_whatever_a_citizen_can_say_of_it(desk):
    mine = desk.submit(
        contact=named("Đặng Thị Đào", "0907 123 456"),
        form={**FORM, "full_name": "Lê Văn Út", "id_number": ID},
    )
    desk.submit(contact=named("Trần Văn Bình", "0912345678"))
    desk.submit(office=OTHER_OFFICE.code, contact=named("Đặng Thị Đào"))
    for text in (
        "dang thi dao", "Đặng Thị Đào", "DANG DAO", "đào đặng", "dang th", "thi dao", "le ut",
        "Út", "0907123456", "+84 907.123.456", ID, "079 190 001 234",
    ):  # fmt: skip
        assert find(desk, text) == {mine}, text
    for text in ("dao thi dang x", "binh dang", "zz", "0907123457", "079190001235", "%", "_", "~"):
        assert find(desk, text) == set(), text


def test_a_code_is_found_however_it_is_typed_and_in_every_state(desk):
    code = desk.submit()
    desk.do(verbs.withdraw, OFFICE.code, code, reason="đổi ý")
    tail = code.removeprefix(f"{OWN}-")
    for text in (
        code, code.replace(".", "").replace("-", ""), code.replace("-", " "), code.lower(),
        code.replace("0", "O"), f" {code} ", code.replace("-", "–"), tail, tail.replace("-", ""),
    ):  # fmt: skip
        assert find(desk, text) == {code}, text
    assert find(desk, code, OTHER_OFFICE) == set()


def test_a_change_takes_the_old_words_along(desk):
    code = desk.submit(contact=named("Phan Thị Cũ", "0907123456"))
    desk.do(verbs.correct_contact, OFFICE.code, code, typed=named("Phan Thị Mới", "0912345678"))
    assert find(desk, "phan moi") == find(desk, "0912345678") == {code}
    assert find(desk, "phan cu") == find(desk, "0907123456") == set()
    with desk.store.transaction() as connection:
        search.forget(connection, [code])
    assert find(desk, "phan moi") == set()


def test_what_was_there_before_is_made_findable_and_again_under_another_secret(desk, backend):
    codes = {desk.submit(contact=named("Lý Cũ", "0907123456")) for _ in range(3)}
    desk.rest()
    index = desk.store.given[Index]
    with desk.store.transaction() as connection:
        connection.execute(sa.delete(search_words))
    assert find(desk, "ly cu") == set()
    settings = replace(backend.settings("intake"), secret_key="another secret of enough letters!!")
    other = build(settings, catalogue=CATALOGUE, clock=desk.clock, ids=desk.store.ids, bus=desk.bus)
    (filling,) = [loop for loop in other.loops if loop.name == "intake.search"]
    with desk.store.read() as connection:
        assert is_whole(connection, index)
        assert not is_whole(connection, other.store.given[Index])
    while filling.step(0):
        pass
    with desk.store.read() as connection:
        assert is_whole(connection, other.store.given[Index])
    assert find(desk, "ly cu") == codes
    assert find(desk, "0907123456") == set()  # our old secret knows the new digests no more
    desk.store.given[Index] = other.store.given[Index]
    assert find(desk, "0907123456") == codes
    other.close()


def test_no_row_holds_a_number_of_a_person(desk):
    desk.submit(form={**FORM, "id_number": ID})
    with desk.store.read() as connection:
        kept = " ".join(connection.scalars(sa.select(search_words.c.word)))
    for number in (ID, "907123456", FORM["birth_date"], "19900504"):
        assert number not in kept


def test_names_that_are_too_common_are_cut_and_it_is_said(desk, monkeypatch):
    monkeypatch.setattr(search, "MOST_FOUND", 1)
    monkeypatch.setattr(search, "_TOO_COMMON", 1)
    for _ in range(3):
        desk.submit()
    with desk.store.read() as connection:
        index = desk.store.given[Index]
        found = searched(connection, index, OFFICE.code, OWN, "nguyen mai")
    assert found.more
    assert len(found.codes) == 1


# --- what a search means, without a database ------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parcel"),
    [
        ("5/123", "5/123"), ("tờ 5 thửa 123", "5/123"), ("Thửa 123, tờ 5", "5/123"),
        ("Tờ bản đồ số 5, thửa đất số 123", "5/123"), ("5 123", None), ("5123", None),
    ],
)  # fmt: skip
def test_a_parcel_is_read(text, parcel):
    assert read_search(text, OWN).parcel == parcel


def test_a_parcel_is_found_by_the_numbers_that_the_catalogue_marks():
    fields = (
        FormField("sheet", "Tờ", "number", True, False, identifies="parcel"),
        FormField("plot", "Thửa", "number", True, False, identifies="parcel"),
    )
    procedure = replace(PROCEDURE, form=fields)
    assert terms_of(procedure, Contact("A"), {"sheet": 5, "plot": 123}).parcels == {"5/123"}
    assert terms_of(procedure, Contact("A"), {"sheet": 5}).parcels == set()


@given(st.text(max_size=300))
def test_any_text_is_read_and_says_nothing_of_itself(text):
    wanted = read_search(text, OWN)
    assert len(wanted.codes) < 10
    assert "words=" not in repr(wanted)


@given(st.lists(st.sampled_from(["Nguyễn", "Văn", "Đặng", "An"]), min_size=1, max_size=20))
def test_every_run_of_words_begins_one_of_the_kept_beginnings(name):
    plain = folded(" ".join(name))
    run = " ".join(plain.split()[1:3] or plain.split())
    assert any(each.startswith(run) for each in beginnings(plain))


# --- the pages ------------------------------------------------------------------------------------


@pytest.fixture
def officer(embedded_desk):
    return Browser(embedded_desk, ("officer", OFFICE.code))


def test_an_exact_code_opens_the_dossier_and_a_name_stays_out_of_every_address(
    officer, embedded_desk
):
    code = embedded_desk.submit()
    officer.get("/ho-so")
    squeezed = code.replace(".", "").replace("-", "")
    assert officer.post("/ho-so/tim", {"q": squeezed}).location == f"/ho-so/{code}"
    to = officer.post("/ho-so/tim", {"q": "Nguyễn Thị Mai"}).location
    page = officer.get(to)
    assert code in page.text
    for address in re.findall(r'(?:href|action)="([^"]*)"', page.text):
        assert "mai" not in address.lower().removeprefix("mailto:"), address
    assert 'value="Nguyễn Thị Mai"' in page.text


def test_a_search_goes_with_every_tab_and_is_over_after_an_hour(officer, embedded_desk):
    code = embedded_desk.submit(channel="online")
    other = embedded_desk.submit(contact=named("Phạm Văn Tư"))
    officer.get("/ho-so")
    to = officer.post("/ho-so/tim", {"q": "mai"}).location
    tabs = dict(re.findall(r'<a href="(/ho-so\?xem=([a-z-]+)[^"]*)"', officer.get(to).text))
    kept = [address for address, name in tabs.items() if name == "can-kiem-tra"]
    page = officer.get(kept[0].replace("&amp;", "&"))
    assert code in page.text
    assert other not in page.text
    embedded_desk.clock.set(embedded_desk.clock.now() + 2 * KEPT)
    assert "quá một giờ" in words(officer.get(to))
    officer.post("/ho-so/tim", {"q": "tư"})
    with embedded_desk.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(searches)) == 1


def test_a_search_of_another_office_opens_nothing(officer, embedded_desk):
    embedded_desk.submit()
    officer.get("/ho-so")
    to = officer.post("/ho-so/tim", {"q": "mai"}).location
    stranger = Browser(embedded_desk, ("officer", OTHER_OFFICE.code))
    page = stranger.get(to)
    assert "Nguyễn Thị Mai" not in page.text
    assert "mai" not in words(page).lower().split()


def test_what_finds_nothing_says_what_to_do(officer, embedded_desk):
    officer.get("/ho-so")
    page = officer.get(officer.post("/ho-so/tim", {"q": "Không Có Ai"}).location)
    assert "Không tìm thấy hồ sơ nào" in words(page)
    assert "gõ ít chữ hơn" in words(page)
    assert officer.post("/ho-so/tim", {"q": "   "}).status_code == 303
