"""Builds intake's web: the REST door, the desk's pages and the citizen's look-up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Flask, request

from services.intake.domain.papers import words
from services.intake.web.api import read, write
from services.intake.web.deps import KEY, Deps, deps
from services.intake.web.pages import acts, desk, drafts, imports, lookup, papers, typed
from shared.catalogue import Catalogue
from shared.database import Store
from shared.identity.guard import current_or_none, guard_of
from shared.messaging.metrics import Metrics
from shared.settings import Settings
from shared.web.api import create_api
from shared.web.app import create_app
from shared.web.pages import Files

FOR_DESKS = (
    ("/ho-so", "Hồ sơ"),
    ("/ho-so/moi", "Nộp mới"),
    ("/bao-cao", "Báo cáo"),
    ("/tra-cuu", "Tra cứu"),
)
FOR_CITIZENS = (("/tra-cuu", "Tra cứu"), ("/dang-nhap", "Cán bộ"))
ABOUT = (
    "Nộp và theo dõi hồ sơ một cửa. Mỗi khóa chỉ thấy hồ sơ của một bộ phận. "
    "Mọi lệnh ghi nhận Idempotency-Key."
)


def create_web(
    settings: Settings, store: Store, catalogue: Catalogue, metrics: Metrics | None = None
) -> Flask:
    """The WSGI app of intake."""
    app = create_app(
        settings,
        store,
        title="Bộ phận Một cửa",
        metrics=metrics,
        sign_in=("desk",),
        home="/",
    )
    app.context_processor(_navigation)
    app.extensions[KEY] = Deps(store, catalogue)
    api = create_api(app, "Liên Thông – Tiếp nhận", about=ABOUT)
    api.register_blueprint(read.blueprint())
    api.register_blueprint(write.blueprint())
    app.jinja_env.filters["pairs"] = _pairs
    app.jinja_env.filters["as_typed"] = lambda value, field: typed.shown(field, value)
    app.jinja_env.filters |= {
        "legal_time": words.duration,
        "cost": words.fee,
        "declared": lambda value, field: words.declared(field, value),
        "dated": lambda paper: words.dated(paper.place, paper.at),
        "block_kind": lambda block: type(block).__name__,
    }
    app.jinja_env.globals |= {"motto": words.MOTTO, "blank": words.BLANK}
    app.jinja_env.globals["today"] = lambda: deps().today()
    app.register_blueprint(_files())
    guard_of(app).public_endpoints.add("intake.static")
    for room in (desk, drafts, imports, acts, papers, lookup):
        app.register_blueprint(room.blueprint())
    return app


def _navigation() -> dict[str, Any]:
    """The head of each page: a citizen is not shown doors that do not open."""
    signed_in = request.url_rule is not None and current_or_none() is not None
    return {"navigation": FOR_DESKS if signed_in else FOR_CITIZENS}


def _pairs(values: Iterable[Any]) -> list[tuple[Any, str]]:
    """Values as the choices of a list, each under its own name."""
    return [(value, str(value)) for value in values]


def _files() -> Files:
    """Intake's own templates and style sheet."""
    return Files(
        "intake",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/intake",
    )
