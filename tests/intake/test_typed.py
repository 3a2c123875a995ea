"""What is typed on the desk's pages and sent over REST: read as people here write, or refused at its place."""

from __future__ import annotations

import unicodedata
from datetime import date
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.forms import check_form
from services.intake.web.pages import typed
from shared.kernel.errors import Fault
from tests.intake.made import FORM, OFFICE, PROCEDURE, TODAY
from tests.intake.test_pages import FILLED, Browser, words


def checked(today=TODAY, **values):
    """The tidied values of a form with these in it, and the faults by place."""
    faults: list[Fault] = []
    kept = check_form(PROCEDURE.form, {**FORM, **values}, faults, today=today)
    return kept, {fault.place.removeprefix("form."): fault.vi for fault in faults}


def read(name, text):
    """What the page makes of an input, checked."""
    values = typed.form(PROCEDURE.form, typed.Typed({f"f.{name}": text}))
    return checked(**values)


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "number"),
    [
        ("area", "1.250", 1250),
        ("area", "1,25", 1.25),
        ("area", "1.250,5 m²", 1250.5),
        ("price", "850.000", 850_000),
        ("price", "1.500.000.000", 1_500_000_000),
        ("price", "2.050.000 đ", 2_050_000),
        ("price", "2.050.000 đồng", 2_050_000),
        ("price", "2.050.000 VND", 2_050_000),
        ("since", "1998", 1998),
    ],
)
def test_a_number_on_a_page_is_what_it_says_here(name, text, number):
    kept, faults = read(name, text)
    assert (kept[name], faults) == (number, {})


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("area", "1.25", "1.25 có thể là 1,25 hoặc 125"),
        ("area", "1,250", "1,250 có thể là 1,25 hoặc 1.250"),
        ("area", "-5", "Phải từ 0,1 đến 10.000.000."),
        ("area", "0", "Phải từ 0,1 đến 10.000.000."),
        ("area", "20.000.000", "Phải từ 0,1 đến 10.000.000."),
        ("area", "1,2345", "Tối đa 2 chữ số sau dấu phẩy."),
        ("price", "-1.000", "Phải từ 1.000 đến 10.000.000.000.000."),
        ("price", "1500,5", "Phải là số nguyên, không có phần lẻ."),
        ("since", "2099", f"Phải từ 1900 đến {TODAY.year}."),
        ("copies", "2,5", "Phải là số nguyên, không có phần lẻ."),
        ("copies", "hai", "Không đọc được số này."),
    ],
)
def test_a_number_that_cannot_be_meant_is_refused_with_what_can(name, text, said):
    kept, faults = read(name, text)
    assert name not in kept
    assert said in faults[name]


@pytest.mark.parametrize("value", ["1.250", "120", " ", True, [1]])
def test_rest_takes_json_numbers_and_says_so(value):
    _, faults = checked(area=value)
    assert value == " " or "JSON" in faults["area"]


@given(st.floats(0.1, 10_000_000).map(lambda number: round(number, 2)))
def test_what_the_page_shows_of_a_number_is_read_back_unchanged(number):
    shown = typed.Typed({"f.area": typed.shown(PROCEDURE.form[7], number)})
    assert typed.form(PROCEDURE.form, shown)["area"] == number


def test_a_form_opened_to_be_mended_changes_no_number_by_itself(embedded_desk):
    code = embedded_desk.submit(form={**FORM, "area": 1250.5, "price": 850_000, "since": 1998})
    embedded_desk.started(code)
    embedded_desk.asked_for_papers(code)
    officer = Browser(embedded_desk, ("officer", OFFICE.code))
    page = officer.get(f"/ho-so/{code}").text
    for shown in ('value="1.250,5"', 'value="850.000"', 'value="1998"'):
        assert shown in page
    told = {"f.full_name": FORM["full_name"], "f.birth_date": FORM["birth_date"], "round": "1",
            "f.area": "1.250,5", "f.price": "850.000", "f.since": "1998",
            "p.to-khai.original": "1"}  # fmt: skip
    assert officer.post(f"/ho-so/{code}/supplement", told).status_code == 303
    held = embedded_desk.dossier(code).form
    assert (held["area"], held["price"], held["since"]) == (1250.5, 850_000, 1998)
    assert embedded_desk.events(code)[-1].form == {}


def test_what_was_read_is_shown_back_on_the_receipt_and_the_dossier(embedded_desk):
    officer = Browser(embedded_desk, ("officer", OFFICE.code))
    officer.get("/ho-so/moi/1.000001")
    filled = {**FILLED, "f.area": "1.250", "f.price": "1.500.000.000", "f.since": "1998"}
    answer = officer.post("/ho-so/moi/1.000001", filled)
    assert answer.status_code == 303
    for path in (answer.location, answer.location.removesuffix("/giay-hen")):
        told = words(officer.get(path))
        assert "1.250 m²" in told
        assert "1.500.000.000 đồng" in told
        assert "Từ năm 1998" in told
        assert "04/05/1990" in told


def test_a_refused_number_keeps_what_was_typed_and_stands_at_its_input(embedded_desk):
    officer = Browser(embedded_desk, ("officer", OFFICE.code))
    officer.get("/ho-so/moi/1.000001")
    answer = officer.post("/ho-so/moi/1.000001", {**FILLED, "f.area": "1.25"})
    assert answer.status_code == 422
    assert 'value="1.25"' in answer.text
    assert "1.25 có thể là 1,25 hoặc 125" in words(answer)
    assert "1,25 hoặc 125" not in repr(embedded_desk.http("GET", "/dossiers").json)


def test_the_api_says_what_a_field_takes(desk):
    fields = {f["name"]: f for f in desk.http("GET", "/procedures/1.000001").json["form"]}
    assert fields["area"]["unit"] == "m2"
    assert (fields["area"]["least"], fields["area"]["greatest"]) == (0.1, 10_000_000)
    assert fields["area"]["decimals"] == 2
    assert fields["since"]["greatest"] == 2022
    assert fields["child_birth"]["not_before"] == "2016-03-01"
    assert fields["until"]["not_before"] == "2022-03-01"
    assert fields["copies"]["least"] is None


# --- dates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["2024-W09-4", "20240229", "2024W094", "24-02-29", "2023-02-29"])
def test_only_a_day_is_a_day(desk, text):
    assert "birth_date" in checked(birth_date=text)[1]
    assert desk.http("GET", f"/reports/ii06a?from={text}&to=2022-03-31").status_code == 422
    assert desk.http("GET", f"/dossiers?received_from={text}T00:00:00Z").status_code == 422


@pytest.mark.parametrize("text", ["04/05/1990", "4/5/1990", "4-5-1990", "4.5.1990", "1990-05-04"])
def test_a_page_takes_a_day_as_it_is_written_here(text):
    kept, faults = read("birth_date", text)
    assert (kept["birth_date"], faults) == ("1990-05-04", {})


@pytest.mark.parametrize(
    ("name", "day", "said"),
    [
        ("child_birth", "1900-01-01", "Không thể trước ngày 01/03/2016."),
        ("child_birth", "2016-02-29", "Không thể trước ngày 01/03/2016."),
        ("child_birth", "2016-03-01", None),
        ("until", "2022-02-28", "Không thể trước ngày 01/03/2022."),
        ("until", "2022-03-01", None),
    ],
)
def test_a_date_lies_where_the_procedure_s_can(name, day, said):
    assert checked(today=date(2022, 3, 1), **{name: day})[1].get(name) == said


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2024, 12, 31), date(2023, 3, 1)])
def test_the_first_day_is_there_in_every_year(today):
    child = next(f for f in PROCEDURE.form if f.name == "child_birth")
    earliest = child.earliest(today)
    assert earliest is not None
    assert earliest.year == today.year - 6


# --- letters ----------------------------------------------------------------------------------

CHOICE = "h\u1ecdc"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_choice_is_the_catalogue_s_own_however_it_was_composed(form):
    kept, faults = checked(purpose=unicodedata.normalize(form, CHOICE) + "\u200b")
    assert (kept["purpose"], faults) == (CHOICE, {})


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("id_number", "087190001234\u200b", "087190001234"),
        ("id_number", "\u202a087 190 001 234\u202c", "087190001234"),
        ("id_number", "０８７１９０００１２３４", "087190001234"),
        ("id_number", "087-190-001-234", "087190001234"),
        ("helper_phone", "\u202a0907\u00a0123\u00a0456\u202c", "+84907123456"),
        ("helper_phone", "０９０７１２３４５６", "+84907123456"),
        ("full_name", "\ufeffTrần\u00a0\u00a0Вé\u200b", "Trần Bé"),
        ("full_name", "Ðặng Lan", "Đặng Lan"),
    ],
)
def test_what_looks_right_is_right(name, text, kept):
    values, faults = checked(**{name: text})
    assert (values[name], faults) == (kept, {})


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("id_number", "O87190001234", "«O» không phải chữ số"),
        ("id_number", "087190001234567", "12 chữ số"),
        ("full_name", "\u200b\ufeff", "Bắt buộc"),
        ("full_name", "0907123456", "Tên phải có chữ"),
        ("full_name", "---", "Tên phải có chữ"),
        ("full_name", "Сара", "«С» không thuộc bảng chữ cái La-tinh"),
        ("full_name", "Trần Жora", "«Ж»"),
        ("full_name", "Nguy\ufffdn Mai", "bị hỏng"),
    ],
)
def test_what_cannot_be_made_right_is_refused_and_named(name, text, said):
    values, faults = checked(**{name: text})
    assert name not in values
    assert said in faults[name]


def test_the_page_s_search_finds_what_the_api_finds(desk):
    code = desk.submit()
    officer = Browser(desk, ("officer", OFFICE.code))
    officer.get("/ho-so")
    for text in ("Nguyễn\u00a0Thị Mai", "nguyen\u2009thi", "\u202aMai\u202c",
                 unicodedata.normalize("NFD", "Nguyễn"), f"\u200b{code}"):  # fmt: skip
        found = desk.http("GET", f"/dossiers?text={quote(text)}").json["total"]
        assert found == 1, ascii(text)
        to = officer.post("/ho-so/tim", {"q": text}).location
        assert to.endswith(code) or code in officer.get(to).text, ascii(text)


def test_a_citizen_s_code_may_carry_what_a_message_put_around_it(embedded_desk):
    code = embedded_desk.submit()
    word = embedded_desk.dossier(code).lookup_word
    browser = Browser(embedded_desk)
    browser.get("/tra-cuu")
    sent = {"code": f"\u202a{code}\u202c".replace("-", "\u2011"), "word": f"\u200b{word}\u00a0"}
    assert browser.post("/tra-cuu", sent).status_code == 200


def test_a_sum_is_paid_as_it_is_written_and_never_a_hundred_times_it(embedded_desk):
    from services.intake.web.pages.acts import ACTS
    from shared.kernel.errors import InvalidInput

    told = ACTS["payment"][1]
    for text in ("2.050.000 đ", "2.050.000", "2 050 000 đồng", "2050000VND"):
        assert told(typed.Typed({"amount_vnd": text}), None, None)["amount_vnd"] == 2_050_000
    for text in ("20500.00", "1,5", "hai triệu", ""):
        with pytest.raises(InvalidInput) as refused:
            told(typed.Typed({"amount_vnd": text}), None, None)
        assert refused.value.faults[0].place == "amount_vnd"
