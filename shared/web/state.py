"""What a web app is given once and its parts look up: settings, the page head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from flask import Flask, current_app

from shared.settings import Settings

KEY: Final = "lienthong"


@dataclass(slots=True)
class WebState:
    """Kept under `app.extensions["lienthong"]`.

    `name_of`: what people call the place with this code. `keys`: an address of the head -> the
    letter that opens it together with Alt. `for_citizens`: blueprints whose pages are shown in the
    reader's language.
    """

    settings: Settings
    navigation: list[tuple[str, str]] = field(default_factory=list)
    name_of: Callable[[str], str] = str
    keys: Mapping[str, str] = field(default_factory=dict)
    for_citizens: frozenset[str] = frozenset()


def state_of(app: Flask | None = None) -> WebState:
    """The state of an app made by `create_app`."""
    state: WebState = (app or current_app).extensions[KEY]
    return state
