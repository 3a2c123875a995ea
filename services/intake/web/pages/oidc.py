"""The city's own sign-in (OpenID Connect) beside names and passwords, as a setting.

An identity opens the account that it was joined to, by the person (who once signs in with the
password, on the very page that names the identity) or by `lienthong staff join`: never by a name or
an address in the token, which the provider may give to somebody else tomorrow. Whoever signs out
here is signed out there too: the next at a shared computer must not get in as the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol

from flask import Flask, current_app
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from shared.kernel.errors import Refused
from shared.settings import Settings
from shared.web import rooms

START: Final = f"{rooms.SIGN_IN}/thanh-pho"
BACK: Final = f"{START}/ve"
_KEY: Final = "lienthong.oidc"
_SALT: Final = "lienthong.oidc.1"
_JOINED_WITHIN: Final = 900  # seconds from coming back to the password


class Unreachable(Refused):
    """The city's sign-in does not answer, or not as it should."""

    status = 503
    default_vi = (
        "Cổng đăng nhập của thành phố đang không trả lời. "
        "Vui lòng thử lại sau ít phút, hoặc đăng nhập bằng tên và mật khẩu dưới đây."
    )


class NotLetIn(Refused):
    """The person said no there, or came back with what was not asked for here."""

    status = 403
    default_vi = (
        "Chưa đăng nhập được qua cổng của thành phố: đã quá lâu, hoặc bạn đã bấm hủy. "
        "Bấm lại nút đăng nhập, hoặc dùng tên và mật khẩu dưới đây."
    )


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says has signed in: `subject` never changes, `name` is only for eyes."""

    subject: str  # the issuer and its subject
    name: str


class Provider(Protocol):
    """The other end (`provider.py`), loaded only where a city has such a sign-in."""

    def send_there(self) -> Response:
        """The redirect that begins a sign-in; raises Unreachable."""

    def who_came_back(self) -> Identity:
        """Who signed in there, by the request at hand; raises NotLetIn, Unreachable."""

    def sign_out_address(self) -> str:
        """Where a browser goes to be signed out there too; empty where that is not offered."""


def install(app: Flask, settings: Settings) -> None:
    """Make the city's sign-in known to the app, where it has one."""
    if settings.oidc_issuer:  # 18 MB that few cities need
        made = import_module("services.intake.web.pages.provider").made
        app.extensions[_KEY] = made(app, settings)


def provider() -> Provider | None:
    """The city's own sign-in; None where there is none."""
    found: Provider | None = current_app.extensions.get(_KEY)
    return found


def sign(identity: Identity) -> str:
    """An identity for a hidden field of the page that joins it to an account."""
    return str(_signer().dumps([identity.subject, identity.name]))


def read(text: str) -> Identity | None:
    """The identity of such a field; None where it is old or not ours."""
    try:
        subject, name = _signer().loads(text[:2000], max_age=_JOINED_WITHIN)
    except (BadData, ValueError, TypeError):
        return None
    return Identity(str(subject), str(name))


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.config["SECRET_KEY"]), salt=_SALT)
