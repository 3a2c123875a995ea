"""The citizen's page: a dossier by its code and look-up word; never any personal data."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import Blueprint, current_app, redirect, render_template, request
from werkzeug.wrappers import Response

from services.intake.domain.circumstances import procedure_of, told_date
from services.intake.domain.dossier import Dossier
from services.intake.domain.statuses import Status
from services.intake.storage import guesses
from services.intake.usecases import look
from services.intake.usecases.results import results_of
from services.intake.web.deps import agency_name, deps
from services.intake.web.openings import openings
from services.intake.web.where import milestones, places, sent_by, stages, verifications
from shared.identity.askers import HEADER, Askers
from shared.identity.audit import saw
from shared.identity.callers import place_of
from shared.identity.guard import TooMany, current_or_none, guard_of, public
from shared.kernel.errors import NotFound
from shared.log import get
from shared.web import rooms
from shared.web.filters import vn_datetime
from shared.web.words import ASKED, gettext, said

DOOR: Final = "look-up"
_log = get("web")


def blueprint() -> Blueprint:
    """The front page and /tra-cuu: open to everybody; tries are counted."""
    blue = Blueprint("lookup", __name__)
    blue.add_url_rule("/", "front", public(_front), methods=["GET"])
    blue.add_url_rule("/tra-cuu", "form", public(_form), methods=["GET"])
    blue.add_url_rule("/tra-cuu", "find", public(_find), methods=["POST"])
    return blue


def _front() -> str | Response:
    if (principal := current_or_none()) is not None:
        return redirect(rooms.of_kinds({principal.kind})[0].address, 303)
    return render_template("intake/lookup.html", code="", wrong=None)


def _form() -> str:
    return render_template("intake/lookup.html", code="", wrong=None)


def _find() -> str | tuple[str, int]:
    known = deps()
    code, word = request.form.get("code", "")[:100], request.form.get("word", "")[:100]
    if ASKED in request.args and not word:  # the empty form, in another language
        return render_template("intake/lookup.html", code=code, wrong=None)
    count_try(code)
    try:
        with known.store.read() as connection:
            dossier = look.for_citizen(connection, code, word)
            results = results_of(connection, dossier)
            told_of = look.timeline(connection, dossier.code)
    except NotFound as missing:
        guard_of().metrics.tried(DOOR, "not_found")
        _log.info("web.look_up_refused", place=place_of(request.remote_addr))
        return render_template("intake/lookup.html", code=code, wrong=said(missing)), 404
    saw([dossier.code])
    guard_of().metrics.tried(DOOR, "found")
    office = known.catalogue.agency(dossier.office)
    told, overdue = told_date(known.catalogue, dossier), dossier.overdue(known.now())
    return render_template(
        "intake/found.html",
        dossier=dossier,
        procedure=procedure_of(known.catalogue, dossier),
        office=office,
        openings=openings(known.catalogue.reception(dossier.office)),
        next_step=next_step(dossier, office.name, office.hotline, told=told, overdue=overdue),
        overdue=overdue,
        places=places(dossier, stages(told_of), office.name),
        milestones=milestones(
            dossier,
            stages(told_of),
            agency_name,
            verified=verifications(told_of),
            dated=told is not None,
            overdue=overdue,
        ),
        agency_name=agency_name,
        results=results,
        word=word,
    )


def count_try(code: str) -> None:
    """TooMany where this code, this address or its network was tried too often, by any process.

    A phone whose number a service of ours vouches for is counted as an address is.
    """
    caller, secret = request.remote_addr, str(current_app.config["SECRET_KEY"])
    asker = Askers(secret).read(request.headers.get(HEADER))
    waiting = guesses.wait_for(deps().store, look.allowances(code, caller, secret, asker))
    if waiting is not None:
        key, seconds = waiting
        guard_of().metrics.tried(DOOR, "limited")
        of = key.partition(":")[0]
        _log.warning("web.look_up_limited", of=of, place=place_of(caller), seconds=round(seconds))
        raise TooMany(seconds)


def next_step(
    dossier: Dossier, office: str, hotline: str, *, told: datetime | None, overdue: bool
) -> str:
    """What the citizen can do now, in one or two sentences.

    `told` is the date that they were given; one that is over is not told again.
    """
    match dossier.status:
        case Status.REGISTERED:
            now = gettext("%(office)s đang kiểm tra hồ sơ. Bạn chưa cần làm gì.", office=office)
        case Status.RECEIVED | Status.PROCESSING:
            stands = dossier.paused_since is not None
            now = _while_it_is_worked_on(told, overdue=overdue, stands=stands)
        case Status.SUPPLEMENT:
            now = gettext("Mang giấy tờ nêu dưới đây đến %(office)s.", office=office)
            if dossier.received_at:
                now += " " + gettext("Hồ sơ vẫn giữ thứ tự.")
        case Status.PAYMENT:
            now = gettext("Nộp tiền theo thông báo rồi báo cho %(office)s.", office=office)
        case Status.RESOLVED:
            now = gettext("Mời bạn đến %(office)s nhận kết quả, mang theo giấy hẹn.", office=office)
            if any(result.outcome == "refused" for result in dossier.results):
                now += " " + gettext(
                    "Phần không giải quyết: bạn nhận lại giấy tờ và được hướng dẫn tại đó."
                )
        case Status.RETURNED if sent := sent_by(dossier.handed):
            now = gettext("Kết quả: %(sent)s. Hồ sơ đã kết thúc.", sent=sent)
        case _:
            now = (dossier.ending.next_step if dossier.ending else None) or gettext(
                "Hồ sơ đã kết thúc."
            )
    return gettext("%(now)s. Cần hỏi thêm, gọi %(hotline)s.", now=now.rstrip("."), hotline=hotline)


def _while_it_is_worked_on(told: datetime | None, *, overdue: bool, stands: bool) -> str:
    if stands:
        return gettext(
            "Bạn chưa cần làm gì; thời hạn đang tạm dừng trong lúc cơ quan làm bước không "
            "tính vào hạn."
        )
    if overdue:
        return gettext(
            "Ngày hẹn trước đây đã qua; bạn được báo ngay khi có ngày mới hoặc có kết quả."
        )
    if told is None:
        return gettext("Bạn chưa cần làm gì; bạn được báo ngay khi có kết quả.")
    return gettext("Bạn chưa cần làm gì; hẹn trả kết quả %(told)s.", told=vn_datetime(told))
