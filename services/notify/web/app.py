"""Builds notify's web: the API and pages of operators."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flask import Flask

from services.notify.channels.http import HttpChannel
from services.notify.domain.composing import Composer
from services.notify.web.api import blueprint as api_blueprint
from services.notify.web.bounces import Returns
from services.notify.web.bounces import blueprint as bounces_blueprint
from services.notify.web.ending import blueprint as ending_blueprint
from services.notify.web.pages import blueprint as pages_blueprint
from services.notify.web.receipts import blueprint as receipts_blueprint
from services.notify.web.stops import blueprint as stops_blueprint
from services.notify.web.texts import blueprint as templates_blueprint
from shared.database import Store
from shared.messaging.metrics import Metrics
from shared.settings import Settings
from shared.web.api import create_api
from shared.web.app import create_app
from shared.web.state import state_of
from shared.web.words import msgid

TITLE = msgid("Tin nhắn đến công dân")

NAVIGATION = (
    ("/tin-nhan", msgid("Tin nhắn")),
    ("/tin-nhan/tu-choi", msgid("Từ chối")),
    ("/tin-nhan/mau", msgid("Mẫu tin")),
    ("/tin-nhan/chi-phi", msgid("Chi phí")),
    ("/docs/notify", "API"),
)


def create_web(
    settings: Settings,
    store: Store,
    composer: Composer,
    metrics: Metrics | None = None,
    gateways: Mapping[str, HttpChannel] | None = None,
    returns: Returns | None = None,
) -> Flask:
    """The Flask app of notify; `gateways` call back when they know what became of a text.

    With `returns` a mail server hands over what came back.
    """
    app = create_app(
        settings,
        store,
        title=TITLE,
        metrics=metrics,
        sign_in=("operator",),
        home="/tin-nhan",
        navigation=NAVIGATION,
        catalogues=(Path(__file__).parent / "translations",),
    )
    state_of(app).for_citizens = frozenset({"ending"})
    api = create_api(
        app,
        "Liên Thông: notify",
        about="Messages to citizens, for operators. Addresses masked.",
        of=settings.service,
    )
    api.register_blueprint(api_blueprint(store))
    app.register_blueprint(pages_blueprint(store))
    app.register_blueprint(stops_blueprint(store))
    app.register_blueprint(templates_blueprint(store, composer))
    app.register_blueprint(ending_blueprint(store))
    if gateways:
        app.register_blueprint(receipts_blueprint(store, gateways))
    if returns:
        app.register_blueprint(bounces_blueprint(store, returns))
    return app
