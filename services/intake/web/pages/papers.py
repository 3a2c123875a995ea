"""Official papers at the desk: each as a page to print and as a PDF; the day's register too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from flask import Blueprint, Response, render_template, request, session, url_for

from services.intake.domain.dossier import Dossier
from services.intake.domain.papers import (
    OF_A_DOSSIER,
    Matter,
    OfficialPaper,
    draw_up,
    papers_of,
    register,
)
from services.intake.usecases import look
from services.intake.web.deps import deps, office_agency, officer, own_office
from services.intake.web.openings import openings
from services.intake.web.pages import choosing
from services.intake.web.papers import pdf, square
from services.intake.web.people import names_in
from services.intake.web.telling import event_of
from shared.catalogue import FormKind
from shared.identity.audit import saw
from shared.identity.guard import require
from shared.kernel.days import read_day
from shared.kernel.numbers import Unreadable
from shared.web.state import state_of
from shared.web.words import gettext, msgid, said, vietnamese

#: Kind -> the end of its address, and what a link to it says.
ADDRESSES: Final[dict[FormKind, tuple[str, str]]] = {
    "receipt": ("giay-hen", msgid("Giấy hẹn")),
    "supplement": ("phieu-bo-sung", msgid("Phiếu yêu cầu bổ sung")),
    "refusal": ("phieu-tu-choi", msgid("Phiếu từ chối")),
    "stop": ("thong-bao-dung", msgid("Thông báo dừng giải quyết")),
    "apology": ("phieu-xin-loi", msgid("Phiếu xin lỗi và hẹn lại")),
    "control": ("phieu-kiem-soat", msgid("Phiếu kiểm soát")),
}
#: What has just been done, where a paper is shown right after it.
DONE: Final[dict[FormKind, str]] = {
    "receipt": msgid("Đã lưu"),
    "refusal": msgid("Đã từ chối tiếp nhận, công dân được báo:"),
}
REGISTER: Final = "so-theo-doi"
_SLIP: Final = "80"
#: Rows of a register that stand on one print.
ROWS: Final = 200
_TO_PRINT: Final = "to_print"


def blueprint() -> Blueprint:
    """Pages and PDFs under /ho-so/<code> and /so-theo-doi; all need a desk's key."""
    blue = Blueprint("papers", __name__)
    for kind in OF_A_DOSSIER:
        path = f"/ho-so/<string:code>/{ADDRESSES[kind][0]}"
        blue.add_url_rule(path, kind, require("desk")(_page_of(kind)), methods=["GET"])
        blue.add_url_rule(
            f"{path}.pdf", f"{kind}_pdf", require("desk")(_pdf_of(kind)), methods=["GET"]
        )
    blue.add_url_rule(f"/{REGISTER}", "register", require("desk")(_register), methods=["GET"])
    blue.add_url_rule(
        f"/{REGISTER}.pdf", "register_pdf", require("desk")(_register_pdf), methods=["GET"]
    )
    return blue


def to_be_printed(code: str) -> None:
    """The next page of a paper of this dossier opens the printer's window by itself, once."""
    session[_TO_PRINT] = code


def links(dossier: Dossier) -> list[tuple[str, str]]:
    """The papers that the dossier has: what each link says, and its address."""
    found = []
    for kind, part in papers_of(dossier):
        words = gettext(ADDRESSES[kind][1])
        if kind == "receipt" and dossier.received_at is None:
            words = gettext("Biên nhận")
        if kind == "receipt" and dossier.corrections:
            words = gettext("Giấy hẹn (bản sửa)")
        words = (
            words if part is None else gettext("%(words)s (lần %(part)s)", words=words, part=part)
        )
        found.append((words, url_for(f"papers.{kind}", code=dossier.code, lan=part)))
    return found


# --- of one dossier -----------------------------------------------------------------------------


def _page_of(kind: FormKind) -> Callable[[str], str]:
    def view(code: str) -> str:
        dossier, paper = _drawn_up(kind, code)
        now = session.get(_TO_PRINT) == dossier.code
        if now:
            session.pop(_TO_PRINT)
        slip = _size(paper) == "slip"
        asked: dict[str, Any] = {"lan": request.args.get("lan", type=_number)}
        return render_template(
            "intake/paper.html",
            paper=paper,
            square=square.data_uri(paper.link) if paper.link else None,
            slip=slip,
            print_now=now,
            other=None if paper.wide else _other(kind, code, asked, slip=slip),
            pdf=url_for(f"papers.{kind}_pdf", code=code, **asked, kho=_SLIP if slip else None),
            back=url_for("desk.dossier", code=code),
            again=choosing.last_of(deps().procedures_of(own_office())),
            done=gettext(DONE[kind]) if now and kind in DONE else None,
        )

    return view


def _pdf_of(kind: FormKind) -> Callable[[str], Response]:
    def view(code: str) -> Response:
        _, paper = _drawn_up(kind, code)
        return _as_pdf(paper, f"{ADDRESSES[kind][0]}-{code}")

    return view


def _drawn_up(kind: FormKind, code: str) -> tuple[Dossier, OfficialPaper]:
    known = deps()
    with known.store.read() as connection:
        found = look.one(connection, own_office(), code)
        entries = look.timeline(connection, found.code)
        taker = names_in(connection, found.code, entries).taker if kind == "receipt" else None
    home = state_of().settings.home
    with vietnamese():
        hours = openings(known.catalogue.reception(found.office))
    matter = Matter(
        dossier=found,
        facts=tuple(fact for entry in entries if (fact := event_of(entry)) is not None),
        around=known.around(),
        officer=taker or officer(),
        lookup=f"{home}{url_for('lookup.form')}" if home else None,
        openings=hours,
    )
    return found, draw_up(matter, kind, request.args.get("lan", type=_number))


def _number(text: str) -> int:
    """A round or the number of an apology; ValueError for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise ValueError("not a number of a paper")
    return int(text)


def _size(paper: OfficialPaper) -> pdf.Size:
    return "slip" if request.args.get("kho") == _SLIP and not paper.wide else "a4"


def _other(kind: FormKind, code: str, asked: dict[str, Any], *, slip: bool) -> tuple[str, str]:
    """The same paper on the other size of sheet."""
    words = gettext("Khổ A4") if slip else gettext("Khổ 80 mm")
    kept = None if slip else _SLIP
    return words, url_for(f"papers.{kind}", code=code, **asked, kho=kept)


def _as_pdf(paper: OfficialPaper, name: str) -> Response:
    answer = Response(pdf.render(paper, _size(paper)), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return answer


# --- of the office ------------------------------------------------------------------------------


def _register() -> str:
    paper, day, part, parts = _days_register()
    asked: dict[str, Any] = {"ngay": day.isoformat(), "phan": part if parts > 1 else None}
    return render_template(
        "intake/paper.html",
        paper=paper,
        pdf=url_for(".register_pdf", **asked),
        back=url_for("desk.dossiers"),
        day=day,
        asked=_asked_day()[1],
        part=part,
        parts=parts,
        at_part=lambda number: url_for(".register", ngay=day.isoformat(), phan=number),
    )


def _register_pdf() -> Response:
    paper, day, part, parts = _days_register()
    end = f"-{part}" if parts > 1 else ""
    return _as_pdf(paper, f"{REGISTER}-{own_office()}-{day.isoformat()}{end}")


def _days_register() -> tuple[OfficialPaper, date, int, int]:
    """The register, its day, and which part of how many it is."""
    known, day = deps(), _asked_day()[0]
    with known.store.read() as connection:
        total = look.received_count(connection, own_office(), day)
        parts = max(1, -(-total // ROWS))
        part = min(max(1, request.args.get("phan", 1, type=_number)), parts)
        before = (part - 1) * ROWS
        rows = look.received(connection, own_office(), day, before=before, most=ROWS)
    saw(row.code for row in rows)
    paper = register(
        known.around(), office_agency(), day, rows, before=before, total=total, officer=officer()
    )
    return paper, day, part, parts


def _asked_day() -> tuple[date, tuple[str, list[str]]]:
    """The day that was asked for, and how its input is shown; today where it cannot be read."""
    text = request.args.get("ngay", "")
    found = read_day(text) if text else deps().today()
    if isinstance(found, Unreadable):
        return deps().today(), (text[:100], [said(found)])
    return found, (f"{found:%d/%m/%Y}", [])
