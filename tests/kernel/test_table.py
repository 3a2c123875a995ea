"""A CSV as somebody saved it, read row by row."""

from __future__ import annotations

import pytest

from shared.kernel.errors import InvalidInput
from shared.kernel.table import Line, read_csv


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_however_excel_has_saved_it(encoding, separator):
    text = f"Họ tên{separator}Số\r\nMai{separator}1\r\n"
    header, lines = read_csv(text.encode(encoding))
    assert header == Line(1, ("Họ tên", "Số"))
    assert list(lines) == [Line(2, ("Mai", "1"))]


def test_lines_are_counted_as_the_file_has_them():
    text = 'sep=;\n\n  \na;b\n\n;\n1;"two\nlines"\n2;3\n'
    header, lines = read_csv(text.encode())
    assert header.number == 4
    assert [(line.number, line.cells) for line in lines] == [
        (8, ("1", "two\nlines")),
        (9, ("2", "3")),
    ]


def test_an_empty_file_has_neither_names_nor_rows():
    for content in (b"", b"\n\n", b"\xef\xbb\xbf", b"sep=,\n"):
        header, lines = read_csv(content)
        assert (header.cells, list(lines)) == ((), [])


def test_rows_are_read_as_they_are_asked_for():
    header, lines = read_csv(b'a,b\n1,2\n"' + b"x" * 200_000)
    assert header.cells == ("a", "b")
    assert next(lines).cells == ("1", "2")
    with pytest.raises(InvalidInput, match="columns cannot be read"):
        next(lines)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"PK\x03\x04", "Excel workbook"), (b"a\0b", "no text file"), (b"\xff\xfe\x00", "no text")],
)
def test_another_kind_of_file_is_told_what_to_do(content, said):
    with pytest.raises(InvalidInput, match=said):
        read_csv(content)
