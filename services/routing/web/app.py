"""Builds routing's web: the API and pages of agencies."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, request

from services.routing.usecases.evidence import signer_of
from services.routing.usecases.rules import Rules
from services.routing.web import book, connection
from services.routing.web.api import blueprint as api_blueprint
from services.routing.web.coordination import AGENCIES, PAGE
from services.routing.web.door import Door
from services.routing.web.pages import blueprint as pages_blueprint
from shared.database import Store
from shared.identity.guard import current_or_none
from shared.messaging.metrics import Metrics
from shared.settings import Settings
from shared.web.api import create_api
from shared.web.app import create_app
from shared.web.state import state_of
from shared.web.words import msgid

TITLE = msgid("Nhiệm vụ của cơ quan")
HOME = "/nhiem-vu"
FOR_AGENCIES = (
    (HOME, msgid("Đang mở")),
    (f"{HOME}/sap-den-han", msgid("Sắp đến hạn")),
    (f"{HOME}/da-xong", msgid("Đã xong")),
    (book.PAGE, msgid("Sổ giao nhận")),
    (connection.PAGE, msgid("Kết nối")),
)
FOR_HEADS = (
    (PAGE, msgid("Điều phối")),
    (AGENCIES, msgid("Các cơ quan")),
    (book.PAGE, msgid("Sổ giao nhận")),
)


def create_web(
    settings: Settings, store: Store, rules: Rules, metrics: Metrics | None = None
) -> Flask:
    """The Flask app of routing."""
    app = create_app(
        settings,
        store,
        title=TITLE,
        metrics=metrics,
        sign_in=("agency",),
        home=HOME,
        navigation=FOR_AGENCIES,
        catalogues=(Path(__file__).parent / "translations",),
    )
    door = Door(store, rules, partial(signer_of, settings))
    state_of(app).name_of = door.agency_name
    app.context_processor(_navigation)
    api = create_api(
        app,
        "Liên Thông: agencies",
        about="Tasks of one agency and its answers. A key opens the tasks of its agency alone.",
        of=settings.service,
    )
    api.register_blueprint(api_blueprint(door))
    app.register_blueprint(pages_blueprint(door))
    return app


def _navigation() -> dict[str, Any]:
    """The head of each page: nobody is shown doors that do not open."""
    caller = current_or_none() if request.url_rule is not None else None
    return {"navigation": FOR_HEADS if caller and caller.kind == "desk" else FOR_AGENCIES}
