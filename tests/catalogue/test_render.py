"""Messages: filled in, human, and an SMS that fits."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.catalogue.model import Template
from shared.catalogue.moments import SHORTENED, VALUES
from shared.catalogue.render import MORE, BrokenTemplate, Room, parts_of, plain, render
from shared.kernel.text import is_gsm, sms_segments
from tests.catalogue.conftest import MARCH_2022

VALUES_OF_A_CASE = {
    "code": "000.22.87.H20-220307-0001",
    "procedure": "Khai sinh, thuong tru, the BHYT",
    "due": "17:30 07/03/2022",
    "place": "UBND Phường 2",
    "office": "UBND Phường 2",
    "agency": "BHXH TP",
    "hotline": "0277 000 0102",
    "lookup": "K7M2QX",
    "name": "Nguyễn Thị Đào",
    "reason": "Thiếu bản sao.",
    "next_step": "Nộp bổ sung tại nơi đã nộp hồ sơ",
    "items": "Giấy chứng sinh",
    "amount": "1.250.000 đ",
    "step": "Cấp thẻ",
}


def sms(body: str) -> Template:
    return Template("received", "sms", "vi", 1, date(2021, 1, 1), None, None, body)


def email(subject: str, body: str) -> Template:
    return Template("received", "email", "vi", 1, date(2021, 1, 1), None, subject, body)


def test_an_sms_comes_out_unaccented_with_code_date_and_hotline(city):
    template = city.template("received", "sms", "vi", MARCH_2022)
    assert render(template, {**VALUES_OF_A_CASE, "procedure": "Khai sinh"}).body == (
        "Da tiep nhan ho so 000.22.87.H20-220307-0001 (Khai sinh). Hen tra ket qua "
        "17:30 07/03/2022 tai UBND Phuong 2. Tu tra cuu: K7M2QX. Hoi: 0277 000 0102"
    )


def test_an_email_keeps_its_marks_and_ends_in_one_line_break(city):
    made = render(city.template("extended", "email", "vi", MARCH_2022), VALUES_OF_A_CASE)
    assert made.subject == "Xin lỗi và hẹn lại ngày trả kết quả hồ sơ 000.22.87.H20-220307-0001"
    assert made.body.startswith("Kính gửi Nguyễn Thị Đào,\n\n")
    assert "Lý do: Thiếu bản sao.\n" in made.body
    assert made.body.endswith("UBND Phường 2\n")
    assert not made.body.endswith("\n\n")


def test_decomposed_values_come_out_composed():
    value = unicodedata.normalize("NFD", "Nguyễn Thị Đào")
    made = render(email("{name}", "{name}"), {"name": value})
    assert made.body == "Nguyễn Thị Đào\n"
    assert made.subject == "Nguyễn Thị Đào"


def test_a_line_break_in_a_value_cannot_make_a_second_mail_header():
    assert render(email("{reason}", "x"), {"reason": "a\r\nBcc: b"}).subject == "a Bcc: b"


def test_an_optional_part_goes_when_its_value_is_empty():
    template = sms("Ho so {code}.[ Ly do: {reason}.] Hoi: {hotline}")
    values = {"code": "X", "hotline": "1"}
    assert render(template, values).body == "Ho so X. Hoi: 1"
    assert render(template, {**values, "reason": "đủ"}).body == "Ho so X. Ly do: du. Hoi: 1"


def test_the_procedure_s_name_is_the_first_to_go():
    template = sms("Ho so {code}[ ({procedure})]: {reason}. " + "x" * 90)
    values = {"code": "X" * 25, "procedure": "Khai sinh thuong tru", "reason": "thieu giay to"}
    made = render(template, values).body
    assert "Khai" not in made
    assert "thieu giay to." in made
    assert sms_segments(made).parts == 1


def test_then_optional_parts_go_from_the_last_and_a_reason_is_shortened_before_it_goes():
    template = sms("Ho so {code}: {items}.[ Ly do: {reason}.][ Cho khong tinh vao han.]")
    values = {"code": "X" * 25, "items": "to khai " * 9, "reason": "thieu chu ky hai ben " * 4}
    made = render(template, values).body
    assert "Cho khong tinh" not in made
    assert re.search(r"Ly do: thieu chu ky( \w+)* \(con nua\)\.$", made), made
    assert sms_segments(made).parts == 1


def test_what_the_citizen_does_next_is_shortened_and_never_goes():
    template = sms("Ho so {code}.[ Ly do: {reason}.][ {next_step}.] Hoi: 1")
    values = {"code": "X" * 25, "reason": "mot hai ba " * 20, "next_step": "nop lai to khai; " * 20}
    made = render(template, values).body
    assert "nop lai to khai (con nua)." in made or "nop lai to khai; nop lai" in made
    assert sms_segments(made).parts == 1


def test_a_shortened_sentence_says_so_in_its_reader_s_language_and_without_dots():
    for language, more in MORE.items():
        template = replace(sms("Ly do: {reason}. Hoi: 1"), language=language)
        made = render(template, {"reason": "mot hai ba bon nam " * 20}).body
        assert f"{more}. Hoi: 1" in made
        assert ".." not in made


def test_an_sms_takes_the_parts_that_it_may_and_leaves_what_is_kept_of_them():
    template = sms("Ho so {code}.[ Ly do: {reason}.] Hoi: 1")
    values = {"code": "X" * 25, "reason": "mot hai ba bon nam " * 40}
    for room in (Room(1, 0), Room(1, 40), Room(2, 40), Room(3, 0)):
        size = sms_segments(render(template, values, room).body)
        assert room.septets - 30 < size.units <= room.septets
        assert size.parts == room.parts


def test_what_cannot_be_shortened_is_sent_in_more_segments_and_never_cut_off():
    code = "X" * 200
    assert code in render(sms("Ho so {code}"), {"code": code}).body


@given(st.dictionaries(st.sampled_from(sorted(VALUES)), st.text(max_size=300)))
def test_whatever_people_type_an_sms_stays_gsm_and_never_grows_a_question_mark(values):
    template = sms("Ho so {code}[ ({procedure})] tai {place}: {reason}.[ {items}.] {hotline}")
    made = render(template, values).body
    assert is_gsm(made)
    assert not set(made) & set("^{}\\[]~|€\n\r`")
    asked = sum(value.count("?") for value in values.values())
    assert made.count("?") <= asked


@given(st.text(max_size=80))
def test_plain_text_is_a_fixed_point(text):
    assert plain(plain(text)) == plain(text)


@given(st.sampled_from(SHORTENED), st.text(alphabet="abc de", min_size=1, max_size=400))
def test_a_long_shortenable_value_never_costs_a_second_segment(name, value):
    made = render(sms("Ho so {code}: {" + name + "}. Hoi: 0277"), {"code": "X" * 25, name: value})
    assert sms_segments(made.body).parts == 1


@pytest.mark.parametrize("body", ["{nobody}", "[a", "a]", "[a[b]]", "{code", "code}", "{Code}"])
def test_a_broken_template_says_so(body):
    with pytest.raises(BrokenTemplate):
        parts_of(body)
