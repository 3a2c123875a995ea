"""Numbers as people write them in Việt Nam; what could be two numbers is never guessed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.numbers import Unreadable, decimals, read_number, vietnamese


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("1.250", 1250),
        ("1,25", 1.25),
        ("1.250,5", 1250.5),
        ("1250,5", 1250.5),
        ("850.000", 850_000),
        ("1.500.000.000", 1_500_000_000),
        ("1 500 000", 1_500_000),
        ("1\u00a0500\u202f000".replace("\u202f", "\u00a0"), 1_500_000),
        ("0,250", 0.25),
        ("007", 7),
        ("0", 0),
        ("-5", -5),
        ("\u22125", -5),  # the minus sign of word processors
        ("+5", 5),
        ("１．２５０", 1250),
        ("\u202a1.250\u202c", 1250),
        ("1,250,000", 1_250_000),  # English, and it can be nothing else
        ("1,250.5", 1250.5),
    ],
)
def test_a_number_is_read_as_it_is_written_here(typed, number):
    read = read_number(typed)
    assert (read, type(read)) == (number, type(number))


@pytest.mark.parametrize(
    ("typed", "readings"),
    [
        ("1.25", ("1,25", "125")),
        ("120.5", ("120,5", "1.205")),
        ("1.2500", ("1,25", "12.500")),
        ("1,250", ("1,25", "1.250")),
        ("850,000", ("850", "850.000")),
    ],
)
def test_what_could_be_two_numbers_is_refused_and_both_are_named(typed, readings):
    refused = read_number(typed)
    assert isinstance(refused, Unreadable)
    assert f"{typed} có thể là {readings[0]} hoặc {readings[1]}" in refused.vi
    assert typed not in refused.en
    assert typed not in repr(refused)


def test_no_thousands_begin_with_nought():
    refused = read_number("0.5")
    assert isinstance(refused, Unreadable)
    assert "hãy ghi 0,5" in refused.vi


@pytest.mark.parametrize(
    "typed",
    ["", "một", "1e3", "1_000", "nan", "inf", "1.250.00", "1.25.000", "1,2,3", "1 25", "(500)",
     "1/2", "1.5 triệu", "120²", "--5", "5-", "0x10", "1.250 m2", "5 đ"],
)  # fmt: skip
def test_what_is_no_number_here_is_refused_with_an_example(typed):
    refused = read_number(typed)
    assert isinstance(refused, Unreadable)
    assert "1.250" in refused.vi


@pytest.mark.parametrize("typed", ["2.050.000 đ", "2.050.000đ", "2050000 đồng", "2.050.000 VND",
                                   "2 050 000 vnđ", "2.050.000 ₫", "2.050.000 đo\u0302\u0300ng"])  # fmt: skip
def test_a_sum_may_carry_its_unit(typed):
    assert read_number(typed, unit="vnd") == 2_050_000


@pytest.mark.parametrize("typed", ["120,5 m2", "120,5m²", "120,5 M2"])
def test_an_area_may_carry_its_unit(typed):
    assert read_number(typed, unit="m2") == 120.5


def test_a_number_of_endless_digits_is_refused_at_once():
    assert isinstance(read_number("9" * 100_000), Unreadable)


@given(st.integers(-(10**14), 10**14), st.integers(0, 3))
def test_what_is_shown_is_read_back_as_the_same_number(whole, places):
    number = float(Decimal(whole).scaleb(-places)) if places else whole
    shown = vietnamese(number)
    read = read_number(shown)
    if isinstance(
        read, Unreadable
    ):  # 1,234 alone could be two numbers; no field takes so fine a one
        assert decimals(number) == 3
    else:
        assert read == number


@given(st.text(alphabet="0123456789.,- đm2", max_size=20))
def test_whatever_is_typed_is_a_number_or_a_sentence(typed):
    read = read_number(typed, unit="vnd")
    assert isinstance(read, int | float | Unreadable)


def test_what_names_and_does_not_count_has_no_dots():
    assert vietnamese(1998, grouped=False) == "1998"
    assert vietnamese(1998) == "1.998"
