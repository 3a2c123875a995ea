"""Headers, cookies and the secret that signs them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from shared.events.envelope import MAX_BYTES
from shared.kernel.errors import SettingsError
from shared.settings import Settings

#: How long a form may stand open: over a night and a week-end, so that nothing typed is lost.
FORMS_FOR: Final = timedelta(days=7)
#: Bytes of a request: what is larger could become no event (and its sender is told so, by 413).
MAX_BODY: Final = MAX_BYTES
_MIN_SECRET: Final = 32

CSP: Final = (
    "default-src 'self'; font-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
_HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",  # pages and answers hold personal data
}


def install(app: Flask, settings: Settings) -> None:
    """Set cookies, body limit and headers.

    The three services stand at one address, so they share their cookies and the secret that signs
    them: a form of one may be sent to another, such as signing out.
    """
    app.config.update(
        SECRET_KEY=secret_key(settings),
        SESSION_COOKIE_NAME=cookie_name(settings, "form"),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        PERMANENT_SESSION_LIFETIME=FORMS_FOR,
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=int(FORMS_FOR.total_seconds()),
        # Compares the page before with our address, which a Host header is not.
        WTF_CSRF_SSL_STRICT=settings.public_url.startswith("https:"),
    )
    app.session_interface = Sessions()
    app.after_request(_add_headers)


class Sessions(SecureCookieSessionInterface):
    """Flask's sessions in a signed cookie: the token of forms, what a page says once.

    A program's request has none. Who is signed in does not stand there (shared/identity/passes.py).
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session, or None (an empty one that cannot be written to)."""
        if request.path.startswith("/api/") and "Authorization" in request.headers:
            return None
        opened = super().open_session(app, request)
        if opened is not None and not opened:
            opened.permanent = True
            opened.modified = False  # an empty one is not sent
        return opened


def _add_headers(response: Response) -> Response:
    given = {name.lower() for name, _ in response.headers}
    for name, value in _HEADERS.items():
        if name.lower() not in given:
            response.headers.add(name, value)
    return response


def cookie_name(settings: Settings, what: str) -> str:
    """The name of a cookie; by HTTPS one that only this very host can set."""
    return f"{'__Host-' if settings.cookie_secure else ''}lienthong-{what}"


def secret_key(settings: Settings) -> str:
    """The city's secret that signs cookies: the setting, else one made once in the data folder.

    All three services must have the same one, or none believes the sign-in of another.

    Raises `SettingsError` where it is too short, or where none can be kept.
    """
    if settings.secret_key is not None:
        if len(settings.secret_key) < _MIN_SECRET:
            raise SettingsError(f"LIENTHONG_SECRET_KEY needs {_MIN_SECRET} characters or more")
        return settings.secret_key
    draw = partial(secrets.token_urlsafe, 48)
    return kept(settings, "LIENTHONG_SECRET_KEY", "pages.secret", draw)


def kept(settings: Settings, setting: str, name: str, draw: Callable[[], str]) -> str:
    """A secret that its setting does not give: of this file of the data folder, drawn into it once.

    SettingsError where none can be kept.
    """
    try:
        return _keep(settings.data_dir / name, draw)
    except OSError as broken:
        raise SettingsError(
            f"{setting} is not set and {name} cannot be kept in the data folder ({broken.strerror})"
        ) from None


def _keep(path: Path, draw: Callable[[], str]) -> str:
    """Read the secret, or make it in one step that two processes may try at once."""
    if path.exists():
        return path.read_text(encoding="ascii")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(draw())
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(draft, path)  # fails where another process was first: then its secret counts
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii")
