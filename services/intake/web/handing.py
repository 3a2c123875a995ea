"""How a file goes out and comes in by HTTP, whoever asks: never run, never kept, never in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, BinaryIO, Final
from urllib.parse import quote

from flask import Response, current_app, request
from werkzeug.datastructures import FileStorage

from services.intake.domain.files import MIB, MOST_AT_ONCE, File, FileRefused
from services.intake.storage.folder import CHUNK
from services.intake.web.deps import deps
from shared.identity.links import QUERY, Link, Links
from shared.identity.links import Act as LinkAct
from shared.kernel.errors import NotFound
from shared.kernel.text import unaccent

_SAFE: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def most_of_form() -> int:
    """Bytes of a form with several files, and what it holds beside them."""
    limits = deps().files.limits
    return max(limits.dossier, limits.file) + MIB


def most_of_one() -> int:
    """Bytes of a request with one file."""
    return deps().files.limits.file + MIB


def draft() -> IO[bytes]:
    """Where what comes in lies until it is judged: in the folder of files, without a name."""
    return deps().files.kept.draft()


def sent() -> list[FileStorage]:
    """The files of the form; FileRefused where there are none, or too many."""
    limits = deps().files.limits
    found = [each for each in request.files.getlist("file") if each.filename]
    if not found:
        raise FileRefused("missing", limits)
    if len(found) > MOST_AT_ONCE:
        raise FileRefused("too_many", limits)
    return found


def handed_out(file: File, opened: BinaryIO) -> Response:
    """The file to be saved: under the kind that it is, by a name that is no path."""
    response = Response(_chunks(opened), content_type=file.media_type, headers=_SAFE)
    plain = unaccent(file.told_name).encode("ascii", "replace").decode().replace("?", "_")
    names = {"filename": plain, "filename*": f"UTF-8''{quote(file.told_name, safe='')}"}
    response.headers.set("Content-Disposition", "attachment", **names)
    response.content_length = file.size
    response.call_on_close(opened.close)
    return response


def _chunks(opened: BinaryIO) -> Iterator[bytes]:
    with opened:
        while chunk := opened.read(CHUNK):
            yield chunk


def links() -> Links:
    """Signs and reads links with the city's secret."""
    return Links(str(current_app.config["SECRET_KEY"]))


def shown_link(act: LinkAct) -> Link:
    """The link that the request shows; NotFound where it is none of ours or has ended."""
    link = links().read(request.args.get(QUERY, ""), act, deps().now())
    if link is None:
        raise NotFound(
            "this link has ended or is none of ours; ask for a new one",
            vi="Liên kết đã hết hạn hoặc không đúng. Hãy mở lại từ trang nhiệm vụ hoặc trang tra cứu.",
            code="link_ended",
        )
    return link
