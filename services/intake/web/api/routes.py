"""How a REST route is declared: its rule of access, its schemas and the errors it may answer.

flask-smorest's decorators are put together here, in the one order in which they work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import marshmallow as ma
from flask_smorest import Blueprint

from services.intake.usecases.once import LONGEST_KEY
from services.intake.web.api.schemas import SummarySchema
from shared.web.guard import require

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
    blp: Blueprint, path: str, body: type[ma.Schema], *, status: int = 200
) -> Callable[[View], View]:
    """A POST route for desks that may carry an Idempotency-Key; the answer is a summary."""

    def decorate(view: View) -> View:
        made = _told(blp, view, 400, 401, 403, 404, 409, 415)
        made = blp.response(status, SummarySchema)(made)
        # One schema for all requests: webargs would build a new one from the class for each.
        made = blp.arguments(body())(made)
        made = blp.doc(parameters=[_KEY_HEADER])(made)
        done: View = blp.post(path)(require("desk")(made))
        return done

    return decorate


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
