"""Browsers that somebody has signed in with: their tries have a count of their own.

So a stranger who tries passwords under a name makes nobody wait at their own desk. The cookie opens
nothing. A desk's computer may be several people's.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from flask import Response, current_app, request
from itsdangerous import BadData, URLSafeSerializer

from services.intake.storage.staff import Person
from shared.web.security import cookie_name
from shared.web.state import state_of

_SALT: Final = "lienthong.device.1"
_KEPT_FOR: Final = timedelta(days=180)
_MOST: Final = 8  # people of one browser; the first is forgotten


def of(person: Person | None) -> str | None:
    """What this browser is known by, where this person has signed in with it before."""
    return None if person is None else _known().get(person.id)


def remember(answer: Response, person: Person) -> None:
    """Let the answer tell the browser that this person has signed in with it."""
    known = _known()
    known.setdefault(person.id, secrets.token_urlsafe(9))
    latest = dict(list(known.items())[-_MOST:])
    answer.set_cookie(
        _name(),
        str(_signer().dumps(latest)),
        max_age=_KEPT_FOR,
        httponly=True,
        samesite="Lax",
        secure=state_of().settings.cookie_secure,
        path="/",
    )


def _known() -> dict[str, str]:
    try:
        found = _signer().loads(request.cookies.get(_name(), "")[:4000])
    except (BadData, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _name() -> str:
    return cookie_name(state_of().settings, "device")


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.config["SECRET_KEY"]), salt=_SALT)
