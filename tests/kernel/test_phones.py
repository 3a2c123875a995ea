"""Vietnamese phone numbers as people write them."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel import phones
from shared.kernel.errors import InvalidInput
from shared.kernel.phones import normalise_phone


@pytest.mark.parametrize(
    ("raw", "e164", "kind"),
    [
        ("0907.123.456", "+84907123456", "mobile"),
        ("84907123456", "+84907123456", "mobile"),
        ("+84 (0)907 123 456", "+84907123456", "mobile"),
        ("+84907123456", "+84907123456", "mobile"),
        ("0084 907 123 456", "+84907123456", "mobile"),
        ("0912-345-678", "+84912345678", "mobile"),
        ("0381234567", "+84381234567", "mobile"),
        ("0592345678", "+84592345678", "mobile"),
        ("0872345678", "+84872345678", "mobile"),
        ("0522345678", "+84522345678", "mobile"),
        ("0277 3851 234", "+842773851234", "fixed"),
        ("1900 1234", "+8419001234", "other"),
        ("1800 1234", "+8418001234", "other"),
    ],
)
def test_numbers_are_read_however_they_were_written(raw, e164, kind):
    phone = normalise_phone(raw)
    assert (phone.e164, phone.kind, phone.original) == (e164, kind, raw)
    assert phone.takes_sms is (kind == "mobile")


@pytest.mark.parametrize(
    ("raw", "hint"),
    [
        ("0168 123 4567", "0381234567"),
        ("01201234567", "0701234567"),
        ("84 123 123 4567", "0831234567"),
        ("01991234567", "0591234567"),
        ("01861234567", "0561234567"),
    ],
)
def test_an_old_eleven_digit_number_is_refused_with_the_new_one_as_a_hint(raw, hint):
    with pytest.raises(InvalidInput) as refused:
        normalise_phone(raw)
    fault = refused.value.faults[0]
    assert hint in fault.vi
    assert hint in fault.en


@pytest.mark.parametrize(
    "raw", ["", "abc", "0671234567", "+1 202 555 0123", "12", "0907", "0907123456789", "09O7123456"]
)
def test_what_cannot_be_reached_is_refused(raw):
    with pytest.raises(InvalidInput) as refused:
        normalise_phone(raw, place="contact.phone")
    assert refused.value.faults[0].place == "contact.phone"


def test_neither_the_repr_nor_the_error_text_tells_the_number():
    assert "907123456" not in repr(normalise_phone("0907123456"))
    with pytest.raises(InvalidInput) as refused:
        normalise_phone("01681234567")
    assert "1234567" not in str(refused.value)


MOBILES = st.tuples(
    st.sampled_from(["032", "039", "070", "079", "081", "086", "090", "098", "056", "092", "093"]),
    st.integers(1_000_000, 9_999_999),
).map(lambda drawn: f"{drawn[0]}{drawn[1]}")


@given(MOBILES, st.sampled_from(["{}", " {} ", "+84{1}", "84{1}", "+84(0){1}"]))
def test_every_way_of_writing_a_mobile_gives_the_same_number(national, way):
    written = way.format(national, national[1:])
    assert normalise_phone(written).e164 == "+84" + national[1:]


@given(MOBILES)
def test_reading_a_normalised_number_changes_nothing(national):
    once = normalise_phone(national).e164
    assert normalise_phone(once).e164 == once


@given(st.from_regex(phones._PLAIN_MOBILE, fullmatch=True))
def test_what_is_known_without_the_tables_is_what_the_tables_say(national):
    number = phonenumbers.parse(national, "VN")
    assert phonenumbers.is_valid_number(number)
    assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
    written = normalise_phone(national)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert (written.e164, written.kind) == (e164, "mobile")
