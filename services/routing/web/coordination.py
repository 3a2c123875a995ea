"""The coordination list, for the head of an office: steps that no agency has, by page and by REST.

A programme with the office's key acts for the office. Not here: what naming an agency does.
"""

from __future__ import annotations

from typing import Any, Final

import marshmallow as ma
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.views import MethodView
from werkzeug.wrappers import Response

from services.routing.usecases.answer import NotApplied
from services.routing.usecases.place import Waiting
from services.routing.web import words
from services.routing.web.door import Door
from services.routing.web.schemas import PlacedSchema, PlacementSchema, ToPlaceSchema
from shared.identity.guard import current, require
from shared.identity.keys import Principal
from shared.kernel.errors import Fault, Forbidden
from shared.web.api import Blueprint as ApiBlueprint
from shared.web.faults import faults_of
from shared.web.words import gettext

PAGE: Final = "/nhiem-vu/dieu-phoi"
AGENCIES: Final = "/nhiem-vu/cac-co-quan"
MOST: Final = 100
_PLACEMENT: Final = PlacementSchema()


def head() -> Principal:
    """Who calls, if it is the head of an office or its programme; else Forbidden."""
    caller = current()
    if caller.role not in ("", "head"):
        raise Forbidden("only the head of an office", vi="Trang này dành cho trưởng bộ phận.")
    return caller


def add_pages(blue: Blueprint, door: Door) -> None:
    """/nhiem-vu/dieu-phoi: the list, and naming an agency."""

    @blue.get(PAGE)
    @require("desk")
    def to_place() -> str:
        return _page(door)

    @blue.get(AGENCIES)
    @require("desk")
    def agencies() -> str:
        office = head().bound_to
        return render_template(
            "routing/agencies.html",
            rows=door.paces(office),
            office=door.agency_name(office),
            span=words.span,
        )

    @blue.post(f"{PAGE}/<task_id>")
    @require("desk")
    def place(task_id: str) -> Response | tuple[str, int]:
        caller = head()
        typed = {name: request.form.get(name, "").strip() for name in ("agency", "reason")}
        try:
            data = _PLACEMENT.load({name: text for name, text in typed.items() if text})
            placed = door.place(caller, task_id, data["agency"], data["reason"])
        except ma.ValidationError as wrong:
            return _page(door, task_id, faults_of(wrong.messages)), 422
        except NotApplied as refused:
            return _page(door, task_id, refused.faults), refused.status
        name = door.agency_name(placed.named or "")
        flash(gettext("Đã giao việc cho %(name)s.", name=name), "good")
        return redirect(url_for("pages.to_place"), 303)


def _page(door: Door, asked: str = "", faults: tuple[Fault, ...] = ()) -> str:
    office = head().bound_to
    now = door.store.clock.now()
    found = door.waiting(office, MOST)
    return render_template(
        "routing/coordination.html",
        rows=[{"of": each, "due": words.due(each.task, now)} for each in found],
        office=door.agency_name(office),
        most=MOST,
        asked=asked,
        given=request.form,
        faults=faults,
        labels=words.labels() | {"agency": gettext("Cơ quan làm"), "reason": gettext("Lời nhắn")},
        wrong=words.by_place(faults),
    )


def add_api(blue: ApiBlueprint, door: Door) -> None:
    """GET …/to-place and POST …/{task_id}/placement."""

    @blue.route("/to-place")
    class ToPlace(MethodView):
        """The coordination list of the calling office."""

        @require("desk")
        @blue.response(200, ToPlaceSchema)  # type: ignore[untyped-decorator]
        def get(self) -> dict[str, Any]:
            """List the steps that no agency has, the longest waiting first; for an office."""
            found = door.waiting(head().bound_to, MOST + 1)
            return {"items": [_told(each) for each in found[:MOST]], "more": len(found) > MOST}

    @blue.route("/<string:task_id>/placement")
    class Placement(MethodView):
        """Who does a step that waits for it."""

        @require("desk")
        @blue.arguments(PlacementSchema)  # type: ignore[untyped-decorator]
        @blue.response(200, PlacedSchema)  # type: ignore[untyped-decorator]
        @blue.alt_response(404, description="Nothing of your office waits under this id")  # type: ignore[untyped-decorator]
        @blue.alt_response(409, description="It waits no more")  # type: ignore[untyped-decorator]
        def post(self, data: dict[str, Any], task_id: str) -> dict[str, Any]:
            """Name the agency that does it; an act of the head. The same again is harmless."""
            placed = door.place(head(), task_id, data["agency"], data["reason"])
            return {"task": placed.id, "agency": placed.named}


def _told(each: Waiting) -> dict[str, Any]:
    return {
        "task": each.task.id,
        "dossier": each.case.dossier,
        "procedure": {"code": each.case.procedure.code, "name": each.case.procedure.name},
        "step": {"code": each.step.code, "name": each.step.name},
        "waiting_since": each.task.opened_at,
        "due_at": None if each.task.state == "paused" else each.task.due_at,
        "before": [
            {"agency": t.agency.code, "reason": t.reason, "named": t.named} for t in each.before
        ],
    }
