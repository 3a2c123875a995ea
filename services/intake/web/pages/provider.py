"""The other end of the city's own sign-in: an OpenID Connect provider, spoken to by Authlib.

Authorization code with PKCE, state and nonce. Loaded only where a city has such a sign-in.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask
from joserfc.errors import JoseError
from werkzeug.wrappers import Response

from services.intake.web.pages.oidc import BACK, Identity, NotLetIn, Unreachable
from shared.kernel.errors import SettingsError
from shared.log import get
from shared.settings import Settings
from shared.web import rooms

_ANSWERS_WITHIN: Final = 6  # seconds
_LONGEST_SUBJECT: Final = 255  # OpenID Connect Core 1.0, section 2
# What goes wrong before the provider has said anything of its own.
_AWAY: Final = (requests.RequestException, RuntimeError)
# What it said is not what was asked for, is for somebody else, too old or not signed as it must be.
_WRONG: Final = (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError)
_log = get("web")


class OpenIdProvider:
    """The provider that the settings name; nothing is asked of it until somebody wants to sign in."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._settings = settings
        self._client: Any = OAuth(app).register(
            "city",
            server_metadata_url=f"{settings.oidc_issuer}/.well-known/openid-configuration",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            client_kwargs={
                "scope": "openid profile",
                "code_challenge_method": "S256",
                "default_timeout": _ANSWERS_WITHIN,
            },
        )

    def send_there(self) -> Response:
        """The redirect that begins a sign-in; raises Unreachable.

        A provider that cannot sign people out is told to ask for the password each time.
        """
        try:
            asked = {} if self._sign_out_there() else {"prompt": "login"}
            answer: Response = self._client.authorize_redirect(self._here(BACK), **asked)
        except (*_AWAY, *_WRONG) as exc:
            raise _unreachable(exc) from None
        return answer

    def who_came_back(self) -> Identity:
        """Who signed in there, by the request at hand; raises NotLetIn, Unreachable."""
        try:
            claims = self._client.authorize_access_token().get("userinfo") or {}
        except _AWAY as exc:
            raise _unreachable(exc) from None
        except _WRONG as exc:
            _log.warning("web.oidc_refused", kind=type(exc).__name__)
            raise NotLetIn("the answer of the provider was refused", code="not_let_in") from None
        subject = str(claims.get("sub", ""))
        if not 0 < len(subject) <= _LONGEST_SUBJECT:
            raise NotLetIn("the answer of the provider names nobody", code="not_let_in")
        name = str(claims.get("name") or claims.get("preferred_username") or subject)[:100]
        return Identity(f"{self._settings.oidc_issuer} {subject}", name)

    def sign_out_address(self) -> str:
        """Where a browser goes to be signed out there too; empty where that is not offered."""
        try:
            there = self._sign_out_there()
        except (*_AWAY, *_WRONG):
            return ""
        asked = {
            "client_id": self._settings.oidc_client_id,
            "post_logout_redirect_uri": self._here(rooms.SIGN_IN),
        }
        return f"{there}{'&' if '?' in there else '?'}{urlencode(asked)}" if there else ""

    def _sign_out_there(self) -> str:
        return str(self._client.load_server_metadata().get("end_session_endpoint") or "")

    def _here(self, path: str) -> str:
        return f"{self._settings.public_url}{path}"


def made(app: Flask, settings: Settings) -> OpenIdProvider:
    """The provider that the settings name; SettingsError where half of it was set."""
    missing = [
        f"LIENTHONG_{name.upper()}"
        for name in ("oidc_client_id", "oidc_client_secret", "public_url")
        if not getattr(settings, name)
    ]
    if missing:
        names = ", ".join(missing)
        raise SettingsError(
            f"LIENTHONG_OIDC_ISSUER is set, so {names} must be set too",
            vi=f"Đã đặt LIENTHONG_OIDC_ISSUER nên cũng phải đặt {names}.",
        )
    if not settings.oidc_client_secret.isascii():
        raise SettingsError(
            "LIENTHONG_OIDC_CLIENT_SECRET holds letters that no header can carry",
            vi="LIENTHONG_OIDC_CLIENT_SECRET có ký tự không gửi đi được; xin cổng cấp khóa khác.",
        )
    return OpenIdProvider(app, settings)


def _unreachable(exc: Exception) -> Unreachable:
    _log.warning("web.oidc_unreachable", kind=type(exc).__name__)
    return Unreachable("the city's sign-in does not answer", code="oidc_unreachable")
