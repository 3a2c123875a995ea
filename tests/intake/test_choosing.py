"""The procedure of a new dossier: found by any part of its name or code, or the last one again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.intake.web.pages.choosing import find
from tests.intake.made import OFFICE, OTHER_OFFICE, PROCEDURE, catalogue
from tests.intake.rig import Desk
from tests.intake.test_pages import FILLED, Browser, words

BIRTH = replace(PROCEDURE, code="1.001193", name="Đăng ký khai sinh", short_name="Khai sinh")
COPY = replace(PROCEDURE, code="2.000635", name="Bản sao trích lục, bản sao Giấy khai sinh")
LAND = replace(PROCEDURE, code="1.013831", name="Đăng ký biến động đất đai", field="Đất đai")
CITY = catalogue(PROCEDURE, COPY, BIRTH, LAND)
OFFERED = [COPY, BIRTH, LAND, PROCEDURE]


@pytest.fixture
def desk(embedded):
    made = Desk(embedded, CITY)
    yield made
    made.close()


@pytest.fixture
def officer(desk):
    return Browser(desk, ("officer", OFFICE.code))


@pytest.mark.parametrize(
    ("typed", "first", "how_many"),
    [
        ("khai sinh", BIRTH, 2),
        ("KHAI  SINH", BIRTH, 2),
        ("khái sinh", BIRTH, 2),
        ("dang ky khai", BIRTH, 1),
        ("đăng ký", BIRTH, 2),
        ("sinh giay", COPY, 1),
        ("dat dai", LAND, 1),
        ("đất đai bien", LAND, 1),
        ("1.0138", LAND, 1),
        ("0138", LAND, 1),
        ("1013831", LAND, 1),
        ("１０１３", LAND, 1),
        ("thu nghiem", PROCEDURE, 4),
        ("xe hơi", None, 0),
        ("%_", None, 0),
    ],
)
def test_any_part_of_a_name_or_code_finds_it_with_or_without_marks(typed, first, how_many):
    found = find(OFFERED, typed)
    assert (found[0] if found else None, len(found)) == (first, how_many)


def test_without_scripts_the_words_are_sent_and_the_only_one_opens_at_once(officer):
    page = officer.get("/ho-so/moi?tim=khai+sinh")
    assert page.text.index("Đăng ký khai sinh") < page.text.index("Bản sao trích lục")
    assert 'value="khai sinh"' in page.text
    assert "2 thủ tục" in words(page)
    opened = officer.get("/ho-so/moi?tim=bien+dong")
    assert (opened.status_code, opened.location) == (302, "/ho-so/moi/1.013831")
    none = officer.get("/ho-so/moi?tim=xe+h%C6%A1i")
    assert none.status_code == 200
    assert "data-none hidden" not in none.text
    assert "Gõ ít chữ hơn" in words(none)
    assert officer.get("/ho-so/moi?tim=" + "x+" * 500).status_code == 200


def test_the_procedure_that_was_filed_last_is_one_key_away(officer, desk):
    assert "Vừa nộp" not in officer.get("/ho-so/moi").text
    officer.get("/ho-so/moi/1.001193")
    filed = officer.post("/ho-so/moi/1.001193", FILLED)
    receipt = officer.get(filed.location)
    assert 'href="/ho-so/moi/1.001193" data-key="M"' in receipt.text
    assert "Vừa nộp: Đăng ký khai sinh" in words(officer.get("/ho-so/moi"))
    other = Browser(desk, ("officer", OTHER_OFFICE.code), login="lan")
    assert "Vừa nộp" not in other.get("/ho-so/moi").text
