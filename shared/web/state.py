"""What a web app is given once and its parts look up: settings, the database door, the limiter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from flask import Flask, current_app
from flask_wtf.csrf import CSRFProtect

from shared.settings import Settings
from shared.web.limits import Limiter

KEY: Final = "lienthong"


class Keys(Protocol):
    """How the guard asks about keys; the real one is in `keyring.py`."""

    def verify(self, text: str) -> Any | None:
        """The principal of a key's full text, or None."""

    def recall(self, text: str) -> Any | None:
        """The principal of a key's full text as it was last verified; it may be revoked since."""

    def still_valid(self, key_id: str) -> Any | None:
        """The principal of a key that was verified before, or None where it is revoked."""


@dataclass(slots=True)
class WebState:
    """Kept under `app.extensions["lienthong"]`."""

    settings: Settings
    keys: Keys
    csrf: CSRFProtect
    limiter: Limiter = field(default_factory=Limiter)
    public_endpoints: set[str] = field(default_factory=set)
    kinds: tuple[str, ...] = ()
    navigation: list[tuple[str, str]] = field(default_factory=list)


Reading = Callable[[], AbstractContextManager[Any]]
Labels = Mapping[str, str]


def state_of(app: Flask | None = None) -> WebState:
    """The state of an app made by `create_app`."""
    state: WebState = (app or current_app).extensions[KEY]
    return state
