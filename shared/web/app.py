"""Builds the Flask app of one service, with everything that each of them needs and no route."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from flask import Flask
from flask.json.provider import DefaultJSONProvider
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from shared.identity import guard
from shared.identity.keys import StoreKeys
from shared.identity.limits import Shares
from shared.identity.passes import Checkpoint, Holds, Passes
from shared.messaging.metrics import Metrics
from shared.settings import Settings
from shared.web import errors, filters, pages, reading, security, words
from shared.web.state import KEY, WebState

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from shared.database import Store


class _Json(DefaultJSONProvider):
    """Vietnamese stays readable, keys keep their order; what comes in is bounded."""

    ensure_ascii = False
    sort_keys = False
    compact = True

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Read what a caller sent."""
        return reading.read(s)


class _App(Flask):
    """All that serves is plain functions: Flask would look whether each is, at every request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is."""
        return func


def create_app(
    settings: Settings,
    store: Store | None = None,
    *,
    title: str,
    sign_in: Sequence[str] = (),
    home: str = "/",
    navigation: Sequence[tuple[str, str]] = (),
    keys: guard.Keys | None = None,
    metrics: Metrics | None = None,
    holds: Holds | None = None,
    catalogues: Sequence[Path] = (),
) -> Flask:
    """An app with guard, errors, headers, cookies, filters and the pages all services share.

    `title` is Vietnamese and stands on every page; `sign_in` names the kinds of people who work at
    its pages; `navigation` are (address, words) of the page head; `home` is where its emblem leads.
    Keys are looked up in `store` unless `keys` is given. `holds` is given by the service that keeps
    the sign-ins: the others believe a pass while it is fresh. `catalogues` are folders of
    translations (see words.py).
    """
    app = _App(f"lienthong.{settings.service}", static_folder=None)
    app.json = _Json(app)
    app.config.update(SERVICE_TITLE=title, HOME=home, TRAP_HTTP_EXCEPTIONS=False)
    app.wsgi_app = _addressed(app.wsgi_app, settings)  # type: ignore[method-assign, assignment]
    security.install(app, settings)
    app.extensions[KEY] = WebState(
        settings=settings,
        navigation=list(navigation),
    )
    guard.install(app, _guard(app, settings, keys or _keys_of(store), sign_in, metrics, holds))
    reading.install(app)
    errors.install(app)
    filters.install(app)
    words.install(app, catalogues)
    pages.install(app)
    return app


def _guard(
    app: Flask,
    settings: Settings,
    keys: guard.Keys,
    kinds: Sequence[str],
    metrics: Metrics | None,
    holds: Holds | None,
) -> guard.Guard:
    checkpoint = Checkpoint(
        Passes(str(app.config["SECRET_KEY"])),
        security.cookie_name(settings, "pass"),
        settings.cookie_secure,
        holds,
    )
    shares = Shares(settings.key_per_minute, settings.key_at_once)
    csrf = CSRFProtect(app)
    return guard.Guard(keys, csrf, checkpoint, tuple(kinds), shares, metrics or Metrics())


def _addressed(inner: WSGIApplication, settings: Settings) -> WSGIApplication:
    """Who calls and where the city is: from proxies that are ours and from the settings alone.

    What a caller says of the city's address (Host, X-Forwarded-Host) is never believed.
    """
    if settings.public_url:
        inner = _at(urlsplit(settings.public_url), inner)
    hops = settings.proxy_hops
    return ProxyFix(inner, x_for=hops, x_proto=hops, x_host=0) if hops else inner


def _at(address: SplitResult, inner: WSGIApplication) -> WSGIApplication:
    def known(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        environ["HTTP_HOST"] = address.netloc
        environ["wsgi.url_scheme"] = address.scheme
        return inner(environ, start)

    return known


def _keys_of(store: Store | None) -> StoreKeys:
    if store is None:
        raise TypeError("create_app needs a store or keys")
    return StoreKeys(store)
