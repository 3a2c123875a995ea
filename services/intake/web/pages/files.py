"""The desk's files of a dossier: scanned or taken with a phone, read, withdrawn."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from services.intake.usecases import files, look
from services.intake.usecases.files import Arrival
from services.intake.web.deps import deps, own_office
from services.intake.web.handing import draft, handed_out, most_of_form, sent
from services.intake.web.pages.desk import show
from shared.identity.audit import saw
from shared.identity.guard import current, require
from shared.kernel.errors import Fault, InvalidInput
from shared.web.reading import takes
from shared.web.words import gettext


def blueprint() -> Blueprint:
    """Pages under /ho-so/<code>/tep, for the officers of a desk."""
    blue = Blueprint("files", __name__, url_prefix="/ho-so/<string:code>/tep")
    blue.add_url_rule("", "upload", require("desk")(upload), methods=["POST"])
    blue.add_url_rule("/<string:file_id>", "read", require("desk")(read), methods=["GET"])
    blue.add_url_rule("/<string:file_id>/go", "withdraw", require("desk")(gone), methods=["POST"])
    return blue


@takes(most_of_form, into=draft)
def upload(code: str) -> BaseResponse | tuple[str, int]:
    """Keep each file that is good; each that is not is named with its reason."""
    known, kept = deps(), 0
    faults: list[Fault] = []
    with known.store.read() as connection:
        look.one(connection, own_office(), code)
    try:
        for each in sent():
            arrival = Arrival(
                each.stream, each.filename, code, current().actor, office=own_office()
            )
            try:
                saw([files.attach(known.store, known.files, arrival).id])
                kept += 1
            except InvalidInput as wrong:
                faults += wrong.faults
    except InvalidInput as wrong:
        faults += wrong.faults
    if faults:
        return _told(
            code,
            faults,
            gettext("Đã lưu %(kept)s tệp; còn lại chưa lưu được.", kept=kept) if kept else None,
        )
    return redirect(url_for("desk.dossier", code=code, xong="files", _anchor="tep"), 303)


def _told(code: str, faults: Sequence[Fault], done: str | None = None) -> tuple[str, int]:
    return show(code, action="files", faults=faults, done=done), 422


def read(code: str, file_id: str) -> Response:
    """A file of one of the office's dossiers, to be saved."""
    known = deps()
    with known.store.read() as connection:
        look.one(connection, own_office(), code)
        return handed_out(*files.opened(connection, known.files, code, file_id))


def gone(code: str, file_id: str) -> BaseResponse | tuple[str, int]:
    """Take a file away that does not belong there."""
    known = deps()
    try:
        files.withdraw(
            known.store,
            known.files,
            code,
            own_office(),
            file_id,
            reason=request.form.get("reason", ""),
            actor=current().actor,
        )
    except InvalidInput as wrong:
        return _told(code, wrong.faults)
    return redirect(url_for("desk.dossier", code=code, xong="file-gone", _anchor="tep"), 303)
