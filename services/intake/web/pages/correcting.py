"""The page on which an officer puts right what the desk wrote down wrongly.

Each input goes with what it held when the page was made (`was.…`), so that only what the officer has
touched is a change, and what a colleague has mended meanwhile is never put back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from services.intake.domain.circumstances import procedure_of
from services.intake.domain.correcting import (
    CONTACT_PLACES,
    ChangedMeanwhile,
    values_of,
    version_of,
)
from services.intake.domain.dossier import Dossier
from services.intake.domain.waits import must_allow
from services.intake.usecases import desk, look
from services.intake.usecases.once import answer_once, digest
from services.intake.web import views
from services.intake.web.deps import deps, own_office
from services.intake.web.pages import typed
from services.intake.web.pages.desk import show
from services.intake.web.pages.faulty import faulty
from services.intake.web.pages.mended import label, said
from shared.catalogue import Procedure
from shared.database import UnitOfWork
from shared.identity.guard import current, require
from shared.kernel.errors import Fault, InvalidInput, NotAllowed, Refused
from shared.web import words

_WAS: Final = "was."
_CONTACT: Final = tuple(CONTACT_PLACES)


def blueprint() -> Blueprint:
    """/ho-so/<code>/sua."""
    blue = Blueprint("correcting", __name__)
    path = "/ho-so/<string:code>/sua"
    blue.add_url_rule(path, "page", require("desk")(_page), methods=["GET"])
    blue.add_url_rule(path, "save", require("desk")(_save), methods=["POST"])
    return blue


def _page(code: str) -> Response | str | tuple[str, int]:
    found, procedure = _look(code)
    try:
        must_allow(found, "correct")
    except NotAllowed as refused:
        return show(code, faults=(Fault("", refused.vi, refused.en),)), 409
    return _form(found, procedure, inputs_of(found, procedure))


def _look(code: str) -> tuple[Dossier, Procedure]:
    known = deps()
    with known.store.read() as connection:
        found = look.one(connection, own_office(), code)
    return found, procedure_of(known.catalogue, found)


def inputs_of(dossier: Dossier, procedure: Procedure) -> dict[str, str]:
    """Every input of the page as it stands; one that holds nothing as an empty text."""
    contact = typed.of_contact(dossier.contact)
    held = {f"c.{name}": contact.get(f"c.{name}", "") for name in _CONTACT}
    for field in procedure.form:
        value = dossier.form.get(field.name)
        if field.type == "bool":
            held[f"f.{field.name}"] = "1" if value else ""
        else:
            held[f"f.{field.name}"] = "" if value is None else typed.shown(field, value)
    return held


def _touched(form: typed.Typed) -> list[str]:
    """The inputs that hold something else than when the page was made."""
    names = [name.removeprefix(_WAS) for name in form if name.startswith(_WAS)]
    return [name for name in names if _text(form, name) != _text(form, _WAS + name)]


def _text(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").replace("\r\n", "\n").strip()


def _told(form: typed.Typed, procedure: Procedure) -> dict[str, Any]:
    """What the officer has touched, as the verb takes it."""
    touched = set(_touched(form))
    fields = [field for field in procedure.form if f"f.{field.name}" in touched]
    contact = typed.contact(form)
    return {
        "version": form.get("version", "")[:100],
        "reason": form.get("reason", ""),
        "form": {field.name: None for field in fields} | typed.form(fields, form),
        "contact": {name: getattr(contact, name) for name in _CONTACT if f"c.{name}" in touched},
    }


def _save(code: str) -> Response | tuple[str, int]:
    known, office, form = deps(), own_office(), request.form
    found, procedure = _look(code)
    told = _told(form, procedure)

    def run(uow: UnitOfWork) -> tuple[int, dict[str, Any]]:
        dossier = desk.correct(uow, known.catalogue, office, code, **told)
        return 200, views.summary(dossier, known.catalogue, uow.now)

    typed_in = sorted((k, v) for k, v in form.items(multi=True) if k != "csrf_token")
    try:
        answer_once(
            known.store,
            f"page:{office}",
            form.get("token", "")[:100] or None,
            digest("POST", request.path, typed_in),
            run,
            actor=current().actor,
        )
    except ChangedMeanwhile as conflict:
        return _both(code, form, conflict), 409
    except InvalidInput as wrong:
        return _form(found, procedure, form, faults=wrong.faults), 422
    except NotAllowed as refused:
        said_no = (Fault("", refused.vi, refused.en),)
        return _form(found, procedure, form, faults=said_no), 409
    return redirect(url_for("desk.dossier", code=code, xong="correct"), 303)


def _both(code: str, form: typed.Typed, conflict: Refused) -> str:
    """What the officer has typed beside what stands now; the rest as it stands now."""
    found, procedure = _look(code)
    touched, now = _touched(form), inputs_of(found, procedure)
    told = _told(form, procedure)
    yours = {f"form.{name}": value for name, value in told["form"].items()}
    places = {f"c.{name}": place for name, place in CONTACT_PLACES.items()}
    held = values_of(found)
    rows = []
    for name in touched:
        place = places.get(name, f"form.{name.removeprefix('f.')}")
        mine = yours.get(place, told["contact"].get(name.removeprefix("c.")))
        rows.append(
            (label(place, procedure), said(place, mine, procedure),
             said(place, held.get(place), procedure))
        )  # fmt: skip
    values = typed.Typed({**now, **{name: form.get(name, "") for name in touched}})
    values["reason"] = form.get("reason", "")
    return _form(found, procedure, values, faults=(Fault("", conflict.vi, conflict.en),), rows=rows)


def _form(
    dossier: Dossier,
    procedure: Procedure,
    values: Mapping[str, str],
    *,
    faults: Any = (),
    rows: Any = (),
) -> str:
    """The page; what is wrong keeps the version and the values that it was made with."""
    again = faults and not rows and "version" in values
    was = (
        {n.removeprefix(_WAS): v for n, v in values.items() if n.startswith(_WAS)}
        if again
        else inputs_of(dossier, procedure)
    )
    shown = typed.Typed({name: values.get(name, "") for name in was})
    for name in ("c.sms", "c.mail"):  # the macro looks whether they are there
        if not shown.get(name):
            shown.pop(name, None)
    shown["reason"] = values.get("reason", "")
    return render_template(
        "intake/correct.html",
        dossier=dossier,
        procedure=procedure,
        values=shown,
        was=was,
        version=values["version"] if again else version_of(dossier),
        token=(again and values.get("token")) or deps().store.ids.new(),
        faults=faults,
        faulty=faulty(faults, (), procedure),
        at=typed.by_input(faults, (), words.said),
        rows=rows,
    )
