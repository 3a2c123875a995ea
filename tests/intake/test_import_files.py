"""What a file may be and what a cell says: nothing is guessed, and no file is larger than it looks."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest

from services.intake.domain.bulk.cells import Odd, Wrong, moment, shown, text_of
from services.intake.domain.bulk.columns import (
    Column,
    Header,
    UnknownColumn,
    columns_of,
    fold,
    letter,
    read_header,
)
from services.intake.usecases.importing import workbook, writing
from services.intake.usecases.importing.workbook import count_rows, open_rows
from shared.catalogue import FormField, load
from shared.kernel.errors import InvalidInput
from tests.intake.files import HEADER, cells_of, csv_of, row, saved, xlsx_of
from tests.intake.made import NOW, PROCEDURE, TODAY, vn

DATE = Column("f.birth_date", "Ngày sinh", "date")
NUMBER = Column("f.area", "Diện tích", "number")
DIGITS = Column("f.id_number", "Số định danh", "digits")
TEXT = Column("f.place", "Nơi sinh")
TICK = Column("f.urgent", "Gấp", "bool")
CHOICE = Column("f.purpose", "Mục đích", "choice", choices=(("học", "học"), ("làm", "làm")))
KNOWN = columns_of(PROCEDURE, TODAY)


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        (DATE, "04/05/1990", "1990-05-04"),
        (DATE, "4-5-1990", "1990-05-04"),
        (DATE, "1990-05-04", "1990-05-04"),
        (DATE, "1990-05-04T00:00:00", "1990-05-04"),
        (DATE, datetime(1990, 5, 4), "1990-05-04"),
        (DATE, date(1990, 5, 4), "1990-05-04"),
        (DATE, 32997, "1990-05-04"),
        (DATE, 32997.0, "1990-05-04"),
        (DATE, "32997", "1990-05-04"),
        (NUMBER, 1500, "1500"),
        (NUMBER, 1250.5, "1250,5"),
        (NUMBER, 0.1 + 0.2, "0,3"),
        (NUMBER, 1.125, "1,1250"),
        (NUMBER, "1.500.000", "1.500.000"),
        (DIGITS, "087090001234", "087090001234"),
        (DIGITS, 907123456, "907123456"),
        (DIGITS, 87090001234.0, "87090001234"),
        (TEXT, 12, "12"),
        (TEXT, datetime(2022, 3, 1), "01/03/2022"),
        (TEXT, "  Số 1\u200b  ", "Số 1"),
        (TICK, True, "Có"),
        (TICK, "X", "Có"),
        (TICK, 0, "Không"),
        (TICK, "ĐÚNG", "Có"),
        (CHOICE, "HOC", "học"),
        (CHOICE, "chơi", "chơi"),
        (DATE, None, ""),
    ],
)
def test_a_cell_says_what_a_person_would_have_typed(column, value, text):
    assert text_of(column, value) == text


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (DATE, 1990, "không rõ là ngày nào"),  # a year, or a day of 1905
        (DATE, 20220301, "không rõ là ngày nào"),
        (DATE, "1990", "không rõ là ngày nào"),
        (DATE, time(8, 15), "là giờ"),
        (NUMBER, datetime(2022, 3, 1), "Excel đã đổi ô này thành ngày"),
        (NUMBER, True, "TRUE/FALSE"),
        (TICK, "đôi khi", "Có hoặc Không"),
        (TEXT, Odd("=A1", formula=True), "công thức"),
        (TEXT, " =1+1", "công thức"),
        (TEXT, Odd("#REF!", formula=False), "lỗi của Excel"),
        (NUMBER, float("inf"), "lỗi của Excel"),
    ],
)
def test_a_cell_that_could_be_two_things_is_refused_with_what_to_do(column, value, said):
    found = text_of(column, value)
    assert isinstance(found, Wrong)
    assert said in found.vi
    assert str(value) not in found.en


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("08:15", vn(2022, 3, 1, 8, 15)),
        ("8g05", vn(2022, 3, 1, 8, 5)),
        ("08:15 01/03/2022", vn(2022, 3, 1, 8, 15)),
        ("01/03/2022 08:15", vn(2022, 3, 1, 8, 15)),
        ("2022-03-01T08:15:00", vn(2022, 3, 1, 8, 15)),
        ("09:00", NOW),
    ],
)
def test_an_instant_of_today_is_read_however_it_is_written(text, at):
    assert moment(text, NOW) == at


@pytest.mark.parametrize("value", [0.34375, time(8, 15), datetime(2022, 3, 1, 8, 15), 44621.34375])
def test_an_instant_is_read_from_a_cell_of_any_type(value):
    text = text_of(Column("received_at", "Tiếp nhận lúc", "instant"), value)
    assert isinstance(text, str)
    assert moment(text, NOW) == vn(2022, 3, 1, 8, 15)


@pytest.mark.parametrize(
    ("column", "value"),
    [(NUMBER, 1.125), (NUMBER, 1250.5), (DATE, 32997), (DATE, datetime(1990, 5, 4)), (TICK, True),
     (DIGITS, 907123456), (DATE, 1990), (TEXT, "1.5")],
)  # fmt: skip
def test_a_cell_of_the_file_to_repair_says_what_the_cell_said(column, value):
    again = text_of(column, shown(column, value))
    said = text_of(column, value)
    assert again == said


# --- headers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "title", ["Họ và tên người nộp", "ho va ten nguoi nop *", "HỌ VÀ TÊN NGƯỜI NỘP", "c.name"]
)
def test_a_column_is_known_with_or_without_marks(title):
    found = read_header([*HEADER[:2], title, *HEADER[3:]], KNOWN)
    assert isinstance(found, Header)
    assert found.place_of("c.name") == 2


def test_every_fault_of_a_header_is_told_once_unknown_columns_by_their_letters():
    titles = [*["Họ và tên"] * 2, *[""] * 25, "Ghi chú", "Số thứ tự"]
    faults = read_header(titles, KNOWN)
    assert not isinstance(faults, Header)
    told = " ".join(each.vi for each in faults)
    assert "Cột B «Họ và tên» có hai lần" in told
    assert "Cột AB «Ghi chú» không có trong thủ tục này" in told
    assert told.count("Thiếu cột bắt buộc") == 1
    assert "Thiếu cột bắt buộc: Hình thức nộp; Họ và tên người nộp; Ngày sinh." in told


def test_an_unknown_column_is_told_with_the_nearest_known_one_and_can_be_left_out():
    titles = [*HEADER, "Ghi chú", "Ngày sihn"]
    faults = read_header(titles, KNOWN)
    assert not isinstance(faults, Header)
    assert [each.title for each in faults if isinstance(each, UnknownColumn)] == titles[-2:]
    assert "gần giống nhất" not in faults[0].vi
    assert "gần giống nhất là «Ngày sinh»" in faults[1].vi
    found = read_header(titles, KNOWN, ["ghi chu", "Ngày sihn"])
    assert isinstance(found, Header)
    assert found.columns[5:] == (None, None)
    assert found.ignored == {5, 6}


def test_a_column_to_be_left_out_must_be_there_and_not_be_needed():
    faults = read_header(HEADER, KNOWN, ["Ghi chú", "Ngày sinh"])
    assert not isinstance(faults, Header)
    told = " ".join(each.vi for each in faults)
    assert "Tệp không có cột «Ghi chú» để bỏ qua" in told
    assert "Thiếu cột bắt buộc: Ngày sinh" in told


def test_two_fields_of_one_name_are_told_apart():
    twin = replace(
        PROCEDURE,
        form=(*PROCEDURE.form, FormField("other_name", "Họ và tên", "name", False, True)),
    )
    known = columns_of(twin, TODAY)
    faults = read_header(HEADER, known)
    assert not isinstance(faults, Header)
    assert "«Họ và tên [f.full_name]» hoặc «Họ và tên [f.other_name]»" in faults[0].vi
    named = read_header([*HEADER[:3], "Họ và tên [f.full_name]", HEADER[4]], known)
    assert isinstance(named, Header)


def test_too_many_columns_and_none_at_all():
    for titles, said in (([f"c{n}" for n in range(300)], "tối đa 200"), ([], "không có gì")):
        [fault] = read_header(titles, KNOWN)
        assert said in fault.vi


def test_letters_as_a_spreadsheet_has_them():
    found = [letter(number) for number in (0, 25, 26, 51, 52, 701, 702)]
    assert found == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


# --- files ------------------------------------------------------------------------------------


def test_a_workbook_is_read_row_by_row_and_by_its_first_visible_sheet():
    book = openpyxl.Workbook()
    hidden = book.active
    hidden.append(["not this one"])
    hidden.sheet_state = "hidden"
    shown_sheet = book.create_sheet("Hồ sơ")
    for _ in range(2):
        shown_sheet.append([])
    shown_sheet.append(HEADER)
    shown_sheet.append([])
    shown_sheet.append(row("a-1"))
    book.active = 1
    titles, rows = open_rows(saved(book))
    assert list(titles) == HEADER
    [found] = rows
    assert (found.line, found.values[0]) == (5, "a-1")


def test_a_formula_is_seen_and_never_evaluated():
    _, rows = open_rows(xlsx_of(row("a-1", name='=CONCATENATE("Mai","")')))
    [found] = rows
    assert found.values[3] == Odd('=CONCATENATE("Mai","")', formula=True)


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return out.getvalue()


def swapped(content: bytes, name: str, change) -> bytes:
    """A workbook with one part changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = {each: packed.read(each) for each in packed.namelist()}
    parts[name] = change(parts[name])
    return zipped(**parts)


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda: zipped(**{"xl/workbook.xml": b" " * (30 * 1024 * 1024)}), "giải nén ra quá lớn"),
        (lambda: zipped(**{SHEET: b" " * (100 * 1024 * 1024)}), "giải nén ra quá lớn"),
        (lambda: zipped(**{f"{n}.xml": b"" for n in range(600)}), "giải nén ra quá lớn"),
        (lambda: zipped(a=b"no workbook"), "bị hỏng"),
        (lambda: xlsx_of(row("a"))[:-200], "bị hỏng"),
        (lambda: b"\xd0\xcf\x11\xe0" + b"\0" * 100, ".xls cũ"),
        (lambda: b"PK\x03\x04 nothing", "bị hỏng"),
        (lambda: b"%PDF-1.7\n\xff\xfe\0\0", "không phải tệp văn bản"),
        (lambda: b"x" * (workbook.MOST_BYTES + 1), "lớn hơn 8 MB"),
        (
            lambda: swapped(
                xlsx_of(row("a")),
                "xl/workbook.xml",
                lambda xml: b'<!DOCTYPE a [<!ENTITY b "c">]>' + xml,
            ),
            "bị hỏng",
        ),
        (lambda: swapped(xlsx_of(row("a")), SHEET, lambda xml: xml[:300]), "bị hỏng"),
    ],
)
def test_a_file_that_is_none_or_unpacks_to_too_much_is_told_what_to_do(content, said):
    with pytest.raises(InvalidInput) as refused:
        count_rows(open_rows(content())[1])
    assert said in refused.value.vi


def test_a_sheet_that_says_of_itself_that_it_is_endless_costs_nothing():
    wide = swapped(
        xlsx_of(row("a-1")),
        SHEET,
        lambda xml: xml.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576" t="str">'
                                b"<v>far</v></c></row></sheetData>"),
    )  # fmt: skip
    titles, rows = open_rows(wide)
    assert list(titles) == HEADER
    assert next(rows).line == 2
    with pytest.raises(InvalidInput, match=r"below line 100,000"):
        next(rows)


def test_a_workbook_that_counts_days_from_1904_is_refused():
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.append(HEADER)
    with pytest.raises(InvalidInput, match="1904"):
        open_rows(saved(book))


def test_more_rows_than_are_taken_are_refused_before_the_first_is_filed(monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    assert count_rows(open_rows(csv_of(*(row(n) for n in range(3))))[1]) == 3
    with pytest.raises(InvalidInput, match="more than 3 rows"):
        count_rows(open_rows(csv_of(*(row(n) for n in range(4))))[1])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_csv_is_read_as_a_log_is(encoding):
    text = csv_of(row("a-1")).decode().replace(";", "\t")
    titles, rows = open_rows(text.encode(encoding))
    assert list(titles) == HEADER
    assert [each.values for each in rows] == [tuple(row("a-1"))]


def test_a_csv_with_a_quote_that_never_ends_is_told():
    content = csv_of(row("a-1")) + b'\n"' + b"x;" * 200_000
    with pytest.raises(InvalidInput, match="columns cannot be read"):
        list(open_rows(content)[1])


# --- the template -----------------------------------------------------------------------------


def test_the_template_is_a_file_that_is_taken_and_keeps_leading_zeros():
    content = writing.template(KNOWN, "1.000001 – Thủ tục")
    titles = [each or "" for each in cells_of(content)[0]]
    assert isinstance(read_header(titles, KNOWN), Header)
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    places = {fold(title): number for number, title in enumerate(titles)}
    for title in ("Số định danh", "Số điện thoại người nộp", "Ngày sinh"):
        place = letter(next(n for name, n in places.items() if name.startswith(fold(title))))
        assert sheet.column_dimensions[place].number_format == "@"
    lists = {
        str(rule.sqref): rule.formula1
        for rule in sheet.data_validations.dataValidation
        if rule.type == "list"
    }
    choice = letter(places[fold("Mục đích")])
    assert f"{choice}2:{choice}10001" in lists
    values = [cell.value for cell in book["Danh mục"][choice]]
    assert [each for each in values if each] == ["học", "làm"]
    assert book["Danh mục"].sheet_state == "hidden"


def test_every_procedure_of_the_city_has_a_template_whose_columns_are_told_apart():
    city = load(Path("catalogue"))
    today = date(2022, 3, 1)
    for procedure in city.procedures(today):
        known = columns_of(procedure, today)
        header = read_header([each.title for each in known], known)
        assert isinstance(header, Header), procedure.code
        assert header.columns == known
