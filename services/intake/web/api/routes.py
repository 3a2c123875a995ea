"""How a REST route is declared: its rule of access, its schemas and the errors it may answer.

flask-smorest's decorators are put together here, in the one order in which they work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any, Final, TypeVar

import marshmallow as ma
from flask import request

from services.intake.usecases.once import LONGEST_KEY
from services.intake.web.api.schemas import SummarySchema
from shared.identity.guard import require
from shared.kernel.errors import Fault, InvalidInput
from shared.web.api import Blueprint
from shared.web.faults import faults_of

View = TypeVar("View", bound=Callable[..., Any])
_KEY_HEADER: Final = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "Cùng khóa và cùng nội dung thì mãi mãi cùng một câu trả lời.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": LONGEST_KEY,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
}


def getter(
    blp: Blueprint,
    path: str,
    answer: type[ma.Schema],
    *kinds: str,
    query: type[ma.Schema] | None = None,
) -> Callable[[View], View]:
    """A GET route open to these kinds of key; unknown query parameters are refused."""

    def decorate(view: View) -> View:
        made = _told(blp, view, 401, 403, *((404,) if "<" in path else ()))
        made = blp.response(200, answer)(made)
        if query is not None:
            made = blp.arguments(query, location="query", unknown=ma.RAISE)(made)
        done: View = blp.get(path)(require(*kinds)(made))
        return done

    return decorate


def poster(
    blp: Blueprint,
    path: str,
    body: type[ma.Schema],
    *,
    status: int = 200,
    also: Callable[..., Iterable[Fault]] | None = None,
    leads_to: Mapping[str, Any] = MappingProxyType({}),
) -> Callable[[View], View]:
    """A POST route for desks that may carry an Idempotency-Key; the answer is a summary.

    `leads_to` is what `linked` made of it. `also` is given the body, the faults that the schema found and what the path names, and tells
    all the faults.
    """

    def decorate(view: View) -> View:
        told = _told(blp, view, 400, 401, 403, 404, 409, 415)
        told = blp.response(status, SummarySchema)(told)
        told = blp.arguments(body)(told)
        told = blp.doc(parameters=[_KEY_HEADER], **leads_to)(told)
        read = _reading(view, body(), also)
        # smorest describes the route; what it would do around each call is done by `read` alone.
        read._apidoc = told._apidoc  # type: ignore[attr-defined] # noqa: SLF001
        done: View = blp.post(path)(require("desk")(read))
        return done

    return decorate


def _reading(
    view: Callable[..., Any], schema: ma.Schema, also: Callable[..., Iterable[Fault]] | None
) -> Callable[..., Any]:
    """The view with the request's body, checked by its schema."""

    @wraps(view)
    def read(**place: str) -> Any:
        raw = _json()
        try:
            loaded = schema.load(raw)
        except ma.ValidationError as wrong:
            faults: Iterable[Fault] = faults_of({"json": wrong.messages})
            if also is not None:
                faults = also(raw, faults, **place)
            raise InvalidInput(faults) from None
        return view(loaded, **place)

    return read


def _json() -> Any:
    """The request's body; an empty object where there is none."""
    return request.get_json() if request.is_json and request.get_data(cache=True) else {}


_NAMES: Final = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    415: "UNSUPPORTED_MEDIA_TYPE",
}


def _told(blp: Blueprint, view: Any, *statuses: int) -> Any:
    for status in statuses:
        view = blp.alt_response(status, _NAMES[status])(view)
    return view
