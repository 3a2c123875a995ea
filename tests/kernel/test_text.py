"""Unaccented Vietnamese, SMS lengths by GSM 03.38, and masking."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.text import (
    is_gsm,
    mask_email,
    mask_mapping,
    mask_phone,
    sms_segments,
    unaccent,
)

LETTERS = "aàảãáạăằẳẵắặâầẩẫấậeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵđ"
VIETNAMESE = LETTERS + LETTERS.upper()

# A dossier code of the usual 25 characters and one of 18.
LONG, SHORT = "000.00.06.H56-231027-0361", "38.98.H29-210519-0"
# The sample messages with the length that was measured for the long code, its fillers included.
SAMPLES = {
    "received": ("Da tiep nhan ho so {code}. Hen tra ket qua {rest}", 164),
    "supplement": ("Ho so {code} can bo sung giay to: xem Phieu yeu cau bo sung {rest}", 156),
    "fee": ("Ho so {code}: de nghi nop nghia vu tai chinh theo thong bao. {rest}", 134),
    "result": ("Ho so {code} da co ket qua. Moi Ong/Ba den {rest}", 124),
    "apology": ("UBND Phuong 11 xin loi vi ho so {code} tre hen. Ly do: {rest}", 145),
    "refused": ("Ho so {code} khong duoc tiep nhan. Ly do va huong dan: {rest}", 112),
}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Đã tiếp nhận hồ sơ", "Da tiep nhan ho so"),
        ("Ủy ban nhân dân Phường Hòa Thuận", "Uy ban nhan dan Phuong Hoa Thuan"),
        ("“Giấy hẹn” – ‘số 5’ … 20.000 ₫", "\"Giay hen\" - 'so 5' ... 20.000 d"),
        ("Phường 11, Cao Lãnh", "Phuong 11, Cao Lanh"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("điểm ① ½ ﬁ", "diem 1 1/2 fi"),
        ("hồ sơ 😀!", "ho so  !"),
    ],
)
def test_vietnamese_is_written_without_marks(text, plain):
    assert unaccent(text) == plain


def test_every_accented_letter_has_its_plain_letter():
    plain = unaccent(VIETNAMESE)
    assert len(plain) == len(VIETNAMESE)
    assert set(plain) == set("aeiouydAEIOUYD")


@given(st.text())
def test_unaccented_text_is_ascii_and_invents_no_question_mark(text):
    plain = unaccent(text)
    assert plain.isascii()
    assert is_gsm(plain)
    assert plain.count("?") <= sum(unicodedata.normalize("NFKD", text).count(q) for q in "?")


@given(st.text(alphabet=VIETNAMESE + " .,0123456789"))
def test_composed_and_decomposed_text_come_out_the_same(text):
    composed, decomposed = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    assert unaccent(composed) == unaccent(decomposed)
    assert is_gsm(unaccent(text))


@given(st.text(alphabet=VIETNAMESE + " .,"))
def test_taking_marks_off_twice_changes_nothing(text):
    assert unaccent(unaccent(text)) == unaccent(text)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", "gsm7", 0, 1),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 307, "gsm7", 307, 3),
        ("€" * 80, "gsm7", 160, 1),
        ("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3),  # an escape pair is never cut in two
        ("ế" * 70, "ucs2", 70, 1),
        ("ế" * 71, "ucs2", 71, 2),
        ("ế" * 134, "ucs2", 134, 2),
        ("ế" * 135, "ucs2", 135, 3),
        ("ế" * 66 + "😀" + "ế" * 66, "ucs2", 134, 3),  # nor is a surrogate pair
        ("[]{}\\^~|", "gsm7", 16, 1),
        ("à è é ì ò ù É", "gsm7", 13, 1),
        ("—", "ucs2", 1, 1),
    ],
)
def test_segments_are_counted_by_gsm_03_38(text, encoding, units, parts):
    counted = sms_segments(text)
    assert (counted.encoding, counted.units, counted.parts) == (encoding, units, parts)


def test_only_seven_accented_vietnamese_letters_are_in_the_gsm_table():
    assert {each for each in VIETNAMESE if is_gsm(each) and not each.isascii()} == set("àèéìòùÉ")


def test_decomposed_text_is_counted_as_composed():
    text = "Hồ sơ đã được tiếp nhận và hẹn trả kết quả đúng ngày ghi trên giấy hẹn."
    assert sms_segments(unicodedata.normalize("NFD", text)) == sms_segments(text)


def test_an_unaccented_message_fits_one_segment_where_the_accented_needs_two():
    text = (
        "Đã tiếp nhận hồ sơ của Ông/Bà. Hẹn trả kết quả ngày 25/04/2022 tại bộ phận một cửa "
        "Phường 11. Hỏi đáp: 0277 3851 234."
    )
    assert sms_segments(text).parts == 2
    assert sms_segments(unaccent(text)).parts == 1


@pytest.mark.parametrize("moment", SAMPLES)
def test_the_long_code_alone_costs_the_reception_message_a_second_segment(moment):
    template, measured = SAMPLES[moment]
    rest = "x" * (measured - len(template.format(code=LONG, rest="")))
    long, short = (template.format(code=code, rest=rest) for code in (LONG, SHORT))
    assert (sms_segments(long).units, sms_segments(short).units) == (measured, measured - 7)
    assert sms_segments(long).parts == (2 if moment == "received" else 1)
    assert sms_segments(short).parts == 1


@given(st.text(alphabet=VIETNAMESE + "ab€[]😀 ", max_size=400))
def test_parts_grow_with_the_text_and_hold_it(text):
    counted = sms_segments(text)
    room = 153 if counted.encoding == "gsm7" else 67
    assert counted.parts >= -(-counted.units // (160 if counted.encoding == "gsm7" else 70)) or (
        counted.parts == 1
    )
    assert counted.units <= max(counted.parts * room, 160 if counted.encoding == "gsm7" else 70)


def test_personal_values_are_hidden_at_any_depth():
    masked = mask_mapping(
        {
            "dossier": "000.00.06.H56-231027-0361",
            "phone": "+84907123456",
            "Email": "lan@example.vn",
            "more": [{"id_number": "087190001234", "form": {"a": 1}}, ("x", {"address": "12"})],
            "address": None,
        }
    )
    assert masked["dossier"] == "000.00.06.H56-231027-0361"
    assert masked["phone"] == "***456"
    assert masked["Email"] == "l***@example.vn"
    assert masked["more"] == [{"id_number": "***", "form": "***"}, ["x", {"address": "***"}]]
    assert masked["address"] is None


def test_too_short_or_odd_contacts_are_hidden_whole():
    assert mask_phone("115") == "***"
    assert mask_email("nobody") == "***"
    assert mask_email("@example.vn") == "***"
