"""What people type and paste is made plain once, at the door, without changing what it says."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.letters import fold_name, fold_wide, foreign_letter, tidy

#: What copying from a messenger, a PDF, a web page or an old word processor brings along.
INVISIBLE = "\u00ad\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u202d\u202e"
INVISIBLE += "\u2060\u2066\u2069\u2800\u3164\ufe0d\ufe0f\ufeff\uffa0\ufffc\U000e0041"
BLANKS = "\u00a0\u2007\u2009\u202f\u3000"


@pytest.mark.parametrize("mark", INVISIBLE)
def test_an_invisible_mark_is_taken_out_wherever_it_stands(mark):
    assert tidy(f"{mark}0907{mark}123 456{mark}") == "0907123 456"
    assert tidy(mark * 3) == ""


@pytest.mark.parametrize("blank", BLANKS)
def test_every_blank_is_a_blank(blank):
    assert tidy(f"{blank}Trần{blank}Bé{blank}") == "Trần Bé"


@pytest.mark.parametrize("form", ["NFD", "NFC"])
@pytest.mark.parametrize("name", ["Nguyễn Thị Hường", "Đặng Bửu Ửng", "Nữ"])
def test_letters_and_their_marks_are_one_character(name, form):
    assert tidy(unicodedata.normalize(form, name)) == unicodedata.normalize("NFC", name)


def test_windows_1258_splits_marks_off_and_they_come_together_again():
    assert tidy(b"N\xf4\xf2p".decode("cp1258")) == "Nộp"


@given(st.text())
def test_tidying_twice_changes_nothing_more(text):
    once = tidy(text)
    assert tidy(once) == once
    assert fold_wide(fold_wide(once)) == fold_wide(once)


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("０８７１９０", "087190"),
        ("٠٨٧", "087"),
        ("Ｔｒần", "Trần"),
        ("𝐓𝐫ần 𝟏", "Trần 1"),
        ("120²", "120²"),
        ("①", "①"),
        ("½", "½"),
    ],
)
def test_wide_ornamental_and_foreign_digits_are_the_plain_ones_and_raised_ones_are_not(
    typed, plain
):
    assert fold_wide(typed) == plain


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Trần Вé", "Trần Bé"),  # Cyrillic В
        ("Nguyễn Ηoa", "Nguyễn Hoa"),  # Greek Η
        ("Ðặng Thị Lan", "Đặng Thị Lan"),  # Icelandic Eth, as Latin-1 shows Đ
        ("Guðrún", "Guðrún"),
        ("Nguyễn Văn Tư", "Nguyễn Văn Tư"),
    ],
)
def test_letters_that_look_latin_beside_latin_ones_are_latin(typed, name):
    assert fold_name(typed) == name
    assert foreign_letter(fold_name(typed)) is None


def test_a_whole_name_of_another_alphabet_is_left_and_named():
    assert fold_name("Сара") == "Сара"
    assert foreign_letter("Сара") == "С"
    assert foreign_letter(fold_name("Trần Жora")) == "Ж"
    assert foreign_letter("Trần 龙") == "龙"
