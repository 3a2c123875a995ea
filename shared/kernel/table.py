"""A table that somebody saved as CSV, most often by Excel, as rows of text; whatever it is not is said.

Lives here: finding out how the file was encoded and what separates its columns. Excel saves
"Unicode text" as UTF-16 with tabs, on a Vietnamese Windows "CSV" as Windows-1258 with semicolons
(the list separator where the comma is the decimal mark). Must not: knowing what the columns mean.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from shared.kernel.errors import Fault, InvalidInput
from shared.kernel.letters import tidy

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # xlsx (a zip file) and the old xls
_SEPARATORS: Final = (",", ";", "\t")
_BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class Line:
    """The cells of one row, tidied, and its line in the file (the first is 1)."""

    number: int
    cells: tuple[str, ...] = field(repr=False)


def read_csv(raw: bytes) -> tuple[Line, Iterator[Line]]:
    """The header, and the rows that are not empty; InvalidInput says what to do with another kind.

    The rows are read as they are asked for; one that cannot be read is told then.
    """
    text = io.StringIO(_text(raw), newline="")
    header, skipped = "", -1
    while not header.strip():
        skipped += 1
        place = text.tell()
        if not (header := text.readline()):
            return Line(1, ()), iter(())
        if skipped == 0 and header.strip().lower().startswith("sep="):  # a line for Excel alone
            header = ""
    text.seek(place)
    reader = csv.reader(text, delimiter=max(_SEPARATORS, key=header.count))
    names = _next(reader) or []
    first = Line(skipped + reader.line_num, tuple(map(tidy, names)))
    return first, _lines(reader, skipped)


def _lines(reader: Iterator[list[str]], skipped: int) -> Iterator[Line]:
    while (cells := _next(reader)) is not None:
        if any(map(str.strip, cells)):
            number = skipped + int(getattr(reader, "line_num", 0))
            yield Line(number, tuple(map(tidy, cells)))


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error:
        raise not_read(
            "không đọc được các cột; hãy lưu lại dạng «CSV UTF-8»", "its columns cannot be read"
        ) from None


def is_workbook(raw: bytes) -> bool:
    """Whether the file is a workbook of Excel, by its first bytes, new or old."""
    return raw.startswith(_WORKBOOKS)


def _text(raw: bytes) -> str:
    if is_workbook(raw):
        raise not_read(
            "đây là sổ tính Excel, không phải CSV; hãy mở bằng Excel, chọn Lưu thành (Save As), "
            "kiểu «CSV UTF-8 (Comma delimited)»",
            "this is an Excel workbook, no CSV: open it, choose Save As, type 'CSV UTF-8'",
        )
    text = _decoded(raw)
    if text is None or "\0" in text:
        raise not_read(
            "không phải tệp văn bản; hãy lưu lại dạng «CSV UTF-8»",
            "this is no text file: save it as 'CSV UTF-8'",
        )
    return text.removeprefix(_BOM)


def _decoded(raw: bytes) -> str | None:
    """UTF-16 by its mark, else UTF-8, else Windows' page for Vietnamese; None where it is no text.

    That page comes last, as it takes nearly any bytes.
    """
    encodings = ("utf-16",) if raw.startswith(_UTF16) else ("utf-8", "cp1258")
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def not_read(vi: str, en: str) -> InvalidInput:
    """That a file cannot be read, why, and what to do."""
    return InvalidInput([Fault("file", f"Không đọc được tệp: {vi}.", en)])
