"""Who may call which route.  Deny by default: a view that names no rule is never called.

`require` and `public` only mark a view; one hook before the view does the work, so it comes before
any argument is read.  What an office may see is decided by the use cases, with `current()`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from flask import Flask, current_app, g, request, session
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import UnsupportedMediaType

from shared.identity.callers import house_of, place_of
from shared.identity.keys import Principal
from shared.identity.limits import MARK as LIMIT_MARK
from shared.identity.limits import Full, Limiter, Shares
from shared.kernel.errors import Forbidden, Refused, Unauthenticated
from shared.log import get
from shared.messaging.metrics import Metrics

View = TypeVar("View", bound=Callable[..., Any] | type)
EXTENSION: Final = "lienthong.guard"
MARK: Final = "__access__"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SESSION_KEY: Final = "key"
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

    def still_valid(self, key_id: str) -> Principal | None:
        """The principal of a key that was verified before, or None where it is revoked."""


@dataclass(slots=True)
class Guard:
    """What the guard of one app works with; `public_endpoints` are the built-in public doors."""

    keys: Keys
    csrf: CSRFProtect
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


def remember(principal: Principal) -> None:
    """Sign the browser in: the cookie keeps the key's id, never its secret."""
    session.clear()
    session[_SESSION_KEY] = principal.key_id
    session.permanent = True
    g.principal, g.by_session = principal, True


def forget() -> None:
    """Sign the browser out."""
    session.clear()
    g.principal, g.by_session = None, False


def _identify(guard: Guard) -> tuple[Principal | None, bool]:
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, text = header.partition(" ")
        text = text.strip()
        known = scheme.lower() == "bearer" and text.isascii() and len(text) <= 300
        return (guard.keys.verify(text) if known and text else None), False
    key_id = session.get(_SESSION_KEY)
    if not isinstance(key_id, str):
        return None, False
    principal = guard.keys.still_valid(key_id)
    if principal is None:
        session.clear()
    return principal, principal is not None


def install(app: Flask, guard: Guard) -> None:
    """Put the guard before every view of the app."""
    app.extensions[EXTENSION] = guard
    app.before_request(_before)
    app.teardown_request(_after)


def _before() -> None:
    if request.url_rule is None:  # 404 and 405 are told by Flask itself
        return
    guard = guard_of()
    access = access_of(_app_view(), request.method) or _built_in(guard, request.endpoint)
    if access is None:
        raise Forbidden("this route names no access rule", code="no_access_rule")
    g.is_public = access.is_public
    _count(guard)
    if not access.is_public:
        principal = current_or_none()
        if principal is None:
            raise Unauthenticated("a valid key is needed")
        if principal.kind not in access.kinds:
            raise Forbidden("this kind of key does not open this door")
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
    if is_api():
        current_or_none()
        if not g.by_session:
            return
    guard.csrf.protect()


def _refuse_foreign_content() -> None:
    has_body = bool(request.content_length) or request.headers.get("Transfer-Encoding")
    if is_api() and request.method not in _SAFE and has_body and not request.is_json:
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
