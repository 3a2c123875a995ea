"""Pages that every service has: signing in and out with a key, and the static files."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from flask import (
    Blueprint,
    Flask,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response

from shared import log
from shared.identity import guard
from shared.identity.callers import place_of
from shared.identity.limits import limited
from shared.kernel.errors import LienThongError
from shared.web.state import state_of

_log = log.get("web")
_UNKNOWN_KEY: Final = (
    "Khóa không đúng, đã hết hạn, đã bị thu hồi, hoặc không dùng được cho trang này."
)
ATTEMPTS: Final = 10
KEEP: Final = 365 * 24 * 3600  # seconds


class Files(Blueprint):
    """A blueprint whose static files browsers and proxies may keep for a year.

    Their addresses hold what the files are made of, so that a new version has a new address.
    """

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """A year where the address named this very version; else it is asked for each time."""
        version = self.versions.get(filename or "")
        if version is not None and (_is_typeface(filename) or request.args.get("v") == version):
            return KEEP
        return super().get_send_file_max_age(filename)

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
    """The blueprint `lienthong`: templates, static files under /lienthong/, sign-in, sign-out."""
    blue = Files(
        "lienthong",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/lienthong",
    )
    blue.add_url_rule("/dang-nhap", "sign_in", _show_sign_in, methods=["GET"])
    blue.add_url_rule("/dang-nhap", "sign_in_now", _sign_in, methods=["POST"])
    blue.add_url_rule("/dang-xuat", "sign_out", _sign_out, methods=["POST"])
    return blue


def install(app: Flask) -> None:
    """Add the blueprint and what the base template needs."""
    mimetypes.add_type("font/woff2", ".woff2")  # not every Python knows it
    app.register_blueprint(blueprint())
    app.url_defaults(_versioned)
    guard.guard_of(app).public_endpoints |= {
        "lienthong.static",
        "lienthong.sign_in",
        "lienthong.sign_in_now",
        "lienthong.sign_out",
    }
    app.context_processor(_context)


def _context() -> dict[str, Any]:
    state = state_of()
    return {
        "service_title": current_app.config["SERVICE_TITLE"],
        "navigation": state.navigation,
        "signed_in": _signed_in(),
        "signing_in_here": bool(state.kinds),
    }


def _signed_in() -> Any | None:
    """Who is signed in, for the page head; nobody on a page that says the database is away."""
    try:
        return guard.current_or_none()
    except LienThongError:
        return None


def _show_sign_in() -> str:
    return render_template("lienthong/sign_in.html", fault=None, next=_local(request.args))


@limited("sign-in", times=ATTEMPTS, seconds=60)
def _sign_in() -> Response | tuple[str, int]:
    state = state_of()
    text = request.form.get("key", "").strip()
    principal = (
        guard.guard_of().keys.verify(text) if text.isascii() and 0 < len(text) <= 300 else None
    )
    target = _local(request.form)
    if principal is None or principal.kind not in state.kinds:
        guard.guard_of().metrics.tried("sign-in", "refused")
        _log.info("web.sign_in_refused", place=place_of(request.remote_addr))
        page = render_template("lienthong/sign_in.html", fault=_UNKNOWN_KEY, next=target)
        return page, 403
    guard.remember(principal)
    _log.info("web.signed_in", key=principal.key_id, kind=principal.kind)
    return redirect(target or current_app.config["HOME"], 303)


def _sign_out() -> Response:
    guard.forget()
    return redirect(url_for("lienthong.sign_in"), 303)


def _local(values: Any) -> str:
    """Where to go next, if it is a path of ours: never another host."""
    target = str(values.get("next", ""))
    safe = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if safe and target.isprintable() and "\\" not in target else ""
