"""What every page stands on: templates, static files, and who is in its head."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from flask import Blueprint, Flask, Response, current_app, request

from shared.identity import guard
from shared.kernel.errors import LienThongError
from shared.web import rooms, words
from shared.web.state import state_of

KEEP: Final = 365 * 24 * 3600  # seconds
_TEXTS: Final = (".css", ".js", ".svg")
_WORTH: Final = 1024  # bytes


class Files(Blueprint):
    """A blueprint whose static files browsers and proxies may keep for a year, without asking again.

    Their addresses hold what the files are made of, so that a new version has a new address. Texts
    go out compressed: they hold no secret (pages do, and stay as they are: see nginx.conf).
    """

    def send_static_file(self, filename: str) -> Response:
        """The file, as small as the caller can read it."""
        answer = super().send_static_file(filename)
        if self.get_send_file_max_age(filename) == KEEP:
            answer.cache_control.immutable = True
        packed = self.packed.get(filename)
        if packed is None:
            return answer
        answer.vary.add("Accept-Encoding")
        if answer.status_code != HTTPStatus.OK or not request.accept_encodings.quality("gzip"):
            return answer
        answer.direct_passthrough = False
        answer.set_data(packed)
        answer.content_encoding = "gzip"
        answer.set_etag(f"{self.versions[filename]}-gzip")
        answer.make_conditional(request)
        return answer

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """A year where the address named this very version; else it is asked for each time."""
        version = self.versions.get(filename or "")
        if version is not None and (_is_typeface(filename) or request.args.get("v") == version):
            return KEEP
        return super().get_send_file_max_age(filename)

    @cached_property
    def packed(self) -> dict[str, bytes]:
        """Each text worth it, compressed once."""
        folder = Path(self.static_folder or "")
        texts = {name: folder / name for name in self.versions if name.endswith(_TEXTS)}
        return {
            name: gzip.compress(file.read_bytes(), mtime=0)
            for name, file in texts.items()
            if file.stat().st_size >= _WORTH
        }

    @cached_property
    def versions(self) -> dict[str, str]:
        """Each file's name, and what tells its content from any other."""
        folder = Path(self.static_folder or "")
        return {
            file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()[:10]
            for file in folder.rglob("*")
            if file.is_file()
        }


def _is_typeface(filename: str | None) -> bool:
    """The name of such a file holds its version; style sheets know it by its name alone."""
    return filename is not None and filename.endswith(".woff2")


def _versioned(endpoint: str, values: dict[str, Any]) -> None:
    """Adds the version to the address of a static file."""
    name, _, view = endpoint.rpartition(".")
    files = current_app.blueprints.get(name)
    if view == "static" and isinstance(files, Files):
        filename = values.get("filename", "")
        if not _is_typeface(filename):
            values["v"] = files.versions.get(filename)


def blueprint() -> Blueprint:
    """The blueprint `lienthong`: templates, and static files under /lienthong/."""
    return Files(
        "lienthong",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/lienthong",
    )


def install(app: Flask) -> None:
    """Add the blueprint and what the base template needs."""
    mimetypes.add_type("font/woff2", ".woff2")  # not every Python knows it
    app.register_blueprint(blueprint())
    app.url_defaults(_versioned)
    guard.guard_of(app).public_endpoints.add("lienthong.static")
    app.context_processor(_context)


def _context() -> dict[str, Any]:
    signed_in = _signed_in()
    return {
        "service_title": current_app.config["SERVICE_TITLE"],
        "navigation": state_of().navigation,
        "keys": state_of().keys,
        "name_of": state_of().name_of,
        "elsewhere": _elsewhere(),
        "signed_in": signed_in,
        "language": words.language(),
        "languages": words.others(),
        "here": quote(rooms.local({"next": request.path}) or current_app.config["HOME"]),
        "asked_here": _asked(),
        "sign_out": rooms.SIGN_OUT,
        "account": rooms.ACCOUNT,
        "page_scripts": (),
        "page_data": {},
    }


def _asked() -> str:
    """What the address asked beside its language, to be put before that: `a=1&`, or nothing."""
    asked = [pair for pair in request.args.items(multi=True) if pair[0] != words.ASKED]
    return f"{urlencode(asked)}&" if asked and request.method == "GET" else ""


def _signed_in() -> Any | None:
    """Who is signed in, for the page head; nobody on a page that says the database is away."""
    try:
        return guard.current_or_none()
    except LienThongError:
        return None


def _elsewhere() -> list[tuple[str, str]]:
    """What else whoever signed in may open, behind the other doors."""
    try:
        shown = guard.pass_of_caller()
    except LienThongError:
        return []
    if shown is None:
        return []
    kinds = {place.kind for place in shown.places} - set(guard.guard_of().kinds)
    return [(room.address, room.words) for room in rooms.of_kinds(kinds)]
