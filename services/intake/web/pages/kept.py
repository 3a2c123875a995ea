"""A form that was sent when nobody was signed in any more: kept over the sign-in, then sent on.

Only a form that stood on a page of ours in this browser is kept: nobody else can have it sent in
the name of whoever signs in next. Passwords are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request

from shared.identity.guard import is_our_form
from shared.web import rooms

_PREFIX = "giu."
_SENT = "gui"
_JOINS = "noi"


@dataclass(frozen=True, slots=True)
class Kept:
    """Where to go after the sign-in; `sent` where a form waits to be sent there.

    `joins` is an identity of the city's own sign-in, signed, that the account is to be joined to.
    """

    target: str = ""
    sent: bool = False
    values: Sequence[tuple[str, str]] = ()
    joins: str = ""

    def inputs(self) -> list[tuple[str, str]]:
        """The hidden inputs that carry it over a page."""
        carried = [(f"{_PREFIX}{name}", value) for name, value in self.values]
        sent = ((_SENT, "1") for _ in range(self.sent))
        joins = ((_JOINS, self.joins) for _ in range(bool(self.joins)))
        return [("next", self.target), *sent, *joins, *carried]


def carried() -> Kept:
    """What the sign-in's own form carries, or its address."""
    target = rooms.local(request.values)
    values = [
        (name.removeprefix(_PREFIX), value)
        for name, value in request.form.items(multi=True)
        if name.startswith(_PREFIX)
    ]
    sent = bool(target) and _SENT in request.form
    return Kept(target, sent, values, request.form.get(_JOINS, ""))


def taken() -> Kept:
    """The form that was sent elsewhere and came here, with where it was sent."""
    target = rooms.local(request.args)
    if not target or not is_our_form():
        return Kept()
    values = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != "csrf_token" and not name.startswith("password")
    ]
    return Kept(target, sent=True, values=values)
