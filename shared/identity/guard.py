"""Who may call which route.  Deny by default: a view that names no rule is never called.

`require` and `public` only mark a view; one hook before the view does the work, so it comes before
any argument is read.  What an office may see is decided by the use cases, with `current()`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, TypeVar

from flask import Flask, Response, current_app, g, request, session
from flask_wtf.csrf import CSRFProtect, validate_csrf
from werkzeug.exceptions import UnsupportedMediaType

from shared.identity.callers import house_of, place_of
from shared.identity.keys import Principal
from shared.identity.limits import MARK as LIMIT_MARK
from shared.identity.limits import Full, Limiter, Shares
from shared.identity.passes import Checkpoint, Pass
from shared.kernel.errors import Forbidden, Refused, Unauthenticated
from shared.log import get
from shared.messaging.metrics import Metrics

View = TypeVar("View", bound=Callable[..., Any] | type)
EXTENSION: Final = "lienthong.guard"
MARK: Final = "__access__"
_CHECKS_ITSELF: Final = "__checks_its_form__"
TAKES_FILES: Final = "__takes_files__"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_log = get("web")


class TooMany(Refused):
    """The caller asks too often; `seconds` until the next request may pass."""

    status = 429

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, math.ceil(seconds))
        super().__init__(
            f"too many requests; wait {self.seconds} s and try again",
            vi=f"Quá nhiều lần thử. Vui lòng đợi {self.seconds} giây rồi thử lại.",
            code="too_many_requests",
        )


class Keys(Protocol):
    """How the guard asks about keys; the real one is `keys.StoreKeys`."""

    def verify(self, text: str) -> Principal | None:
        """The principal of a key's full text, or None."""


@dataclass(slots=True)
class Guard:
    """What the guard of one app works with.

    `kinds` are those who work at its pages; `public_endpoints` are the built-in public doors.
    """

    keys: Keys
    csrf: CSRFProtect
    checkpoint: Checkpoint
    kinds: tuple[str, ...] = ()
    shares: Shares = field(default_factory=Shares)
    metrics: Metrics = field(default_factory=Metrics)
    limiter: Limiter = field(default_factory=Limiter)
    public_endpoints: set[str] = field(default_factory=set)


def guard_of(app: Flask | None = None) -> Guard:
    """The guard of an app that `install` was called for."""
    guard: Guard = (app or current_app).extensions[EXTENSION]
    return guard


@dataclass(frozen=True, slots=True)
class Access:
    """The rule of one view: which kinds of key open it; none means public."""

    kinds: frozenset[str]

    @property
    def is_public(self) -> bool:
        """True where no key is needed."""
        return not self.kinds


def require(*kinds: str) -> Callable[[View], View]:
    """Open a view, or every method of a view class, to keys of these kinds."""
    if not kinds:
        raise TypeError("require() needs at least one kind of key")

    def mark(view: View) -> View:
        setattr(view, MARK, Access(frozenset(kinds)))
        return view

    return mark


def public(view: View) -> View:
    """Open a view to everybody; the service's guard test must name it too."""
    setattr(view, MARK, Access(frozenset()))
    return view


def checks_its_form(view: View) -> View:
    """A view that does nothing for a forged form and keeps what an old one holds: it asks itself."""
    setattr(view, _CHECKS_ITSELF, True)
    return view


def is_our_form() -> bool:
    """Whether the form that was sent stood on a page of ours, in this very browser."""
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValueError:  # wtforms.ValidationError
        return False
    return True


def current() -> Principal:
    """Who calls: `kind`, `bound_to` (office or agency code), `key_id`.

    Raises `Unauthenticated` in a public view that nobody signed in to.
    """
    principal = current_or_none()
    if principal is None:
        raise Unauthenticated("no key was given")
    return principal


def current_or_none() -> Principal | None:
    """Who calls, or None for a stranger."""
    if "principal" not in g:
        g.principal, g.by_session = _identify(guard_of())
    principal: Principal | None = g.principal
    return principal


def stand_in(principal: Principal) -> None:
    """Let the access log name this caller, who shows a link that a door signed for them.

    It opens nothing: whoever holds the link is not signed in.
    """
    g.stands_for = principal


def pass_of_caller() -> Pass | None:
    """The pass of whoever signed in; None for strangers and for programmes."""
    current_or_none()
    known: Pass | None = g.get("pass_shown")
    return known


def may_be_renewed() -> bool:
    """Whether the caller shows a pass that was good and that intake may renew."""
    current_or_none()
    return bool(g.get("stale"))


def let_in(given: Pass) -> None:
    """Let the answer bring a pass: somebody signed in, or what they hold has changed.

    The form token is drawn anew, so that none that was known before the sign-in counts after it.
    """
    session.clear()
    session.permanent = True
    show(given)


def show(given: Pass) -> None:
    """Let the answer bring this pass; the forms that stand open keep their token."""
    guard = guard_of()
    fresh = replace(given, made=guard.checkpoint.now())
    g.pass_shown, g.pass_given, g.stale = fresh, fresh, False
    g.principal, g.by_session = fresh.principal(_wanted(guard)), True


def forget() -> None:
    """Take the pass away; the form token stays, so that what stands typed elsewhere is not lost."""
    g.pass_shown, g.pass_given, g.stale = None, None, False
    g.principal, g.by_session = None, False


def _wanted(guard: Guard) -> Collection[str]:
    found: Collection[str] = g.get("wanted") or guard.kinds
    return found


def _identify(guard: Guard) -> tuple[Principal | None, bool]:
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, text = header.partition(" ")
        text = text.strip()
        known = scheme.lower() == "bearer" and text.isascii() and len(text) <= 300
        return (guard.keys.verify(text) if known and text else None), False
    shown, g.stale = guard.checkpoint.seen(request.cookies.get(guard.checkpoint.cookie))
    g.pass_shown = shown
    principal = shown.principal(_wanted(guard)) if shown is not None else None
    return principal, principal is not None


def _bring_pass(response: Response) -> Response:
    """Give out, renew or take away the pass of whoever asked."""
    guard = guard_of()
    checkpoint = guard.checkpoint
    given: Pass | None = g.get("pass_given")
    shown: Pass | None = g.get("pass_shown")
    if given is None and shown is not None and checkpoint.holds and checkpoint.wants_another(shown):
        given = replace(shown, made=checkpoint.now())
    if given is not None:
        response.set_cookie(
            checkpoint.cookie,
            checkpoint.passes.write(given),
            httponly=True,
            samesite="Lax",
            secure=checkpoint.secure,
            path="/",
        )
    elif "pass_given" in g:
        response.delete_cookie(
            checkpoint.cookie, httponly=True, samesite="Lax", secure=checkpoint.secure, path="/"
        )
    return response


def install(app: Flask, guard: Guard) -> None:
    """Put the guard before every view of the app."""
    app.extensions[EXTENSION] = guard
    app.before_request(_before)
    app.after_request(_bring_pass)
    app.teardown_request(_after)


def _before() -> None:
    if request.url_rule is None:  # 404 and 405 are told by Flask itself
        return
    guard = guard_of()
    access = access_of(_app_view(), request.method) or _built_in(guard, request.endpoint)
    if access is None:
        raise Forbidden("this route names no access rule", code="no_access_rule")
    g.is_public, g.wanted = access.is_public, access.kinds
    _count(guard)
    if not access.is_public:
        principal = current_or_none()
        if principal is None:
            raise Unauthenticated("a sign-in or a valid key is needed")
        if principal.kind not in access.kinds:
            raise Forbidden(
                "this door is not open to you",
                vi="Tài khoản hoặc khóa này không mở được trang này.",
            )
        _take_share(guard, principal)
    _protect_from_forgery(guard)
    _refuse_foreign_content()


def _take_share(guard: Guard, principal: Principal) -> None:
    """One key cannot exhaust the others: neither by many requests nor by slow ones."""
    try:
        guard.shares.enter(principal.key_id)
    except Full as full:
        guard.metrics.tried("key", "limited")
        _log.warning("web.key_limited", key=principal.key_id, share=full.share)
        raise TooMany(full.seconds) from None
    g.sharing = principal.key_id


def _after(_: BaseException | None) -> None:
    if (key := g.pop("sharing", None)) is not None:
        guard_of().shares.leave(key)


def _app_view() -> Any:
    return current_app.view_functions[request.endpoint or ""]


def _built_in(guard: Guard, endpoint: str | None) -> Access | None:
    return Access(frozenset()) if endpoint in guard.public_endpoints else None


def _count(guard: Guard) -> None:
    marked = getattr(_app_view(), LIMIT_MARK, None)
    if marked is None:
        return
    limit, methods = marked
    if methods and request.method not in methods:
        return
    if (seconds := guard.limiter.wait(limit, house_of(request.remote_addr))) > 0:
        guard.metrics.tried(limit.name, "limited")
        _log.warning("web.caller_limited", door=limit.name, place=place_of(request.remote_addr))
        raise TooMany(seconds)


def _protect_from_forgery(guard: Guard) -> None:
    """A cookie travels by itself, a key in a header does not: only the former needs a token."""
    if request.method in _SAFE or "Authorization" in request.headers:
        return
    if getattr(_app_view(), _CHECKS_ITSELF, False):
        return
    if is_api():
        current_or_none()
        if not g.by_session:
            return
    guard.csrf.protect()


def _refuse_foreign_content() -> None:
    has_body = bool(request.content_length) or request.headers.get("Transfer-Encoding")
    if not is_api() or request.method in _SAFE or not has_body or request.is_json:
        return
    if not getattr(_app_view(), TAKES_FILES, False):
        raise UnsupportedMediaType


def is_api() -> bool:
    """True for routes that programs call; all else is pages."""
    return request.path.startswith("/api/")


def access_of(view: Any, method: str = "GET") -> Access | None:
    """The rule a view function, or the method of a view class, is marked with."""
    cls = getattr(view, "view_class", None)
    if cls is not None:
        verb = "get" if method == "HEAD" else method.lower()
        marked = getattr(getattr(cls, verb, None), MARK, None) or getattr(cls, MARK, None)
    else:
        marked = getattr(view, MARK, None)
    return marked if isinstance(marked, Access) else None


def _rules(app: Flask) -> Iterator[tuple[str, str, str, Access | None]]:
    built_in = guard_of(app).public_endpoints
    for rule in app.url_map.iter_rules():
        if rule.endpoint in built_in:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            access = access_of(app.view_functions[rule.endpoint], method)
            yield rule.endpoint, method, rule.rule, access


def assert_every_route_is_guarded(app: Flask, public: frozenset[str] | set[str]) -> None:
    """For the services' tests: each route names its rule, and the public ones are these endpoints.

    Built-in doors (sign-in, static files, API description) are known here and need no naming.
    """
    rows = list(_rules(app))
    silent = [f"{method} {rule}" for _, method, rule, access in rows if access is None]
    assert not silent, f"routes without an access rule: {silent}"
    found = {endpoint for endpoint, _, _, access in rows if access and access.is_public}
    assert found == set(public), f"public routes differ: {found ^ set(public)}"
