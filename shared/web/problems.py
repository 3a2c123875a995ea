"""Errors as RFC 9457 problem documents: what they hold and in which language.

How Flask comes to call this is in `errors.py`; what the faults say is in `faults.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from flask import Request, Response, json
from werkzeug.exceptions import HTTPException

from shared.events.envelope import MAX_BYTES
from shared.kernel.errors import (
    Fault,
    InvalidInput,
    LienThongError,
    NotAllowed,
    Refused,
    Transient,
)
from shared.web.pointers import pointer

CONTENT_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 5
#: So many faults are told of one request, and so much of the place of each.
MOST_FAULTS: Final = 100
LONGEST_PLACE: Final = 200

TITLES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("Yêu cầu không đọc được", "The request cannot be read"),
    401: ("Cần khóa truy cập hợp lệ", "A valid access key is needed"),
    403: ("Không có quyền thực hiện", "Not permitted"),
    404: ("Không tìm thấy", "Not found"),
    405: ("Phương thức không được phép", "Method not allowed"),
    406: ("Không có dạng trả lời phù hợp", "No acceptable form of answer"),
    409: ("Yêu cầu mâu thuẫn với dữ liệu đã có", "In conflict with what is there"),
    412: ("Dữ liệu đã thay đổi", "The data has changed meanwhile"),
    413: ("Nội dung quá lớn", "The content is too large"),
    415: ("Kiểu nội dung không được hỗ trợ", "Unsupported kind of content"),
    422: ("Dữ liệu chưa hợp lệ", "The data is not valid"),
    429: ("Quá nhiều yêu cầu", "Too many requests"),
    500: ("Lỗi hệ thống", "Internal error"),
    503: ("Hệ thống tạm thời gián đoạn", "Temporarily out of service"),
}

# One fault, one code: whether a schema or a use case found it, the caller reads the same.
_CODES: Final = {401: "unauthenticated", 409: "conflict", 422: "invalid_input", 500: "internal"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One refused request: a status, both languages, and every fault at once."""

    status: int
    code: str
    vi: str
    en: str
    faults: tuple[Fault, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def of_error(error: LienThongError) -> Problem:
    """The problem that one of our own errors is for the caller.

    What is not the caller's fault says no more than that: 503 where trying again helps, else 500.
    """
    if isinstance(error, Transient):
        vi, en = TITLES[503]
        return Problem(503, error.code, vi, en, headers={"Retry-After": str(RETRY_SECONDS)})
    if not isinstance(error, Refused):
        return of_status(500)
    extra = dict(error.extra)
    if isinstance(error, NotAllowed):
        extra["allowed"] = list(error.allowed)
    if isinstance(error, InvalidInput):
        vi, en = TITLES[error.status]
        return Problem(error.status, error.code, vi, en, faults=error.faults)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    return Problem(
        error.status, error.code, error.vi, error.en, error.faults, extra=extra, headers=headers
    )


#: Whoever may send more than so many bytes sends files.
_FILES: Final = 1024 * 1024


def of_status(
    status: int,
    *,
    faults: Iterable[Fault] = (),
    headers: Mapping[str, str] | None = None,
    most: int | None = None,
) -> Problem:
    """The problem of a bare HTTP status; `most` bytes are taken where that was asked for."""
    name = HTTPStatus(status).phrase
    vi, en = TITLES.get(status, (name, name))
    code = _CODES.get(status) or re.sub(r"[^a-z]+", "_", name.lower()).strip("_")
    if (allowed := (headers or {}).get("Allow")) is not None:
        vi, en = f"Địa chỉ này chỉ nhận: {allowed}.", f"this address takes: {allowed}"
    elif status == 413 and most is not None and most > _FILES:
        vi = f"Nhiều nhất {most // _FILES} MB mỗi lần gửi: hãy gửi ít tệp hơn hoặc quét nhỏ hơn."
        en = f"at most {most // _FILES} MB are taken at a time: send fewer files or smaller scans"
    elif status == 413:
        most = MAX_BYTES // 1024
        vi = f"Nhiều nhất {most} KiB mỗi lần gửi: hãy rút gọn các ô chữ và danh sách."
        en = f"at most {most} KiB are taken at a time: shorten texts and lists"
    elif status == 415:
        vi = "Hãy gửi JSON với Content-Type: application/json."
        en = "send JSON with Content-Type: application/json"
    return Problem(status, code, vi, en, tuple(faults), headers=headers or {})


def language(request: Request) -> str:
    """`vi` or `en`, whichever the caller likes better; `vi` where nothing is said."""
    for tag in request.accept_languages.values():  # best first; werkzeug misses vi-VN for vi
        if (main := tag.split("-")[0].lower()) in ("vi", "en"):
            return main
    return "vi"


def as_document(
    problem: Problem, tongue: str, at: Callable[[str], str | None] = lambda _: None
) -> dict[str, Any]:
    """The problem as a JSON object; title and detail in one language, faults in both.

    `at` tells the JSON pointer of a fault's place, None for what is not in the request's body.
    """
    vi, en = TITLES.get(problem.status, (problem.vi, problem.en))
    document: dict[str, Any] = {
        "type": f"urn:lienthong:problem:{problem.code}",
        "title": vi if tongue == "vi" else en,
        "status": problem.status,
        "detail": problem.vi if tongue == "vi" else problem.en,
        "code": problem.code,
    }
    if problem.faults:
        told = problem.faults[:MOST_FAULTS]
        document["errors"] = [_told(fault, at(fault.place)) for fault in told]
        if more := len(problem.faults) - len(told):
            rest = Fault("", f"Còn {more} lỗi nữa.", f"and {more} more")
            document["errors"].append(_told(rest, None))
    return document | dict(problem.extra)


def _told(fault: Fault, where: str | None) -> dict[str, str]:
    pointed = {} if where is None else {"pointer": _short(where)}
    ruled = {"rule": fault.rule} if fault.rule else {}
    return {"place": _short(fault.place), **pointed, **ruled, "vi": fault.vi, "en": fault.en}


def _short(place: str) -> str:
    """A place holds names that the caller chose."""
    return place if len(place) <= LONGEST_PLACE else f"{place[:LONGEST_PLACE]}…"


def _pointers(problem: Problem, request: Request) -> Callable[[str], str | None]:
    """Where faults lie in the request's body, if it has one that can be read."""
    if problem.status not in (409, 422) or not request.is_json:
        return lambda _: None
    try:
        body = request.get_json(silent=True)
    except HTTPException:  # too large, and nobody has wanted to read it before
        body = None

    def at(place: str) -> str | None:
        return None if place in request.headers else pointer(place, body)

    return at


def as_response(problem: Problem, request: Request) -> Response:
    """The problem as `application/problem+json` with its headers."""
    tongue = language(request)
    body = json.dumps(as_document(problem, tongue, _pointers(problem, request)))
    response = Response(body, problem.status, content_type=CONTENT_TYPE)
    response.headers.extend(dict(problem.headers))
    response.headers["Content-Language"] = tongue
    response.vary.add("Accept-Language")
    return response
