"""The list that goes to the post office with what a desk sent on a day: a page to print, and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from services.intake.storage.postings import posted
from services.intake.web.deps import deps, office_agency, own_office
from services.intake.web.pages.export import Line, file_of, note_shown
from services.intake.web.pages.listing import end_of, start_of
from shared.identity.audit import saw
from shared.identity.guard import require
from shared.kernel.clock import to_vn
from shared.kernel.days import read_day
from shared.kernel.numbers import Unreadable
from shared.web.filters import vn_date
from shared.web.words import gettext, msgid, said

#: Parcels of one office and day that a page and a file hold; none of ours sends a tenth of it.
MOST: Final = 2000
HEAD: Final = (
    msgid("STT"),
    msgid("Mã hồ sơ"),
    msgid("Người nhận"),
    msgid("Địa chỉ"),
    msgid("Điện thoại"),
    msgid("Bên chuyển phát"),
    msgid("Mã vận đơn"),
    msgid("Gửi lúc"),
)


def blueprint() -> Blueprint:
    """/ho-so/gui-buu-dien and its files."""
    blue = Blueprint("posting", __name__)
    path = "/ho-so/gui-buu-dien"
    blue.add_url_rule(path, "page", require("desk")(_page), methods=["GET"])
    files = f"{path}.<any(csv, xlsx):kind>"
    blue.add_url_rule(files, "file", require("desk")(_file), methods=["GET"])
    return blue


def _day() -> tuple[date, dict[str, list[str]]]:
    """The day that is asked for; today with what is wrong where it cannot be read."""
    asked = request.args.get("ngay", "")[:100]
    day = read_day(asked) if asked else deps().today()
    return (deps().today(), {"ngay": [said(day)]}) if isinstance(day, Unreadable) else (day, {})


def _rows(day: date) -> Sequence[Any]:
    start, end = start_of(day), end_of(day)
    assert start is not None
    assert end is not None
    with deps().store.read() as connection:
        return posted(connection, own_office(), start, end, MOST)


def _page() -> str:
    day, wrong = _day()
    rows = _rows(day)
    saw(row.dossier for row in rows)
    around = {name: url_for(".page", ngay=day + timedelta(days=n)) for name, n in _BESIDE}
    files = [(kind, url_for(".file", kind=kind, ngay=day)) for kind in ("xlsx", "csv")]
    return render_template(
        "intake/posting.html",
        office=office_agency(),
        day=day,
        typed=request.args.get("ngay", "")[:100] or vn_date(day),
        wrong=wrong,
        head=HEAD,
        lines=[_cells(number, row) for number, row in enumerate(rows, 1)],
        files=files,
        most=MOST,
        now=deps().now(),
        **around,
    )


_BESIDE: Final = (("day_before", -1), ("day_after", 1))


def _file(kind: str) -> Response:
    day, _ = _day()
    rows = _rows(day)
    note_shown([row.dossier for row in rows])
    title = gettext(
        "Gửi bưu điện ngày %(day)s – %(name)s",
        day=format(day, "%d/%m/%Y"),
        name=office_agency().name,
    )
    return file_of(kind, _lines(rows), title, f"gui-buu-dien-{day:%Y%m%d}")


def _lines(rows: Sequence[Any]) -> Iterator[Line]:
    yield tuple(map(gettext, HEAD))
    yield from (_cells(number, row) for number, row in enumerate(rows, 1))


def _cells(number: int, row: Any) -> Line:
    contact = row.contact
    return (
        number,
        row.dossier,
        contact["name"],
        contact.get("address") or "",
        contact.get("phone_original") or contact.get("phone") or "",
        row.carrier or "",
        row.waybill or "",
        f"{to_vn(row.posted_at):%H:%M %d/%m/%Y}",
    )
