"""A table that somebody saved, most often by Excel, as rows of text; whatever it is not is said.

Lives here: finding out how a CSV file was encoded and what separates its columns. Excel saves
"Unicode text" as UTF-16 with tabs, on a Vietnamese Windows "CSV" as Windows-1258 with semicolons
(the list separator where the comma is the decimal mark). Must not: knowing what the columns mean.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.kernel.errors import Fault, InvalidInput
from shared.kernel.letters import tidy

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # xlsx (a zip file) and the old xls
_SEPARATORS: Final = (",", ";", "\t")
_BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class Row:
    """One row by the names of its columns, and its line in the file (the header is line 1)."""

    line: int
    cells: Mapping[str, str]


def read_table(path: Path) -> tuple[tuple[str, ...], Iterator[Row]]:
    """The names of the columns, and the rows; InvalidInput says what to do with another kind of file."""
    lines = list(io.StringIO(_text(path), newline=""))
    if lines and lines[0].strip().lower().startswith("sep="):  # a line for Excel alone
        lines[0] = "\n"
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    header = lines[first] if lines else ""
    separator = max(_SEPARATORS, key=header.count)
    reader = csv.reader(lines[first:], delimiter=separator)
    names = tuple(tidy(name) for name in _next(reader) or ())
    return names, _rows(reader, names, first)


def _rows(reader: Iterator[list[str]], names: tuple[str, ...], skipped: int) -> Iterator[Row]:
    while (cells := _next(reader)) is not None:
        line = skipped + int(getattr(reader, "line_num", 0))
        if any(map(str.strip, cells)):
            yield Row(line, dict(zip(names, map(tidy, cells), strict=False)))


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error:
        raise _not_read(
            "không đọc được các cột; hãy lưu lại dạng «CSV UTF-8»", "its columns cannot be read"
        ) from None


def _text(path: Path) -> str:
    raw = path.read_bytes()
    if raw.startswith(_WORKBOOKS):
        raise _not_read(
            "đây là sổ tính Excel, không phải CSV; hãy mở bằng Excel, chọn Lưu thành (Save As), "
            "kiểu «CSV UTF-8 (Comma delimited)»",
            "this is an Excel workbook, no CSV: open it, choose Save As, type 'CSV UTF-8'",
        )
    text = _decoded(raw)
    if text is None or "\0" in text:
        raise _not_read(
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


def _not_read(vi: str, en: str) -> InvalidInput:
    return InvalidInput([Fault("file", f"Không đọc được tệp: {vi}.", en)])
