"""Addresses that only take forms, loaded as pages: after a faulty form, or by Back. They lead home."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from shared.identity.guard import public
from shared.web import rooms

#: Where a form is sent -> the page that holds it; each asks for its own rights.
HOMES: Final = {
    "/can-bo/ban-giao": "/can-bo",
    f"{rooms.SIGN_IN}/ma": rooms.SIGN_IN,
    f"{rooms.SIGN_IN}/mat-khau": rooms.SIGN_IN,
    rooms.SIGN_OUT: "/",
    "/tai-khoan/noi-lam-viec": "/tai-khoan",
    "/tai-khoan/mat-khau": "/tai-khoan",
    "/tai-khoan/xac-thuc/bo": "/tai-khoan",
}


def blueprint() -> Blueprint:
    """GET of each of them."""
    blue = Blueprint("again", __name__)
    for number, path in enumerate(HOMES):
        blue.add_url_rule(path, f"to_{number}", public(_leading_to(HOMES[path])), methods=["GET"])
    return blue


def _leading_to(home: str) -> Callable[[], Response]:
    def lead() -> Response:
        return redirect(home, 303)

    return lead
