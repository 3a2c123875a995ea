"""The hand-over book of an agency for one local day: as rows for people, and as a workbook."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

import sqlalchemy as sa

from services.routing.storage.book import Delivery, deliveries
from shared.kernel.clock import VN, as_utc, to_vn
from shared.kernel.text import msgid

KINDS: Final = {
    "assigned": msgid("Giao việc"),
    "changed": msgid("Có thay đổi"),
    "cancelled": msgid("Thôi việc"),
    "answer_refused": msgid("Câu trả lời không ghi nhận"),
    "fact.withheld": msgid("Đã rút lại"),
}
ANSWERS: Final = {
    "completed": msgid("Đã xong"),
    "refused": msgid("Từ chối"),
    "supplement_needed": msgid("Cần bổ sung"),
    "more_time_needed": msgid("Cần thêm thời gian"),
    "not_ours": msgid("Không thuộc thẩm quyền"),
    "sent_back": msgid("Trả về bước trước"),
    "verification_needed": msgid("Xác minh bổ sung"),
}
WAYS: Final = {"door": msgid("cổng"), "webhook": "webhook"}
COLUMNS: Final = (
    ("Số", 8), ("Bản tin", 24), ("Mã hồ sơ", 28), ("Nhiệm vụ", 38), ("Ghi sổ", 19),
    ("Máy chủ bản tin xác nhận", 19), ("Đã lấy", 19), ("Lấy bằng", 10), ("Mở nhiệm vụ", 19),
    ("Nhận việc", 19), ("Trả lời", 19), ("Câu trả lời", 24), ("Giao lại", 9),
    ("Hết hạn giao", 19), ("Bản ghi đã ký", 12), ("Cơ quan ký", 10),
)  # fmt: skip
TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def of_day(
    connection: sa.Connection, agency: str, day: date, office: str | None = None
) -> list[Delivery]:
    """What was made for an agency on a day of Viet Nam's calendar; see `storage.book.deliveries`."""
    return deliveries(connection, agency, *bounds(day), office=office)


def bounds(day: date, last: date | None = None) -> tuple[datetime, datetime]:
    """When a day of Viet Nam's calendar (or a stretch, up to and with its last) begins and ends, UTC."""
    end = datetime.combine((last or day) + timedelta(days=1), time(), VN)
    return as_utc(datetime.combine(day, time(), VN)), as_utc(end)


def cells(of: Delivery) -> tuple[str, ...]:
    """One line of the book, instants to the second on the wall clock of Viet Nam."""
    return (
        str(of.number),
        KINDS.get(of.kind, of.kind),
        of.dossier,
        of.task or "",
        *map(_second, (of.made_at, of.confirmed_at, of.fetched_at)),
        WAYS.get(of.fetched_by or "", ""),
        *map(_second, (of.opened_at, of.taken_at, of.answered_at)),
        ANSWERS.get(of.answer or "", of.answer or ""),
        str(of.repeats) if of.repeats else "",
        _second(of.expired_at),
        str(of.record or ""),
        "có" if of.signed else "",
    )


def _second(at: datetime | None) -> str:
    return "" if at is None else f"{to_vn(at):%H:%M:%S %d/%m/%Y}"


def workbook(found: Sequence[Delivery], day: date, name: str) -> bytes:
    """The book of the agency of this name as an xlsx file of texts: none is taken for a formula."""
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sổ giao nhận")
    for place, (_, width) in enumerate(COLUMNS):
        sheet.column_dimensions[chr(ord("A") + place)].width = width
    sheet.freeze_panes = "A3"
    title = f"Sổ giao nhận ngày {day:%d/%m/%Y} – {name}"
    titles = tuple(column for column, _ in COLUMNS)
    for line in ((title,), titles, *map(cells, found)):
        made = [WriteOnlyCell(sheet, text) for text in line]
        for cell in made:
            cell.data_type = "s"
        sheet.append(made)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
