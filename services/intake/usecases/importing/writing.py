"""The workbooks that go out: the template of a procedure, the rows to repair, the answer to each row.

Every cell is a text, as a person reads it: leading zeros stay, and nothing that came from outside
is ever a formula.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from services.intake.domain.bulk.cells import shown
from services.intake.domain.bulk.columns import REASONS, Column, Header, letter
from services.intake.domain.bulk.rows import Reason, Row, column_at
from services.intake.storage.imports import Answer
from services.intake.usecases.importing.workbook import MOST_ROWS

TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TEXT: Final = "@"
_OUTCOMES: Final = {"added": "Đã nhận", "known": "Đã có từ trước", "refused": "Chưa nhận"}
_CHOICES: Final = "Danh mục"


def template(columns: Sequence[Column], title: str) -> bytes:
    """An empty file of a procedure: titles, what each column takes, lists where there is a choice."""
    import openpyxl
    from openpyxl.styles import Font, PatternFill

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet("Hồ sơ")
    sheet.freeze_panes = "B2"
    for number, column in enumerate(columns):
        cell = sheet.cell(1, number + 1, f"{column.title} *" if column.required else column.title)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="FFE8D6" if column.required else "EEF3F7")
        dimension = sheet.column_dimensions[letter(number)]
        dimension.number_format = _TEXT
        dimension.width = min(40, max(14, len(column.title) + 3))
        cell.number_format = _TEXT
    _add_guide(book, columns, title)
    _add_lists(book, sheet, columns)
    return _saved(book)


def _add_guide(book: Any, columns: Sequence[Column], title: str) -> None:
    guide = book.create_sheet("Hướng dẫn")
    guide.append([title])
    guide.append(["Mỗi dòng của trang «Hồ sơ» là một hồ sơ. Cột có dấu * là bắt buộc."])
    guide.append(["Tên cột đọc được có dấu hay không dấu, theo thứ tự nào cũng được."])
    guide.append([])
    guide.append(["Cột", "Bắt buộc", "Ghi thế nào", "Mã cột"])
    for column in columns:
        guide.append([column.title, "có" if column.required else "", column.hint, column.key])
    for place, width in zip("ABCD", (44, 10, 90, 28), strict=True):
        guide.column_dimensions[place].width = width


def _add_lists(book: Any, sheet: Any, columns: Sequence[Column]) -> None:
    """A drop-down where there is a choice, else what the column takes, shown at its cells."""
    from openpyxl.worksheet.datavalidation import DataValidation

    lists = book.create_sheet(_CHOICES)
    lists.sheet_state = "hidden"
    for number, column in enumerate(columns):
        if not column.choices and not column.hint:
            continue
        rule = DataValidation(allow_blank=True)
        if column.choices:
            place = letter(number)
            for row, (_, words) in enumerate(column.choices, 1):
                lists.cell(row, number + 1, words)
            last = len(column.choices)
            rule.type, rule.formula1 = "list", f"'{_CHOICES}'!${place}$1:${place}${last}"
            rule.showErrorMessage, rule.errorStyle = True, "warning"
            rule.error = "Hãy chọn trong danh sách."
        if column.hint:
            rule.showInputMessage = True
            rule.promptTitle, rule.prompt = column.title[:31], column.hint[:254]
        rule.add(f"{letter(number)}2:{letter(number)}{MOST_ROWS + 1}")
        sheet.add_data_validation(rule)


def to_repair(
    header: Header, rows: Iterable[Row], reasons: Mapping[int, Sequence[Reason]]
) -> bytes:
    """The rows of these lines as they came, each with why it was not taken; it is read again as it is."""
    kept = [place for place in range(len(header.titles)) if place not in header.ignored]
    book, sheet = _streamed("Hồ sơ")
    sheet.append(_texts(sheet, [REASONS, *(header.titles[place] for place in kept)]))
    for row in rows:
        if row.line not in reasons:
            continue
        told = "\n".join(map(said, reasons[row.line]))
        beyond = range(len(header.titles), len(row.values))
        values = [
            shown(column_at(header, place), row.values[place]) if place < len(row.values) else ""
            for place in (*kept, *beyond)
        ]
        while values and not values[-1]:
            values.pop()
        sheet.append(_texts(sheet, [told, *values]))
    return _saved(book)


def said(reason: Reason) -> str:
    """A reason with the column that it is about."""
    if reason.column is None:
        return reason.vi
    return f"Cột {reason.column} ({reason.title or 'không tên'}): {reason.vi}"


def all_answers(answers: Iterable[Answer]) -> bytes:
    """What became of every row: its line, its number, the dossier's code or why not."""
    book, sheet = _streamed("Kết quả")
    sheet.append(_texts(sheet, ["Dòng", "Số thứ tự", "Kết quả", "Mã hồ sơ", "Lý do"]))
    for each in answers:
        told = "\n".join(map(said, each.reasons))
        line = [str(each.line), each.number, _OUTCOMES[each.outcome], each.dossier or "", told]
        sheet.append(_texts(sheet, line))
    return _saved(book)


def _streamed(title: str) -> tuple[Any, Any]:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    return book, book.create_sheet(title)


def _texts(sheet: Any, values: Collection[str]) -> list[Any]:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cells = []
    for value in values:
        cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\ufffd", value))
        cell.data_type = "s"  # also where it begins like a formula
        cell.number_format = _TEXT
        cells.append(cell)
    return cells


def _saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
