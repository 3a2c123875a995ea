"""Drafts on the desk's pages: saved while somebody types, listed, opened again, deleted.

A form's inputs of this are `token` (the draft's id), `d.page` (this very page), `d.after` (the page
that had saved before it was opened) and `d.n`, which counts the saves of the page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from flask import Blueprint, json, jsonify, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from services.intake.storage import drafts
from services.intake.storage.drafts import Draft
from services.intake.usecases import drafting
from services.intake.web.deps import deps, office_agency, own_office
from services.intake.web.pages.typed import Typed
from shared.catalogue import Procedure
from shared.identity.audit import pass_over, saw
from shared.identity.guard import current, require
from shared.kernel.errors import InvalidInput, NotFound
from shared.web.filters import vn_time

_KEPT: Final = ("f.", "c.", "p.", "t.")
_ALSO: Final = frozenset({"channel", "branches"})
LONGEST_ID: Final = 100


@dataclass(frozen=True, slots=True)
class Opened:
    """What a form begins with: its token, what was typed, and which pages it goes on from."""

    token: str
    page: str
    after: str = ""
    values: Typed = field(default_factory=Typed, repr=False)
    draft: Draft | None = field(default=None, repr=False)
    filed: str | None = None  # the code of the dossier that the asked-for draft became


def blueprint() -> Blueprint:
    """Pages under /ho-so/ban-nhap; all need a desk's key."""
    blue = Blueprint("drafts", __name__, url_prefix="/ho-so/ban-nhap")
    routes: tuple[tuple[str, str, Any, str], ...] = (
        ("", "mine", mine, "GET"),
        ("/ve", "renew", renew, "GET"),
        ("/<string:code>", "keep", keep, "POST"),
        ("/<string:draft_id>/xoa", "delete", delete, "POST"),
    )
    for path, name, view, method in routes:
        blue.add_url_rule(path, name, require("desk")(view), methods=[method])
    return blue


def opened(procedure: Procedure) -> Opened:
    """The form of the draft that the address names, or a new one."""
    known, asked = deps(), request.args.get("nhap", "")[:LONGEST_ID]
    page = known.store.ids.new()
    if not asked:
        return Opened(page, page)
    with known.store.read() as connection:
        answer = drafting.filed(connection, own_office(), asked)
        found = drafts.find(connection, own_office(), asked, known.now())
    if answer is not None:  # Back, after it was filed: the next citizen's form
        return Opened(page, page, filed=json.loads(answer.answer)["code"])
    if found is None or found.procedure != procedure.code:
        return Opened(asked if found is None else page, page)
    saw([found.id])
    return Opened(found.id, page, found.page, Typed(list(found.inputs)), found)


def others(procedure: Procedure, token: str) -> list[Draft]:
    """The office's other drafts of this procedure."""
    known = deps()
    with known.store.read() as connection:
        found = drafts.of_office(connection, own_office(), known.now())
    found = [each for each in found if each.procedure == procedure.code and each.id != token]
    saw(each.id for each in found)
    return found


def keep_refused(procedure: Procedure, token: str) -> Opened:
    """Keep what was typed into a form that could not be filed, so that no reload loses it."""
    page, form = deps().store.ids.new(), request.form
    written = any(text for name, text in form.items() if name.startswith(("f.", "c.name")))
    if not token or "\0" in token or not written:
        return Opened(token, page, values=form)
    before = _ids("d.page", "d.after")
    try:
        saved = _save(_typed(procedure.code, token, page, 0), before)
    except InvalidInput:  # too many: the page still holds it
        return Opened(token, page, values=form)
    return Opened(saved.id, page, values=form)


def keep(code: str) -> Response:
    """Save what is typed: for the script as JSON, for the button as the form again."""
    form = request.form
    if all(each.code != code for each in deps().procedures_of(own_office())):
        raise NotFound("there is no such procedure", vi="Bộ phận này không tiếp nhận thủ tục này.")
    number = form.get("d.n", "")
    count = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 0
    token = _id("token") or deps().store.ids.new()
    page, after = _id("d.page") or token, _ids("d.after")
    if "d.keep" in form:  # without a script nothing counts: what the button brings is the newest
        new_page = deps().store.ids.new()
        saved = _save(_typed(code, token, new_page, 0), {page, *after})
        return redirect(url_for("desk.new", code=code, nhap=saved.id), 303)
    saved = _save(_typed(code, token, page, count), after)
    if not saved.began:
        pass_over()
    told = {"id": saved.id, "filed": saved.filed, "at": vn_time(deps().now())}
    return jsonify(told)


def _id(name: str) -> str:
    """An id that the form brings along; empty where there is none."""
    return request.form.get(name, "").replace("\0", "")[:LONGEST_ID]


def _ids(*names: str) -> set[str]:
    """All ids of these names, of which a form may bring several."""
    told = (text for name in names for text in request.form.getlist(name)[:5])
    return {text.replace("\0", "")[:LONGEST_ID] for text in told} - {""}


def _typed(code: str, token: str, page: str, count: int) -> Draft:
    inputs = tuple(
        (name, text.replace("\0", ""))
        for name, text in request.form.items(multi=True)
        if "\0" not in name and (name.startswith(_KEPT) or name in _ALSO)
    )
    known = deps()
    return Draft(own_office(), token, code, str(current().actor), page, count, inputs, known.now())


def _save(typed: Draft, after: set[str]) -> drafting.Saved:
    with deps().store.begin(current().actor) as uow:
        saved = drafting.save(uow, typed, after)
    saw([saved.id])
    return saved


def renew() -> Response:
    """A form token of the present session, for a page that is older than it; whether a draft was filed."""
    asked = request.args.get("nhap", "").replace("\0", "")[:LONGEST_ID]
    with deps().store.read() as connection:
        filed = bool(asked) and drafting.filed(connection, own_office(), asked) is not None
    return jsonify({"csrf": generate_csrf(), "filed": filed})


def mine() -> str:
    """The office's drafts, to be opened or deleted."""
    known = deps()
    with known.store.read() as connection:
        found = drafts.of_office(connection, own_office(), known.now())
    saw(each.id for each in found)
    names = {each.code: each.name for each in known.procedures_of(own_office())}
    return render_template("intake/drafts.html", drafts=found, names=names, office=office_agency())


def delete(draft_id: str) -> Response:
    """Delete one of the office's own; one that is gone already is just as well."""
    with deps().store.begin(current().actor) as uow:
        drafts.forget(uow, own_office(), draft_id)
    return redirect(url_for(".mine"), 303)
