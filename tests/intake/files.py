"""Files of submissions for the tests of importing; no test lives here."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import openpyxl

from services.intake.usecases.importing.jobs import Upload, Worker, start
from services.intake.usecases.importing.run import Task
from shared.kernel.actor import Actor
from tests.intake.made import CATALOGUE, OFFICE

HEADER = ["Số thứ tự", "Hình thức nộp", "Họ và tên người nộp", "Họ và tên", "Ngày sinh"]
OFFICER = Actor("officer", "k-1")


def row(number: object, **changes: Any) -> list[Any]:
    """A row in order under HEADER, changed where a test wants it."""
    values = {
        "number": number,
        "channel": "Trực tuyến",
        "payer": "Nguyễn Thị Mai",
        "name": "Nguyễn Thị Mai",
        "birth": "04/05/1990",
    }
    return list((values | changes).values())


def csv_of(*rows: Sequence[object], header: Sequence[str] = HEADER) -> bytes:
    """The rows as a CSV in UTF-8, with semicolons."""
    lines = [";".join("" if cell is None else str(cell) for cell in each) for each in rows]
    return "\n".join([";".join(header), *lines]).encode()


def xlsx_of(*rows: Sequence[Any], header: Sequence[str] = HEADER) -> bytes:
    """The rows as a workbook, each cell of the type that it is given in."""
    book = openpyxl.Workbook()
    book.active.append(list(header))
    for each in rows:
        book.active.append(list(each))
    return saved(book)


def saved(book: Any) -> bytes:
    """A workbook as its bytes."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cells_of(content: bytes) -> list[list[Any]]:
    """The values of the first sheet of a workbook."""
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [[cell.value for cell in line] for line in sheet.iter_rows()]


def upload(desk: Any, content: bytes, *, token: str = "", name: str = "tệp.xlsx") -> str:
    """Hand a file in at the first office; the import's id."""
    task = Task(desk.store.ids.new(), OFFICE.code, "1.000001", OFFICER)
    return start(desk.store, CATALOGUE, Upload(task, token, name, content))


def work(desk: Any) -> int:
    """Work through everything that was handed in; how many slices."""
    worker, slices = Worker(desk.store, CATALOGUE), 0
    while worker.advance():
        slices += 1
    return slices
