"""Reconciliation at the door: the city's sums and an agency's own by REST, what differs as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint, render_template, url_for
from flask.views import MethodView

from services.routing.domain.reconciling import Compared, DaySum, Span
from services.routing.usecases.reconcile import DAYS, Standing
from services.routing.web.coordination import head
from services.routing.web.door import Door
from services.routing.web.schemas import DaysComparedSchema, DaysQuery, DaySumsSchema
from shared.events.agencies import MOST_SPANS
from shared.identity.guard import current, require
from shared.web.api import Blueprint as ApiBlueprint

PAGE: Final = "/nhiem-vu/doi-chieu"
#: Of the spans of one day, on the page; more stand in the book.
_SHOWN: Final = 10


def add_api(blue: ApiBlueprint, door: Door) -> None:
    """GET and POST …/day-sums."""

    @blue.route("/day-sums")
    class DaySums(MethodView):
        """The sums of the calling agency's messages by local day."""

        @require("agency")
        @blue.arguments(DaysQuery, location="query")  # type: ignore[untyped-decorator]
        @blue.response(200, DaySumsSchema)  # type: ignore[untyped-decorator]
        def get(self, query: dict[str, Any]) -> dict[str, Any]:
            """Tell the city's sums of the last days, today's as far as it goes."""
            found = door.day_sums(current().bound_to, query["days"])
            return {"days": [_told(each) for each in found]}

        @require("agency")
        @blue.arguments(DaySumsSchema)  # type: ignore[untyped-decorator]
        @blue.response(200, DaysComparedSchema)  # type: ignore[untyped-decorator]
        def post(self, data: dict[str, Any]) -> dict[str, Any]:
            """Compare your sums with the city's: what you lack is named, fetch it by `after`.

            A day that is over and differs is kept for both sides until it agrees.
            """
            compared = door.compare(current().bound_to, [_given(each) for each in data["days"]])
            return {"days": [_compared(each) for each in compared]}


def _given(each: dict[str, Any]) -> DaySum:
    spans = tuple((span["first"], span["last"]) for span in each["spans"])
    return DaySum(each["day"], each["count"], each["sha256"], spans)


def _told(of: DaySum) -> dict[str, Any]:
    return {"day": of.day, "count": of.count, "sha256": of.sha256, "spans": _spans(of.spans)}


def _compared(of: Compared) -> dict[str, Any]:
    return _told(of.ours) | {
        "agreed": of.agreed,
        "missing": _spans(of.missing),
        "forgotten": _spans(of.forgotten),
        "strange": _spans(of.unknown),
    }


def _spans(spans: Sequence[Span]) -> list[dict[str, int]]:
    return [{"first": first, "last": last} for first, last in spans[:MOST_SPANS]]


def add_pages(blue: Blueprint, door: Door) -> None:
    """/nhiem-vu/doi-chieu: for an agency its own days, for the head of an office what differs."""

    @blue.get(PAGE)
    @require("agency", "desk")
    def reconciled() -> str:
        agency = current().bound_to if current().kind == "agency" else None
        if agency is None:
            head()
        sums = door.day_sums(agency, DAYS) if agency else []
        return render_template(
            "routing/reconciling.html",
            rows=[_row(door, each) for each in door.differences(agency)],
            name=door.agency_name(agency) if agency else "",
            sums=[each for each in sums[::-1] if each.count],
        )


def _row(door: Door, each: Standing) -> dict[str, Any]:
    return {
        "name": door.agency_name(each.of.agency),
        "of": each,
        "book": url_for(
            "pages.handed_over", ngay=f"{each.of.day:%d/%m/%Y}", co_quan=each.of.agency
        ),
        "numbers": ", ".join(map(_written, each.of.spans[:_SHOWN])),
        "more": len(each.of.spans) > _SHOWN,
    }


def _written(span: Span) -> str:
    first, last = span
    return str(first) if first == last else f"{first}-{last}"
