"""A file's rows as they are asked for: CSV by its text, an xlsx by its cells, never all at once.

A workbook is a zip file of a stranger: how much it unpacks to is looked at before anything is
unpacked, formulas are seen and never evaluated, links lead nowhere. openpyxl is loaded when needed.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Any, Final, NoReturn

from services.intake.domain.bulk.cells import Odd, Value
from services.intake.domain.bulk.columns import MOST_COLUMNS
from services.intake.domain.bulk.rows import Row
from shared.kernel.errors import Fault, InvalidInput
from shared.kernel.letters import tidy
from shared.kernel.table import is_workbook, not_read, read_csv

MOST_BYTES: Final = 8 * 1024 * 1024
MOST_ROWS: Final = 10_000
#: Bytes that the parts of a workbook unpack to, all together and each but a sheet.
_MOST_UNPACKED: Final = 96 * 1024 * 1024
_MOST_OF_A_PART: Final = 24 * 1024 * 1024
_MOST_PARTS: Final = 500
_SHEETS: Final = "xl/worksheets/"
#: A sheet says of every row which it is, so that one may lie a million lines below the others.
_LAST_LINE: Final = 100_000
_LONGEST_CELL: Final = 5_000
_MARKUP: Final = tuple("<!DOCTYPE".encode(each) for each in ("utf-8", "utf-16-le", "utf-16-be"))


def check_size(count: int) -> None:
    """InvalidInput for a file of more bytes than are taken."""
    if count > MOST_BYTES:
        most = MOST_BYTES // 1024 // 1024
        raise not_read(
            f"lớn hơn {most} MB; hãy chia thành nhiều tệp", f"larger than {most} MiB: split it"
        )


def open_rows(content: bytes) -> tuple[tuple[str, ...], Iterator[Row]]:
    """The titles of the first row that is not empty, and the rows below it that are not.

    InvalidInput says what to do with a file that is none of ours; also while the rows are read.
    """
    check_size(len(content))
    if not is_workbook(content):
        header, lines = read_csv(content)
        rows = (Row(line.number, _bounded(line.cells)) for line in lines)
        return header.cells, rows
    return _of_workbook(content)


def count_rows(rows: Iterable[Row]) -> int:
    """How many there are; InvalidInput for more than are taken."""
    count = 0
    for count, _ in enumerate(rows, 1):
        if count > MOST_ROWS:
            most = f"{MOST_ROWS:,}".replace(",", ".")
            raise not_read(
                f"có hơn {most} dòng; hãy chia thành nhiều tệp", f"more than {MOST_ROWS} rows"
            )
    return count


def _bounded(cells: Iterable[Value]) -> tuple[Value, ...]:
    return tuple(
        f"{each[:_LONGEST_CELL]}…" if isinstance(each, str) and len(each) > _LONGEST_CELL else each
        for each in cells
    )


# --- workbooks ----------------------------------------------------------------------------------


def _of_workbook(content: bytes) -> tuple[tuple[str, ...], Iterator[Row]]:
    if not content.startswith(b"PK"):
        raise not_read(
            "đây là tệp .xls cũ; hãy mở bằng Excel và lưu thành .xlsx",
            "an old .xls: save it as .xlsx",
        )
    _check_parts(content)
    try:
        rows = _cells(_opened(content))
        first = next(((line, cells) for line, cells in rows if any(map(_is_there, cells))), None)
    except InvalidInput:
        raise
    except Exception:  # noqa: BLE001 - whatever a stranger's file makes the reader raise
        _broken()
    if first is None:
        return (), iter(())
    titles = [tidy(each) if isinstance(each, str) else _as_title(each) for each in first[1]]
    while titles and not titles[-1]:
        titles.pop()
    return tuple(titles), _rows(rows)


def _as_title(value: Value) -> str:
    return "" if value is None or isinstance(value, Odd) else str(value)


def _check_parts(content: bytes) -> None:
    """How large it becomes, by its own table of contents: the unpacking ends where that says."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            size = sum(part.file_size for part in parts)
            large = max(
                (p.file_size for p in parts if not p.filename.startswith(_SHEETS)), default=0
            )
            if len(parts) > _MOST_PARTS or size > _MOST_UNPACKED or large > _MOST_OF_A_PART:
                raise not_read(
                    "giải nén ra quá lớn; hãy chỉ giữ trang tính có hồ sơ, hoặc lưu thành CSV UTF-8",
                    "it unpacks to too much: keep the one sheet, or save it as CSV UTF-8",
                )
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    with packed.open(part) as stream:
                        if any(mark in stream.read(4096) for mark in _MARKUP):
                            _broken()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError):
        _broken()  # cut off, packed in another way, or locked by a password


def _broken() -> NoReturn:
    raise not_read(
        "sổ tính bị hỏng, có mật khẩu, hoặc không phải .xlsx; hãy mở bằng Excel và lưu lại",
        "the workbook is broken, locked or no .xlsx: open it in Excel and save it again",
    ) from None


def _opened(content: bytes) -> Any:
    """The sheet with the dossiers: the first that is shown."""
    import openpyxl
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    # What it says of styles and days that it does not know is nothing that anybody could mend.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    if book.epoch == CALENDAR_MAC_1904:
        raise InvalidInput(
            [
                Fault(
                    "file",
                    "Sổ tính đếm ngày từ năm 1904: trong Excel, bỏ chọn «Use 1904 date system» rồi "
                    "ghi lại các ngày.",
                    "the workbook counts days from 1904: switch that off and write the days again",
                )
            ]
        )
    sheet = next((each for each in book.worksheets if each.sheet_state == "visible"), None)
    if sheet is None:
        _broken()
    sheet.reset_dimensions()  # what it says of itself may be a lie
    return sheet


def _cells(sheet: Any) -> Iterator[tuple[int, tuple[Value, ...]]]:
    rows = sheet.iter_rows(max_col=MOST_COLUMNS + 1)
    for line, cells in enumerate(rows, 1):
        if line > _LAST_LINE:
            raise not_read(
                "có dòng ở dưới dòng 100.000; hãy xóa hẳn các dòng trống ở cuối trang tính",
                "rows below line 100,000: delete what is empty at the end of the sheet",
            )
        yield line, _bounded(map(_value, cells))


def _rows(cells: Iterator[tuple[int, tuple[Value, ...]]]) -> Iterator[Row]:
    while True:
        try:
            line, values = next(cells)
        except StopIteration:
            return
        except InvalidInput:
            raise
        except Exception:  # noqa: BLE001 - as above
            _broken()
        if any(map(_is_there, values)):
            yield Row(line, values)


def _is_there(value: Value) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())


def _value(cell: Any) -> Value:
    value = cell.value
    if cell.data_type in ("f", "e"):
        text = value if isinstance(value, str) else str(getattr(value, "text", "") or "=")
        return Odd(text[:_LONGEST_CELL], formula=cell.data_type == "f")
    if value is None or isinstance(value, str | int | float | bool | datetime | date | time):
        return value
    return str(value)
