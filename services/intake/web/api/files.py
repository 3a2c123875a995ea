"""Files over REST: a desk's attachments, and what an agency reads and hands in by a link that ends.

A file is the body itself, under its media type, or the part `file` of a form. It is written to disk
as it comes; nothing here holds it whole.
"""

from __future__ import annotations

from typing import IO, Any, Final

import marshmallow as ma
from flask import Response, request
from marshmallow import fields
from werkzeug.http import parse_options_header

from services.intake.domain.files import MEDIA, File
from services.intake.storage import files as rows
from services.intake.usecases import files, look
from services.intake.usecases.files import Arrival
from services.intake.web.api.routes import getter
from services.intake.web.deps import deps, own_office
from services.intake.web.handing import draft, handed_out, links, most_of_one, sent, shown_link
from services.intake.web.pages import linked
from shared.identity.audit import saw
from shared.identity.guard import current, public, require
from shared.identity.links import API, QUERY
from shared.kernel.actor import Actor
from shared.web.api import Blueprint
from shared.web.reading import takes
from shared.web.schemas import Instant, Schema

_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final = {
    "required": True,
    "content": {
        **dict.fromkeys(MEDIA, _BINARY),
        "application/octet-stream": _BINARY,
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            }
        },
    },
}
_LINK: Final = {
    "in": "query",
    "name": QUERY,
    "required": True,
    "description": "Liên kết có hạn, do GET /api/v1/tasks/{task}/files cấp.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 1500},
}


class FileSchema(Schema):
    """A file of a dossier; `state` held: nobody can read it before the malware scanner answered."""

    id = fields.String(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True)
    media_type = fields.String(required=True)
    size = fields.Integer(required=True)
    sha256 = fields.String(required=True)
    state = fields.String(required=True)
    why = fields.String(required=True, allow_none=True)
    agency = fields.String(required=True, allow_none=True)
    task = fields.String(required=True, allow_none=True)
    added_at = Instant(required=True)
    withdrawn_at = Instant(required=True, allow_none=True)


class FilesSchema(Schema):
    """All files of one dossier, the oldest first."""

    items = fields.List(fields.Nested(FileSchema), required=True)


class HandedInSchema(FileSchema):
    """A result as it was taken; `receipt` is what the answer `completed` names as its `file`."""

    receipt = fields.String(required=True)


class WithdrawFileSchema(Schema):
    """Why a file is taken away."""

    reason = fields.String(load_default="")


def blueprint() -> Blueprint:
    """Routes under /api/v1/dossiers/<code>/attachments and /api/v1/files."""
    blp = Blueprint("attachments", __name__, url_prefix="/api/v1", description="Tệp của hồ sơ")
    _of_desk(blp)
    _writes_of_desk(blp)
    _by_link(blp)
    return blp


def _of_desk(blp: Blueprint) -> None:
    path = "/dossiers/<string:code>/attachments"

    @getter(blp, path, FilesSchema, "desk")
    def attachments(code: str) -> dict[str, Any]:
        """List every file that one of the office's dossiers has had."""
        with deps().store.read() as connection:
            look.one(connection, own_office(), code)
            return {"items": [told(each) for each in rows.of_dossier(connection, code)]}

    @_file_route(blp, f"{path}/<string:file_id>")  # type: ignore[untyped-decorator]
    @require("desk")
    def attachment(code: str, file_id: str) -> Response:
        """Read one file."""
        with deps().store.read() as connection:
            look.one(connection, own_office(), code)
            return handed_out(*files.opened(connection, deps().files, code, file_id))


def _writes_of_desk(blp: Blueprint) -> None:
    path = "/dossiers/<string:code>/attachments"

    @_upload_route(blp, path, FileSchema)  # type: ignore[untyped-decorator]
    @require("desk")
    def attach(code: str) -> dict[str, Any]:
        """Add a scan: PDF, JPEG or PNG, judged by content. The same bytes again are the same file."""
        known = deps()
        with known.store.read() as connection:
            look.one(connection, own_office(), code)
        source, name = _sent()
        arrival = Arrival(source, name, code, current().actor, office=own_office())
        kept = files.attach(known.store, known.files, arrival)
        saw([kept.id])
        return told(kept)

    @blp.post(f"{path}/<string:file_id>/withdraw")  # type: ignore[untyped-decorator]
    @require("desk")
    @blp.arguments(WithdrawFileSchema)  # type: ignore[untyped-decorator]
    @blp.response(200, FileSchema)  # type: ignore[untyped-decorator]
    @blp.alt_response(404, "NOT_FOUND")  # type: ignore[untyped-decorator]
    def withdraw_file(body: dict[str, Any], code: str, file_id: str) -> dict[str, Any]:
        """Take a file away for good, with a reason; its digest stays."""
        known = deps()
        gone = files.withdraw(
            known.store,
            known.files,
            code,
            own_office(),
            file_id,
            reason=body["reason"],
            actor=current().actor,
        )
        return told(gone)


def _by_link(blp: Blueprint) -> None:
    path = API.removeprefix("/api/v1")

    @blp.get(path)  # type: ignore[untyped-decorator]
    @public
    @blp.doc(parameters=[_LINK], security=[])  # type: ignore[untyped-decorator]
    @blp.response(200, FilesSchema)  # type: ignore[untyped-decorator]
    @blp.alt_response(404, "NOT_FOUND")  # type: ignore[untyped-decorator]
    @blp.alt_response(422, "UNPROCESSABLE_ENTITY")  # type: ignore[untyped-decorator]
    def linked_files() -> dict[str, Any]:
        """List what an agency may read of a task's dossier, by a link that ends."""
        return {"items": [told(each) for each in linked.of_agency()[1]]}

    @_file_route(blp, f"{path}/<string:file_id>", parameters=[_LINK], security=[])  # type: ignore[untyped-decorator]
    @public
    def linked_file(file_id: str) -> Response:
        """Read one of them."""
        return linked.read(file_id)

    @_upload_route(blp, path, HandedInSchema, parameters=[_LINK], security=[])  # type: ignore[untyped-decorator]
    @public
    def hand_in() -> dict[str, Any]:
        """Hand in the result of a task; name the receipt in the answer."""
        link = shown_link("hand_in")
        source, name = _sent()
        kept = linked.handed_in(link, Arrival(source, name, link.dossier, Actor("agency")))
        return {**told(kept), "receipt": links().receipt(kept.id, link.task)}


def _file_route(blp: Blueprint, path: str, **doc: Any) -> Any:
    """GET of a file's bytes."""

    def decorate(view: Any) -> Any:
        content = dict.fromkeys(MEDIA, _BINARY)
        made = _refusing(blp, view)
        made = blp.doc(responses={"200": {"description": "The file", "content": content}}, **doc)(
            made
        )
        return blp.get(path)(made)

    return decorate


def _refusing(blp: Blueprint, view: Any) -> Any:
    for status, name in ((404, "NOT_FOUND"), (422, "UNPROCESSABLE_ENTITY")):
        view = blp.alt_response(status, name)(view)
    return view


def _upload_route(blp: Blueprint, path: str, schema: type[ma.Schema], **doc: Any) -> Any:
    """POST of one file; what is not taken leaves nothing."""

    def decorate(view: Any) -> Any:
        made = _refusing(blp, blp.response(201, schema)(view))
        made = blp.doc(requestBody=_BODY, **doc)(made)
        return blp.post(path)(takes(most_of_one, into=draft)(made))

    return decorate


def _sent() -> tuple[IO[bytes], str | None]:
    """The body or the form's file, and what it is called."""
    if request.mimetype == "multipart/form-data":
        found = sent()[0]
        return found.stream, found.filename
    _, said = parse_options_header(request.headers.get("Content-Disposition"))
    return request.stream, said.get("filename")


def told(file: File) -> dict[str, Any]:
    """A file as programs are told of it."""
    return {name: getattr(file, name) for name in FileSchema._declared_fields}  # noqa: SLF001
