"""The citizen's results: with code, look-up word and the code that was sent, to be saved."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, render_template, request

from services.intake.domain.dossier import Dossier
from services.intake.domain.files import File, no_such_file
from services.intake.domain.one_time import LASTS, SENT
from services.intake.storage import guesses
from services.intake.storage.queries import find_dossier
from services.intake.usecases import files, look
from services.intake.usecases.results import code_counts, results_of, send_code
from services.intake.web.deps import deps
from services.intake.web.handing import handed_out, links, shown_link
from services.intake.web.pages.lookup import count_try
from shared.identity.audit import saw
from shared.identity.guard import TooMany, guard_of, public
from shared.identity.links import Link
from shared.kernel.errors import NotAllowed, NotFound
from shared.web.words import gettext, said

Page = tuple[str, int]


def blueprint() -> Blueprint:
    """Pages under /tra-cuu/ket-qua: open to everybody; tries are counted."""
    blue = Blueprint("result", __name__, url_prefix="/tra-cuu/ket-qua")
    blue.add_url_rule("", "send", public(send), methods=["POST"])
    blue.add_url_rule("/mo", "open", public(opened), methods=["POST"])
    blue.add_url_rule("/<string:file_id>", "read", public(read), methods=["GET"])
    return blue


def send() -> Page:
    """Send a code, where there is something to read."""
    dossier, _, refused = _found()
    if dossier is None:
        return refused
    if "asked" in request.form:  # the same page, in another language
        return _page(dossier), 200
    try:
        waiting = guesses.wait_for(deps().store, {f"result:{dossier.code}": SENT})
        if waiting is not None:
            raise TooMany(waiting[1])
        send_code(deps().store, dossier, _secret())
    except NotAllowed as cannot:
        return _page(dossier, wrong=said(cannot), asked=False), 409
    return _page(dossier), 200


def opened() -> Page:
    """The files, if the code is right."""
    dossier, there, refused = _found()
    if dossier is None:
        return refused
    if not code_counts(deps().store, dossier.code, request.form.get("otp", ""), _secret()):
        guard_of().metrics.tried("result-code", "wrong")
        wrong = gettext(
            "Mã không đúng, đã dùng hoặc đã hết hạn. Mỗi mã dùng được 10 phút và 5 lần thử; "
            "bạn có thể nhận mã mới."
        )
        return _page(dossier, wrong=wrong), 422
    guard_of().metrics.tried("result-code", "right")
    until = deps().now() + LASTS
    shown = links().write(Link("citizen", dossier.code, until))
    page = render_template(
        "intake/result.html", dossier=dossier, files=there, shown=shown, until=until
    )
    return page, 200


def read(file_id: str) -> Response:
    """One of the files, to be saved."""
    link, known = shown_link("citizen"), deps()
    with known.store.read() as connection:
        dossier = find_dossier(connection, link.dossier)
        there = results_of(connection, dossier) if dossier is not None else []
        if file_id not in {each.id for each in there}:
            raise no_such_file()
        saw([link.dossier, file_id])
        return handed_out(*files.opened(connection, known.files, link.dossier, file_id))


def _found() -> tuple[Dossier | None, list[File], Page]:
    """The dossier that code and word open, with what there is to read; None and what is said else."""
    code, word = request.form.get("code", "")[:100], request.form.get("word", "")[:100]
    count_try(code)
    try:
        with deps().store.read() as connection:
            dossier = look.for_citizen(connection, code, word)
            there = results_of(connection, dossier)
    except NotFound as missing:
        return (
            None,
            [],
            (render_template("intake/lookup.html", code=code, wrong=said(missing)), 404),
        )
    saw([dossier.code])
    if not there:
        wrong = gettext("Hồ sơ này không có tệp kết quả để tải.")
        return None, [], (render_template("intake/lookup.html", code=code, wrong=wrong), 404)
    return dossier, there, ("", 200)


def _page(dossier: Dossier, *, wrong: str | None = None, asked: bool = True) -> str:
    return render_template(
        "intake/result.html",
        dossier=dossier,
        files=None,
        wrong=wrong,
        asked=asked,
        word=request.form.get("word", "")[:100],
    )


def _secret() -> str:
    return str(current_app.config["SECRET_KEY"])
