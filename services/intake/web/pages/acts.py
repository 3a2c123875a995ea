"""What a desk officer does on a dossier's page; each act is one form and one command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from services.intake.domain.dossier import Dossier
from services.intake.storage.dossiers import Dossiers
from services.intake.usecases import desk
from services.intake.usecases.once import answer_once, digest
from services.intake.web import views
from services.intake.web.deps import Deps, deps, own_office
from services.intake.web.pages import typed
from services.intake.web.pages.desk import show
from shared.database import UnitOfWork
from shared.identity.guard import current, require
from shared.kernel.clock import VN
from shared.kernel.errors import Fault, InvalidInput, NotAllowed, NotFound

Act = Callable[[UnitOfWork, Deps, str, str, typed.Typed], Dossier]


def blueprint() -> Blueprint:
    """POST /ho-so/<code>/<act>."""
    blue = Blueprint("acts", __name__)
    blue.add_url_rule(
        "/ho-so/<string:code>/<string:act>", "act", require("desk")(_act), methods=["POST"]
    )
    return blue


def _act(code: str, act: str) -> Response | tuple[str, int]:
    do = ACTS.get(act)
    if do is None or not code.isprintable():
        raise NotFound("there is no such page", vi="Không có trang này.")
    known, office, form = deps(), own_office(), request.form

    def run(uow: UnitOfWork) -> tuple[int, dict[str, Any]]:
        dossier = do(uow, known, office, code, form)
        return 200, views.summary(dossier, known.catalogue, uow.now)

    told = sorted((k, v) for k, v in form.items(multi=True) if k != "csrf_token")
    try:
        answer_once(
            known.store,
            f"page:{office}",
            form.get("token", "")[:100] or None,
            digest("POST", request.path, told),
            run,
            actor=current().actor,
        )
    except InvalidInput as wrong:
        return show(code, action=act, values=form, faults=wrong.faults), 422
    except NotAllowed as refused:
        said = Fault("", refused.vi, refused.en)
        return show(code, action=act, values=form, faults=(said,)), 409
    if act == "receive":
        return redirect(url_for("desk.receipt", code=code), 303)
    return redirect(url_for("desk.dossier", code=code), 303)


def _receive(uow: UnitOfWork, known: Deps, office: str, code: str, form: typed.Typed) -> Dossier:
    dossier = uow.get(Dossiers).get(code, office=office)
    procedure = desk.procedure_of(known.catalogue, dossier)
    counts = typed.papers(procedure.papers, form)
    return desk.receive(uow, known.catalogue, office, code, papers=counts)


def _refuse(uow: UnitOfWork, known: Deps, office: str, code: str, form: typed.Typed) -> Dossier:
    return desk.refuse(
        uow,
        known.catalogue,
        office,
        code,
        reason=form.get("reason", ""),
        next_step=form.get("next_step", ""),
    )


def _request_supplement(
    uow: UnitOfWork, known: Deps, office: str, code: str, form: typed.Typed
) -> Dossier:
    return desk.request_supplement(
        uow,
        known.catalogue,
        office,
        code,
        items=[line.strip() for line in form.get("items", "").splitlines() if line.strip()],
        reason=form.get("reason", ""),
        respond_by=_end_of(form.get("respond_by", "")),
    )


def _extend_supplement(
    uow: UnitOfWork, known: Deps, office: str, code: str, form: typed.Typed
) -> Dossier:
    until = _end_of(form.get("respond_by", ""))
    return desk.extend_supplement(uow, known.catalogue, office, code, respond_by=until)


def _end_of(day: str) -> datetime | None:
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time(17), VN)
    except ValueError:
        wrong = Fault("respond_by", "Ngày không đúng.", "not a date")
        raise InvalidInput([wrong]) from None


def _supplement(uow: UnitOfWork, known: Deps, office: str, code: str, form: typed.Typed) -> Dossier:
    dossier = uow.get(Dossiers).get(code, office=office)
    procedure = desk.procedure_of(known.catalogue, dossier)
    number = form.get("round", "")
    return desk.supplement(
        uow,
        known.catalogue,
        office,
        code,
        papers=typed.papers(procedure.papers, form),
        form=typed.changed_form(dossier, procedure.form, form),
        round_=int(number) if number.isascii() and number.isdigit() else None,
    )


def _pay(uow: UnitOfWork, known: Deps, office: str, code: str, form: typed.Typed) -> Dossier:
    digits = form.get("amount_vnd", "").replace(".", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 12):
        wrong = Fault("amount_vnd", "Ghi số tiền bằng chữ số.", "must be a whole number")
        raise InvalidInput([wrong])
    return desk.pay(
        uow,
        known.catalogue,
        office,
        code,
        amount_vnd=int(digits),
        proof=form.get("proof", ""),
        step=form.get("step") or None,
    )


def _withdraw(uow: UnitOfWork, known: Deps, office: str, code: str, form: typed.Typed) -> Dossier:
    return desk.withdraw(uow, known.catalogue, office, code, reason=form.get("reason", ""))


def _contact(uow: UnitOfWork, _: Deps, office: str, code: str, form: typed.Typed) -> Dossier:
    return desk.correct_contact(uow, office, code, typed.contact(form))


def _return_result(uow: UnitOfWork, _: Deps, office: str, code: str, form: typed.Typed) -> Dossier:
    return desk.return_result(uow, office, code, method=form.get("method", ""))


ACTS: dict[str, Act] = {
    "receive": _receive,
    "refuse": _refuse,
    "request-supplement": _request_supplement,
    "supplement": _supplement,
    "extend-supplement": _extend_supplement,
    "payment": _pay,
    "withdraw": _withdraw,
    "return-result": _return_result,
    "contact": _contact,
}
