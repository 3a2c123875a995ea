"""Builds the Flask app of one service, with everything that each of them needs and no route."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from shared.identity import guard
from shared.identity.keys import StoreKeys
from shared.settings import Settings
from shared.web import errors, filters, pages, reading, security
from shared.web.state import KEY, WebState

if TYPE_CHECKING:
    from shared.database import Store


class _Json(DefaultJSONProvider):
    """Vietnamese stays readable, keys keep their order; what comes in is bounded."""

    ensure_ascii = False
    sort_keys = False
    compact = True

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Read what a caller sent."""
        return reading.read(s)


def create_app(
    settings: Settings,
    store: Store | None = None,
    *,
    title: str,
    sign_in: Sequence[str] = (),
    home: str = "/",
    navigation: Sequence[tuple[str, str]] = (),
    keys: guard.Keys | None = None,
) -> Flask:
    """An app with guard, errors, headers, cookies, filters and the pages all services share.

    `title` is Vietnamese and stands on every page; `sign_in` names the kinds of key that may sign
    in to pages (none: no sign-in); `navigation` are (address, words) of the page head; `home` is
    where a sign-in leads.  Keys are looked up in `store` unless `keys` is given.
    """
    app = Flask(f"lienthong.{settings.service}", static_folder=None)
    app.json = _Json(app)
    app.config.update(SERVICE_TITLE=title, HOME=home, TRAP_HTTP_EXCEPTIONS=False)
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    security.install(app, settings)
    app.extensions[KEY] = WebState(
        settings=settings,
        kinds=tuple(sign_in),
        navigation=list(navigation),
    )
    doorkeys = keys if keys is not None else _keys_of(store)
    guard.install(app, guard.Guard(doorkeys, CSRFProtect(app)))
    reading.install(app)
    errors.install(app)
    filters.install(app)
    pages.install(app)
    return app


def _keys_of(store: Store | None) -> StoreKeys:
    if store is None:
        raise TypeError("create_app needs a store or keys")
    return StoreKeys(store)
