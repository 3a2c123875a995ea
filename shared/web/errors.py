"""Every error of a web app becomes an answer here: problem+json for programs, a page for people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, current_app, g, redirect, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed
from werkzeug.wrappers import Response as BaseResponse

from shared import log
from shared.identity import guard
from shared.kernel.errors import LienThongError, Refused, Transient
from shared.web import problems, rooms, words
from shared.web.faults import faults_of
from shared.web.problems import Problem

_log = log.get("web")
_CSRF_VI: Final = "Trang đã để quá lâu hoặc mở từ nơi khác. Vui lòng tải lại trang rồi thử lại."
_CSRF_EN: Final = "the form's token is missing or too old; load the page again"


def install(app: Flask) -> None:
    """Answer every error of the app."""
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(LienThongError, on_ours)
    app.register_error_handler(Exception, on_unknown)
    app.after_request(_stay_here)


def on_ours(error: LienThongError) -> BaseResponse:
    """Answer one of our own errors; what is not the caller's fault is logged."""
    problem = problems.of_error(error)
    if isinstance(error, guard.TooMany):
        headers = {**problem.headers, "Retry-After": str(error.seconds)}
        problem = replace(problem, headers=headers)
    if isinstance(error, Transient):
        _log.warning("web.away", code=error.code, route=_route())
    elif not isinstance(error, Refused):
        _log.error("web.failed", code=error.code, route=_route(), exc_info=error)
    return _answer(problem)


def on_http(error: HTTPException) -> BaseResponse:
    """Answer an error of Flask, werkzeug or webargs; its own headers (Allow …) are kept."""
    if error.response is not None and not isinstance(error, InternalServerError):
        return _as_flask(error.response)
    if isinstance(error, CSRFError):
        return _answer(Problem(400, "csrf", _CSRF_VI, _CSRF_EN))
    status = error.code or 500
    if 300 <= status < 400:  # werkzeug's own redirects are exceptions too
        return error.get_response()
    if isinstance(error, MethodNotAllowed) and request.method == "GET" and wants_page():
        return redirect(_page_of(request.path), 303)
    data: dict[str, Any] = getattr(error, "data", None) or {}
    faults = faults_of(data.get("messages") or data.get("errors") or {})
    headers = {k: v for k, v in error.get_headers() if k.lower() != "content-type"}
    headers |= data.get("headers") or {}
    return _answer(problems.of_status(status, faults=faults, headers=headers, most=_most()))


def _most() -> int | None:
    """How many bytes the asked view takes."""
    return request.max_content_length


def _page_of(path: str) -> str:
    """The page on which the form of this address stands, for whoever opens the address itself."""
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None
    while path := path.rpartition("/")[0]:
        try:
            adapter.match(path, method="GET")
        except HTTPException:
            continue
        return path
    return str(current_app.config["HOME"])


def on_unknown(error: Exception) -> BaseResponse:
    """Answer a defect: logged with its trace, told to the caller without a word about it."""
    _log.error("web.failed", code="internal", route=_route(), exc_info=error)
    return _answer(problems.of_status(500))


def lead_away(response: BaseResponse) -> BaseResponse:
    """Let this redirect leave our address: for what the settings name, never what a caller says."""
    g.leads_away = response.headers["Location"]
    return response


def _stay_here(response: Response) -> Response:
    """A redirect leads to a path of ours: werkzeug's own name the host that the caller gave."""
    if response.headers.get("Location", "") == g.get("leads_away"):
        return response
    if 300 <= response.status_code < 400 and "Location" in response.headers:
        parts = urlsplit(response.headers["Location"])
        if parts.netloc:
            path = f"/{parts.path.lstrip('/')}"  # two slashes would begin another host
            response.headers["Location"] = urlunsplit(("", "", path, parts.query, ""))
            response.set_data("")
    return response


def _answer(problem: Problem) -> BaseResponse:
    if not wants_page():
        return problems.as_response(problem, request)
    if problem.status == 401 and guard.guard_of().kinds:
        return _to_sign_in()
    return page(problem)


def _to_sign_in() -> BaseResponse:
    """To intake: it renews the pass of one who is signed in, and asks the others to sign in.

    A form that was sent goes with it (307 repeats it as it was), so that nothing typed is lost.
    """
    sent = request.method not in ("GET", "HEAD")
    target = request.full_path.rstrip("?") if not sent or request.query_string else request.path
    if "HX-Request" in request.headers:  # htmx follows no redirect to another page
        before = urlsplit(request.headers.get("HX-Current-URL", ""))
        shown = urlunsplit(("", "", before.path, before.query, "")) if sent else target
        return Response("", 401, headers={"HX-Redirect": rooms.renewing(shown)})
    if sent:
        return redirect(rooms.renewing(target), 307)
    where = rooms.renewing(target) if guard.may_be_renewed() else rooms.signing_in(target)
    return redirect(where, 303)


def page(problem: Problem) -> Response:
    """The problem as a page."""
    titles = problems.TITLES.get(problem.status, (problem.vi, problem.en))
    title = titles[words.language() != words.SOURCE]
    body = render_template(
        "lienthong/error.html", problem=problem, title=title, said=words.said(problem)
    )
    response = Response(body, problem.status, content_type="text/html; charset=utf-8")
    response.headers.extend(dict(problem.headers))
    return response


def wants_page() -> bool:
    """True where a person looks at the answer."""
    if guard.is_api():
        return False
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "text/html" or "HX-Request" in request.headers


def _route() -> str:
    return request.url_rule.rule if request.url_rule is not None else "-"


def _as_flask(response: Any) -> BaseResponse:
    assert isinstance(response, BaseResponse)
    return response
