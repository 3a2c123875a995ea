"""What a desk officer does on a dossier's page; each act is one form and one command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from services.intake.domain.circumstances import procedure_of
from services.intake.domain.dossier import Dossier
from services.intake.domain.waits import ACTIONS_VI
from services.intake.storage.dossiers import Dossiers
from services.intake.usecases import desk, look
from services.intake.usecases.once import answer_once, digest
from services.intake.web import views
from services.intake.web.deps import deps, must_be_allowed, own_office
from services.intake.web.pages import papers, typed
from services.intake.web.pages.desk import show
from services.intake.web.pages.faulty import LABELS
from services.intake.web.people import take_care
from shared.catalogue import FormKind, Procedure
from shared.database import UnitOfWork
from shared.identity.guard import current, require
from shared.kernel.clock import VN
from shared.kernel.days import CLOSING, read_day, read_moment
from shared.kernel.errors import Fault, InvalidInput, NotAllowed, NotFound
from shared.kernel.letters import tidy
from shared.kernel.numbers import Unreadable, read_number
from shared.web.words import gettext, msgid

Arguments = Callable[[typed.Typed, Dossier, Procedure], dict[str, Any]]


def blueprint() -> Blueprint:
    """POST /ho-so/<code>/<act>."""
    blue = Blueprint("acts", __name__)
    blue.add_url_rule(
        "/ho-so/<string:code>/<string:act>", "act", require("desk")(_act), methods=["POST"]
    )
    return blue


def _act(code: str, act: str) -> Response | tuple[str, int]:
    if act not in ACTS:
        raise NotFound("there is no such page", vi="Không có trang này.")
    must_be_allowed(act)
    known, office, form = deps(), own_office(), request.form
    verb, arguments = ACTS[act]
    if "back" in form:
        return show(code, action=act, values=form), 200

    def run(uow: UnitOfWork) -> tuple[int, dict[str, Any]]:
        dossier = uow.get(Dossiers).of_office(code, office)
        told = arguments(form, dossier, procedure_of(known.catalogue, dossier))
        dossier = verb(uow, known.catalogue, office, code, **told)
        if act in FINAL and "sure" not in form:
            raise AskFirst
        if act == "receive":
            take_care(uow, code)
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
    except AskFirst:
        return sure(code, act, form), 200
    except InvalidInput as wrong:
        return show(code, action=act, values=form, faults=wrong.faults), 422
    except NotAllowed as refused:
        said = Fault("", refused.vi, refused.en)
        return show(code, action=act, values=form, faults=(said,)), 409
    if act in PRINTED:
        papers.to_be_printed(code)
        return redirect(url_for(f"papers.{PRINTED[act]}", code=code), 303)
    return redirect(url_for("desk.dossier", code=code, xong=act), 303)


class AskFirst(Exception):
    """It could be done, and is undone: whoever asked for it has not said that they are sure."""


def sure(code: str, act: str, form: typed.Typed) -> str:
    """What cannot be taken back is shown once more, with all that was typed."""
    known = deps()
    with known.store.read() as connection:
        found = look.one(connection, own_office(), code)
    kept = [(k, v) for k, v in form.items(multi=True) if k not in ("csrf_token", "sure", "back")]
    return render_template(
        "intake/sure.html",
        dossier=found,
        procedure=procedure_of(known.catalogue, found),
        act=act,
        name=gettext(ACTIONS_VI[act]),
        follows=FINAL[act],
        kept=kept,
        labels={name: gettext(vi) for name, vi in LABELS.items()},
    )


def _texts(*names: str) -> Arguments:
    """Inputs that are told as they were typed."""
    return lambda form, *_: {name: form.get(name, "") for name in names}


def _request_supplement(form: typed.Typed, *_: object) -> dict[str, Any]:
    lines = (line.strip() for line in form.get("items", "").splitlines())
    return {
        "items": [line for line in lines if line],
        "reason": form.get("reason", ""),
        "respond_by": _end_of(form.get("respond_by", "")),
    }


def _extend_supplement(form: typed.Typed, *_: object) -> dict[str, Any]:
    return {"respond_by": _end_of(form.get("respond_by", ""))}


def _end_of(day: str) -> datetime | None:
    if not tidy(day):
        return None
    found = read_day(day)
    if isinstance(found, Unreadable):
        raise InvalidInput([Fault("respond_by", found.vi, found.en)])
    return datetime.combine(found, CLOSING, VN)


def _receive(form: typed.Typed, _: Dossier, procedure: Procedure) -> dict[str, Any]:
    return {"papers": typed.papers(procedure.papers, form)}


def _supplement(form: typed.Typed, dossier: Dossier, procedure: Procedure) -> dict[str, Any]:
    number = form.get("round", "")[:4]
    return {
        "papers": typed.papers(procedure.papers, form),
        "form": typed.changed_form(dossier, procedure.form, form),
        "round_": int(number) if number.isascii() and number.isdigit() else None,
    }


def _return_result(form: typed.Typed, dossier: Dossier, _: Procedure) -> dict[str, Any]:
    several = len(dossier.results_left) > 1
    return {
        "steps": form.getlist("steps")[:100] if several else None,
        "id_checked": "id_checked" in form,
        **{n: form.get(n, "") for n in ("method", "taker", "taker_name", "carrier", "waybill")},
    }


def _correct_waybill(form: typed.Typed, *_: object) -> dict[str, Any]:
    number = form.get("number", "")[:4]
    return {
        "number": int(number) if number.isascii() and number.isdigit() else None,
        **{name: form.get(name, "") for name in ("carrier", "waybill", "reason")},
    }


def _apologise(form: typed.Typed, *_: object) -> dict[str, Any]:
    text = form.get("due_at", "")
    due_at = read_moment(text) if tidy(text) else None
    if isinstance(due_at, Unreadable):
        raise InvalidInput([Fault("due_at", due_at.vi, due_at.en)])
    return {"reason": form.get("reason", ""), "due_at": due_at}


def _pay(form: typed.Typed, *_: object) -> dict[str, Any]:
    amount = read_number(form.get("amount_vnd", ""), unit="vnd")
    if isinstance(amount, Unreadable):
        raise InvalidInput([Fault("amount_vnd", amount.vi, amount.en)])
    if not isinstance(amount, int):
        wrong = Fault("amount_vnd", "Số tiền đồng không có phần lẻ.", "must be a whole number")
        raise InvalidInput([wrong])
    proof, step = form.get("proof", ""), form.get("step") or None
    return {"amount_vnd": amount, "proof": proof, "step": step}


#: What cannot be taken back -> what it brings about.
FINAL: Final[Mapping[str, str]] = {
    "refuse": msgid(
        "Hồ sơ kết thúc ở đây (không được tiếp nhận). Công dân được báo lý do và hướng dẫn."
    ),
    "withdraw": msgid(
        "Hồ sơ kết thúc ở đây (công dân rút). Các cơ quan ngừng làm và công dân được báo."
    ),
}
#: Acts that end in a paper for the citizen -> its kind.
PRINTED: Final[Mapping[str, FormKind]] = {
    "receive": "receipt", "refuse": "refusal", "apologise": "apology",
}  # fmt: skip
#: Name of the act -> the verb, and how what was typed is told to it.
ACTS: Final[Mapping[str, tuple[Callable[..., Dossier], Arguments]]] = {
    "receive": (desk.receive, _receive),
    "refuse": (desk.refuse, _texts("reason", "next_step")),
    "request-supplement": (desk.request_supplement, _request_supplement),
    "supplement": (desk.supplement, _supplement),
    "extend-supplement": (desk.extend_supplement, _extend_supplement),
    "payment": (desk.pay, _pay),
    "withdraw": (desk.withdraw, _texts("reason")),
    "grant-extension": (desk.grant_extension, lambda form, *_: {"task": form.get("task") or None}),
    "refuse-extension": (
        desk.refuse_extension,
        lambda form, *_: {"task": form.get("task") or None, "reason": form.get("reason", "")},
    ),
    "apologise": (desk.apologise, _apologise),
    "return-result": (desk.return_result, _return_result),
    "correct-waybill": (desk.correct_waybill, _correct_waybill),
    "called": (desk.called, _texts("outcome")),
    "contact": (
        desk.correct_contact,
        lambda form, _, procedure: {
            "typed": typed.contact(form),
            "parties": typed.parties(procedure.parties, form),
        },
    ),
}
