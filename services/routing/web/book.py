"""The hand-over book's page, for an agency its own, for the head of an office of any agency's share."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from flask import Blueprint, Response, render_template, request, url_for
from flask.views import MethodView

from services.routing.storage.book import MOST, Delivery
from services.routing.usecases import book
from services.routing.usecases.evidence import TYPE
from services.routing.web.coordination import head
from services.routing.web.door import Door
from services.routing.web.schemas import EvidenceQuery, EvidenceSchema
from shared.identity.guard import current, require
from shared.kernel.clock import to_vn
from shared.kernel.days import read_day
from shared.kernel.numbers import Unreadable
from shared.web.api import Blueprint as ApiBlueprint
from shared.web.words import gettext, said

PAGE: Final = "/nhiem-vu/so-giao-nhan"
EVIDENCE: Final = f"{PAGE}/bang-chung.jsonl"


def add_api(blue: ApiBlueprint, door: Door) -> None:
    """GET …/evidence."""

    @blue.route("/evidence")
    class Evidence(MethodView):
        """The calling agency's chain of evidence."""

        @require("agency")
        @blue.arguments(EvidenceQuery, location="query")  # type: ignore[untyped-decorator]
        @blue.response(200, EvidenceSchema)  # type: ignore[untyped-decorator]
        def get(self, query: dict[str, Any]) -> dict[str, Any]:
            """Give the signed records after a number: what was handed over to you, what you answered.

            They hold ids, numbers and instants, nothing of a citizen; each page can be checked alone.
            """
            agency = current().bound_to
            items, last, more = door.evidence_after(agency, query["after"], query["limit"])
            return {"items": items, "next": last, "more": more}


def add_pages(blue: Blueprint, door: Door) -> None:
    """/nhiem-vu/so-giao-nhan: a day of the book."""
    _add_files(blue, door)

    @blue.get(PAGE)
    @require("agency", "desk")
    def handed_over() -> str:
        day, typed, wrong = _day(door)
        agency, office = _whose(door)
        rows = door.handover_book(agency, day, office) if agency else []
        return render_template(
            "routing/book.html",
            rows=[_row(each) for each in rows],
            agency=agency,
            name=door.agency_name(agency) if agency else "",
            agencies=door.agencies() if office else [],
            queue=door.queue_of(agency) if agency else None,
            typed=typed,
            wrong={"ngay": wrong},
            most=MOST,
            file=url_for("pages.handover_file", ngay=f"{day:%d/%m/%Y}", co_quan=agency or None),
            evidence=url_for("pages.evidence", ngay=f"{day:%d/%m/%Y}", co_quan=agency or None),
        )


def _add_files(blue: Blueprint, door: Door) -> None:
    """A day as a workbook, and as signed evidence."""

    @blue.get(f"{PAGE}.xlsx")
    @require("agency", "desk")
    def handover_file() -> Response:
        day, _, _ = _day(door)
        agency, office = _whose(door)
        rows = door.handover_book(agency, day, office) if agency else []
        made = book.workbook(rows, day, door.agency_name(agency))
        answer = Response(made, content_type=book.TYPE)
        name = f"so-giao-nhan-{day:%Y%m%d}.xlsx"
        answer.headers.set("Content-Disposition", "attachment", filename=name)
        return answer

    @blue.get(EVIDENCE)
    @require("agency", "desk")
    def evidence() -> Response:
        day, _, _ = _day(door)
        agency, _ = _whose(door)
        made = "".join(door.evidence(agency, day))
        answer = Response(made, content_type=TYPE)
        name = f"bang-chung-{agency or 'khong'}-{day:%Y%m%d}.jsonl"
        answer.headers.set("Content-Disposition", "attachment", filename=name)
        return answer


def _whose(door: Door) -> tuple[str, str | None]:
    """Whose book is asked for, and of which office's dossiers alone; no agency: none was chosen."""
    if current().kind == "agency":
        return current().bound_to, None
    chosen = request.args.get("co_quan", "")
    known = dict(door.agencies())
    return (chosen if chosen in known else ""), head().bound_to


def _day(door: Door) -> tuple[date, str, list[str]]:
    today = to_vn(door.store.clock.now()).date()
    text = request.args.get("ngay", "")
    found = read_day(text) if text else today
    if isinstance(found, Unreadable):
        return today, text[:100], [said(found)]
    return found, f"{found:%d/%m/%Y}", []


def _row(of: Delivery) -> dict[str, Any]:
    return {
        "of": of,
        "kind": gettext(book.KINDS.get(of.kind, of.kind)),
        "way": gettext(book.WAYS.get(of.fetched_by or "", "")),
        "answer": gettext(book.ANSWERS.get(of.answer or "", of.answer or "")),
    }
