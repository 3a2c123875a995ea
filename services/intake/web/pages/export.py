"""A list as a file: a workbook or comma-separated text, made row by row on disk.

Cells that a spreadsheet would take for a formula get a quote before them (CWE-1236); the text begins
with the mark by which Excel knows UTF-8.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any, Final

from flask import send_file
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from werkzeug.wrappers import Response

from services.intake.usecases import lists
from services.intake.web.deps import deps, office_agency
from services.intake.web.due import channel_name
from services.intake.web.pages.listing import HOLDER, Asked
from services.intake.web.pages.lists import Row, asked_for, found_by, holders_for, rows_of
from shared.identity import audit
from shared.identity.audit.entry import MOST_NAMED
from shared.identity.guard import current
from shared.kernel.clock import to_vn
from shared.web.filters import status_name
from shared.web.words import gettext, msgid

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_HEAD: Final = (
    msgid("STT"),
    msgid("Mã hồ sơ"),
    msgid("Người nộp"),
    msgid("Điện thoại"),
    msgid("Mã thủ tục"),
    msgid("Thủ tục"),
    msgid("Hình thức nộp"),
    msgid("Nộp lúc"),
    msgid("Tiếp nhận lúc"),
    msgid("Hẹn trả"),
    msgid("Trạng thái"),
    msgid("Thời hạn"),
    msgid("Có kết quả lúc"),
)
_WIDTHS: Final = (6, 27, 28, 16, 12, 44, 14, 17, 17, 17, 24, 20, 17, 30)
_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Line = Sequence[Any]


def export(kind: str) -> Response:
    """The whole list that the address asks for, in the order of its pages."""
    now = deps().now()
    asked = asked_for(now)
    with deps().store.read() as connection:
        asked, _ = found_by(connection, asked)
    name = f"{asked.of.name}-{to_vn(now):%Y%m%d-%H%M}"
    return file_of(kind, _lines(asked, now), _title(asked, now), name)


def file_of(kind: str, lines: Iterator[Line], title: str, name: str) -> Response:
    """These lines, the head first, as a file to keep."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - send_file closes it
    try:
        _WRITERS[kind](file, lines, title)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return send_file(file, _TYPES[kind], as_attachment=True, download_name=f"{name}.{kind}")


def _title(asked: Asked, now: datetime) -> str:
    day = (
        gettext(" ngày %(day)s", day=format(asked.day, "%d/%m/%Y")) if "ngay" in asked.args else ""
    )
    return gettext(
        "%(title)s%(day)s – %(name)s, lập %(now)s",
        title=gettext(asked.of.title),
        day=day,
        name=office_agency().name,
        now=format(to_vn(now), "%H:%M %d/%m/%Y"),
    )


def _lines(asked: Asked, now: datetime) -> Iterator[Line]:
    """The head, then a line for each dossier; what is shown is noted as seen."""
    known, beside = deps(), asked.of.column == HOLDER
    yield tuple(map(gettext, (*_HEAD, *((asked.of.column,) if beside else ()))))
    number = 0
    for lines in lists.every(known.store, asked.filters, now, asked.sort):
        with known.store.read() as connection:
            held = holders_for(connection, asked, lines)
        note_shown([line.code for line in lines])
        for row in rows_of(known, asked, lines, held, now):
            number += 1
            yield (number, *_cells(row), *((row.beside,) if beside else ()))
    if number == lists.MOST_EXPORTED:
        yield (
            "",
            gettext(
                "Tệp chỉ ghi %(number)s dòng đầu; hãy lọc danh sách rồi tải lại.", number=number
            ),
        )


def note_shown(codes: Sequence[str]) -> None:
    """Write down whom the file shows: more than an entry of the access log names."""
    with deps().store.begin(current().actor) as uow:
        for start in range(0, len(codes), MOST_NAMED):
            audit.note(uow, "export", codes[start : start + MOST_NAMED], place="page")


def _cells(row: Row) -> Line:
    line = row.line
    return (
        line.code,
        line.applicant,
        line.phone or "",
        line.procedure,
        row.procedure.name,
        channel_name(line.channel),
        line.submitted_at,
        line.received_at,
        line.due_at,
        status_name(int(line.status)),
        row.due.word,
        line.finished_at,
    )


def plain(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula, instants on the wall clock of Việt Nam."""
    if isinstance(value, datetime):
        return to_vn(value).replace(tzinfo=None, second=0, microsecond=0)
    if not isinstance(value, str):
        return "" if value is None else value
    text = ILLEGAL_CHARACTERS_RE.sub("", value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _write_csv(file: IO[bytes], lines: Iterator[Line], _: str) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    out = csv.writer(text)
    for line in lines:
        values = map(plain, line)
        out.writerow(f"{v:%d/%m/%Y %H:%M}" if isinstance(v, datetime) else v for v in values)
    text.flush()
    text.detach()


def _write_xlsx(file: IO[bytes], lines: Iterator[Line], title: str) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(gettext("Danh sách"))
    for place, width in enumerate(_WIDTHS):
        sheet.column_dimensions[chr(ord("A") + place)].width = width
    sheet.freeze_panes = "A3"
    sheet.append([_bold(sheet, plain(title))])
    sheet.append([_bold(sheet, each) for each in next(lines)])
    for line in lines:
        sheet.append([_dated(sheet, plain(value)) for value in line])
    book.save(file)


def _bold(sheet: Any, value: str) -> Any:
    cell = WriteOnlyCell(sheet, value)
    cell.font = Font(bold=True)
    return cell


def _dated(sheet: Any, value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = "dd/mm/yyyy hh:mm"
    return cell


_WRITERS: Final[dict[str, Callable[[IO[bytes], Iterator[Line], str], None]]] = {
    "csv": _write_csv,
    "xlsx": _write_xlsx,
}
