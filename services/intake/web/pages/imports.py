"""The desk's page for a file of many dossiers: hand it in, see how far it is, take the bad rows back."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from services.intake.domain.bulk.columns import MOST_COLUMNS, UnknownColumn, columns_of
from services.intake.storage import imports
from services.intake.storage.imports import Import
from services.intake.usecases.importing import writing
from services.intake.usecases.importing.jobs import Upload, repair_file, start
from services.intake.usecases.importing.run import Task
from services.intake.usecases.importing.workbook import MOST_BYTES, MOST_ROWS, check_size
from services.intake.web.deps import deps, office_agency, own_office
from services.intake.web.pages.choosing import offered
from shared.identity.audit import saw
from shared.identity.guard import current, require
from shared.kernel.errors import Fault, InvalidInput
from shared.web.reading import takes
from shared.web.words import gettext

#: A file and the form around it.
_MOST_SENT: Final = MOST_BYTES + 2 * 1024 * 1024
PAGE_SIZE: Final = 100


def blueprint() -> Blueprint:
    """Pages under /ho-so/nhap-tep; all need a desk's key."""
    blue = Blueprint("imports", __name__, url_prefix="/ho-so/nhap-tep")
    routes: tuple[tuple[str, str, Any], ...] = (
        ("", "choose", choose),
        ("/tien-do", "progress", progress),
        ("/mau/<string:code>.xlsx", "template", template),
        ("/<string:import_id>", "one", one),
        ("/<string:import_id>/sua.xlsx", "repair", repair),
        ("/<string:import_id>/ket-qua.xlsx", "answers", answers),
    )
    for path, name, view in routes:
        blue.add_url_rule(path, name, require("desk")(view), methods=["GET"])
    blue.add_url_rule("", "upload", require("desk")(upload), methods=["POST"])
    return blue


def choose() -> str:
    """Where a file is handed in, with the office's imports of the last day."""
    return _choose(())


def _choose(faults: Any) -> str:
    known = deps()
    with known.store.read() as connection:
        found = imports.list_imports(connection, own_office(), known.now())
        counted = imports.counts(connection, [each.id for each in found])
    return render_template(
        "intake/imports.html",
        office=office_agency(),
        procedures=known.procedures_of(own_office()),
        chosen=request.values.get("procedure", ""),
        token=request.form.get("token", "")[:100] or known.store.ids.new(),
        faults=faults,
        unknown=list(dict.fromkeys([*_ignored(), *_unknown(faults)])),
        ignored=_ignored(),
        imports=[(each, counted[each.id]) for each in found],
        most_rows=MOST_ROWS,
        most_mb=MOST_BYTES // 1024 // 1024,
    )


def _ignored() -> tuple[str, ...]:
    """Titles of columns that are not to be read, as they were ticked."""
    return tuple(dict.fromkeys(request.form.getlist("ignore")[:MOST_COLUMNS]))


def _unknown(faults: Any) -> list[str]:
    return [each.title for each in faults if isinstance(each, UnknownColumn)]


@takes(_MOST_SENT)
def upload() -> BaseResponse | tuple[str, int]:
    """Keep the file and go to its page; what is wrong with it as a whole is told at once."""
    known, sent = deps(), request.files.get("file")
    if sent is None or not sent.filename:
        vi = gettext("Chọn một tệp .xlsx hoặc .csv.")
        return _choose((Fault("file", vi, "choose a file"),)), 422
    content = sent.read()
    task = Task(
        id=known.store.ids.new(),
        office=own_office(),
        procedure=request.form.get("procedure", "")[:40],
        actor=current().actor,
        ignore=_ignored(),
    )
    try:
        check_size(len(content))
        token = request.form.get("token", "").replace("\0", "")[:100]
        made = start(known.store, known.catalogue, Upload(task, token, sent.filename, content))
    except InvalidInput as wrong:
        return _choose(wrong.faults), 422
    saw([made])
    return redirect(url_for(".one", import_id=made), 303)


def _own(import_id: str) -> tuple[Import, dict[str, int]]:
    known = deps()
    with known.store.read() as connection:
        found = imports.find_import(connection, own_office(), import_id, known.now())
        return found, imports.counts(connection, [found.id])[found.id]


def one(import_id: str) -> str:
    """How far an import is, and the rows that were refused, with column and reason."""
    known = deps()
    found, counted = _own(import_id)
    after = request.args.get("sau", "")
    line = int(after) if after.isascii() and after.isdigit() and len(after) < 8 else 0
    with known.store.read() as connection:
        refused = imports.answers_of(
            connection, found.id, outcome="refused", after=line, most=PAGE_SIZE + 1
        )
    more = len(refused) > PAGE_SIZE
    return render_template(
        "intake/import.html",
        job=found,
        counted=counted,
        office=office_agency(),
        procedure=_named(found.procedure),
        refused=refused[:PAGE_SIZE],
        after=line,
        following=refused[PAGE_SIZE - 1].line if more else None,
        said=writing.said,
    )


def _named(code: str) -> str:
    """The procedure in words; its code where it is not offered any more."""
    offers = deps().procedures_of(own_office())
    return next((each.name for each in offers if each.code == code), code)


def progress() -> Response:
    """The counts alone, asked for again and again while it lasts; the whole page once it has ended."""
    found, counted = _own(request.args.get("lan", ""))
    body = render_template("intake/import_progress.html", job=found, counted=counted)
    response = Response(body, content_type="text/html; charset=utf-8")
    if found.ended:
        response.headers["HX-Refresh"] = "true"
    return response


def template(code: str) -> Response:
    """An empty file for one procedure."""
    found = offered(code)
    title = f"{found.code} – {found.name}"
    return _file(writing.template(columns_of(found, deps().today()), title), f"mau-{code}")


def repair(import_id: str) -> Response:
    """The refused rows with their reasons, to be mended and handed in again."""
    known = deps()
    made = repair_file(known.store, known.catalogue, own_office(), import_id, known.now())
    return _file(made, "dong-can-sua")


def answers(import_id: str) -> Response:
    """What became of each row."""
    found, _ = _own(import_id)
    if not found.ended:
        abort(404)
    with deps().store.read() as connection:
        given = imports.answers_of(connection, found.id)
    return _file(writing.all_answers(given), "ket-qua-nhap")


def _file(content: bytes, name: str) -> Response:
    response = Response(content, content_type=writing.TYPE)
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.xlsx")
    return response
