"""The operators' page of the stop list: who wants nothing sent, and putting a number on or off it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from services.notify.domain.contacts import masked
from services.notify.storage import stops as rows
from services.notify.storage.stops import Stop
from services.notify.usecases.stopping import by_hand
from services.notify.web.words import ASKED_BY, CHANNELS
from shared.database import Store
from shared.identity.guard import current, require
from shared.kernel.errors import InvalidInput
from shared.messaging.acts import Reason, record
from shared.web.words import gettext

PAGE = 50


def blueprint(store: Store) -> Blueprint:
    """`/tin-nhan/tu-choi`."""
    blue = Blueprint("stops", __name__, url_prefix="/tin-nhan", template_folder="templates")

    @blue.get("/tu-choi")
    @require("operator")
    def listed() -> str:
        return _page(store)

    @blue.post("/tu-choi")
    @require("operator")
    def order() -> Response | tuple[str, int]:
        form = request.form
        remove = form.get("order") == "remove"
        try:
            who = Reason(current().actor.id or "operator", form.get("why", "")[:300])
            with store.begin(current().actor) as uow:
                changed, what = by_hand(uow, form.get("address", ""), remove=remove)
                record(uow, "stops remove" if remove else "stops add", what, 1, who)
        except InvalidInput as wrong:
            return _page(store, form, wrong.faults), 422
        flash(_said(remove=remove, changed=changed), "good")
        return redirect(url_for("stops.listed"), 303)

    return blue


def _said(*, remove: bool, changed: bool) -> str:
    if not changed:
        return gettext("Không có gì thay đổi: danh sách đã như vậy.")
    if remove:
        return gettext("Đã bỏ khỏi danh sách: tin lại được gửi tới đó.")
    return gettext("Đã ghi vào danh sách: không gửi tới đó nữa.")


def _page(store: Store, form: Any = None, faults: Any = ()) -> str:
    with store.read() as connection:
        found = rows.newest(connection, PAGE)
        count = rows.count(connection)
    wrong: dict[str, list[str]] = {}
    for fault in faults:
        wrong.setdefault(fault.place, []).append(fault.vi)
    return render_template(
        "notify/stops.html",
        rows=[_row(each) for each in found],
        count=count,
        given=form or {},
        wrong=wrong,
    )


def _row(stop: Stop) -> dict[str, Any]:
    return {
        "address": masked(stop.channel, stop.address or ""),
        "channel": CHANNELS[stop.channel],
        "at": stop.at,
        "asked_by": ASKED_BY.get(stop.asked_by, stop.asked_by),
    }
