"""Builds intake's web: the REST door, the desk's pages and the citizen's look-up."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, request

from services.intake.domain.papers import words
from services.intake.storage import staff
from services.intake.web.api import files as api_files
from services.intake.web.api import lookup as api_lookup
from services.intake.web.api import read, write
from services.intake.web.declared import cost, declared, legal_time
from services.intake.web.deps import KEY, Deps, agency_name, deps
from services.intake.web.pages import (
    account,
    acts,
    colleagues,
    correcting,
    desk,
    drafts,
    files,
    imports,
    linked,
    lookup,
    offline,
    oidc,
    papers,
    posting,
    report,
    result,
    signing,
    typed,
)
from services.intake.web.scripts import script
from shared.catalogue import Catalogue
from shared.database import Store
from shared.identity.guard import current_or_none, guard_of
from shared.identity.passes import Pass
from shared.kernel.clock import RealClock
from shared.messaging.metrics import Metrics
from shared.settings import Settings
from shared.web.api import create_api
from shared.web.app import create_app
from shared.web.pages import Files
from shared.web.state import state_of
from shared.web.words import msgid

FOR_DESKS = (
    ("/ho-so", msgid("Hồ sơ")),
    ("/ho-so/moi", msgid("Nộp mới")),
    ("/bao-cao", msgid("Báo cáo")),
    ("/tra-cuu", msgid("Tra cứu")),
)
#: Alt and this letter, on every page of a desk.
KEYS = {"/ho-so": "O", "/ho-so/moi": "N"}
FOR_HEADS = (
    *FOR_DESKS[:3],
    ("/nhiem-vu/dieu-phoi", msgid("Điều phối")),
    ("/can-bo", msgid("Cán bộ")),
    FOR_DESKS[3],
)
FOR_LEADERS = (("/bao-cao", msgid("Báo cáo")), ("/tra-cuu", msgid("Tra cứu")))
FOR_OTHERS = (("/tra-cuu", msgid("Tra cứu")),)
FOR_CITIZENS = (("/tra-cuu", msgid("Tra cứu")), ("/dang-nhap", msgid("Cán bộ")))
PAGES = (
    desk, drafts, offline, imports, acts, correcting, papers, files, linked, posting, lookup, result,
    report, signing, account, colleagues,
)  # fmt: skip
#: What templates know by these names.
KNOWN = {
    "motto": words.MOTTO, "blank": words.BLANK, "on_paper": words.ON_PAPER, "script": script,
}  # fmt: skip
ABOUT = msgid(
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
        title=msgid("Bộ phận Một cửa"),
        metrics=metrics,
        sign_in=("desk", "leader"),
        home="/",
        holds=partial(_holds, store),
        catalogues=(Path(__file__).parent / "translations",),
    )
    state_of(app).for_citizens = frozenset({"lookup", "result"})
    app.context_processor(_navigation)
    state_of(app).keys, state_of(app).name_of = KEYS, agency_name
    app.extensions[KEY] = Deps(store, catalogue)
    oidc.install(app, settings)
    api = create_api(app, msgid("Liên Thông – Tiếp nhận"), about=ABOUT)
    for door in (read, write, api_files, api_lookup):
        api.register_blueprint(door.blueprint())
    app.jinja_env.filters["pairs"] = _pairs
    app.jinja_env.filters["as_typed"] = lambda value, field: typed.shown(field, value)
    app.jinja_env.filters |= {
        "legal_time": legal_time,
        "cost": cost,
        "declared": declared,
        "numbered": words.numbered,
        "dated": lambda paper: words.dated(paper.place, paper.at),
        "block_kind": lambda block: type(block).__name__,
    }
    app.jinja_env.globals |= KNOWN | {"today": lambda: deps().today()}
    app.register_blueprint(_files())
    guard_of(app).public_endpoints.add("intake.static")
    app.after_request(offline.let_work)
    for room in PAGES:
        app.register_blueprint(room.blueprint())
    return app


def _holds(store: Store, shown: Pass) -> Pass | None:
    """The pass as it is now, by the real clock; None where the sign-in is over."""
    with store.query() as connection:
        return staff.holds(connection, shown, RealClock().now())


def _navigation() -> dict[str, Any]:
    """The head of each page: nobody is shown doors that do not open."""
    principal = current_or_none() if request.url_rule is not None else None
    if principal is None:
        return {"navigation": FOR_CITIZENS}
    if principal.kind == "desk":
        shown = FOR_HEADS if principal.role == "head" else FOR_DESKS
        more = {"page_scripts": offline.scripts(), "page_data": offline.page_data(principal)}
        return {"navigation": shown, **more}
    return {"navigation": FOR_LEADERS if principal.kind == "leader" else FOR_OTHERS}


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
