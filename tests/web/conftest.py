"""A tiny service to try the shared web parts on: one office each, on a database of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import marshmallow as ma
import pytest
import sqlalchemy as sa
from flask import Flask, abort, render_template_string
from flask.testing import FlaskClient

from shared.database import Store, make_engine
from shared.database.trouble import Contention
from shared.identity import keys
from shared.identity.guard import current, public, require
from shared.identity.limits import limited
from shared.kernel.clock import RealClock
from shared.kernel.errors import (
    BrokerAway,
    DatabaseAway,
    Fault,
    Forbidden,
    InvalidInput,
    NotAllowed,
    ParkNow,
    Transient,
)
from shared.kernel.ids import RandomIds
from shared.messaging.outbox import Outbox, stated_by
from shared.messaging.tables import Ledgers
from shared.settings import Settings
from shared.web.api import Blueprint, create_api
from shared.web.app import create_app
from shared.web.schemas import Instant, QueryInt, Schema, StrictBool, StrictInt, StrictText
from tests.staff import carry_here

PAGE = """
{% extends "lienthong/base.html" %}{% import "lienthong/macros.html" as lt %}
{% block title %}Bàn tiếp nhận{% endblock %}
{% block content %}
<h1>Hồ sơ 000.00.01.H20-220301-0001</h1>
<section class="card">
{{ lt.facts([("Thủ tục", "Liên thông đăng ký khai sinh, thường trú, cấp thẻ BHYT cho trẻ dưới 6 tuổi"),
 ("Trạng thái", lt.status(4)), ("Hẹn trả", lt.instant("2022-03-29T02:32:00Z")), ("Ghi chú", "")]) }}
</section>
<div class="columns">
<section class="card"><h2>Diễn biến</h2>{{ lt.timeline(events) }}</section>
<section class="card"><h2>Bổ sung</h2>
{{ lt.all_faults(faults, {"phone": "Số điện thoại"}) }}
<form method="post" action="/trang">{{ lt.csrf() }}
{{ lt.field("phone", "Số điện thoại", type="tel", required=true, hint="Mười chữ số", faults={"phone": ["Số cũ 11 chữ số: có phải 0356 123 456?"]}) }}
{{ lt.choose("procedure", "Thủ tục", [("2.000986", "Khai sinh"), ("1.009994", "Giấy phép xây dựng")]) }}
{{ lt.long_text("note", "Ghi chú") }}{{ lt.tick("sms", "Nhận tin nhắn SMS", checked=true) }}
<button type="submit">Gửi bổ sung</button></form></section></div>
<section class="card"><h2>Danh sách</h2><div class="scroll" tabindex="0" role="region" aria-label="Danh sách hồ sơ"><table class="stack"><thead><tr><th scope="col">Mã hồ sơ</th><th scope="col">Trạng thái</th><th scope="col">Hẹn trả</th></tr></thead><tbody>
{% for n in range(1, 11) %}<tr><th scope="row" data-label="Mã hồ sơ" class="code">000.00.01.H20-220301-{{ "%04d" % n }}</th><td data-label="Trạng thái">{{ lt.status(n) }}</td><td data-label="Hẹn trả">{{ "2022-03-29T02:32:00Z" | vn_datetime }}</td></tr>{% endfor %}
</tbody></table></div>{{ lt.pages(2, 5, address) }}</section>
{% endblock %}
"""


class NewNote(Schema):
    title = StrictText(required=True, longest=20)
    count = StrictInt(required=True, validate=ma.validate.Range(min=1))
    urgent = StrictBool(load_default=False)
    at = Instant(load_default=None, allow_none=True)


class Query(Schema):
    page = QueryInt(load_default=1)


def _add_api(app: Flask) -> None:
    api = create_api(app, "API thử")
    blue = Blueprint("notes", __name__, url_prefix="/api/v1", description="Notes")

    @blue.route("/notes", methods=["POST"])
    @require("desk")
    @blue.arguments(NewNote)
    @blue.response(201, NewNote)
    def add_note(note):
        return note

    @blue.route("/notes", methods=["GET"])
    @blue.arguments(Query, location="query")
    @blue.response(200)
    @require("desk", "agency")
    def list_notes(query):
        return {"office": current().bound_to, "page": query["page"]}

    @blue.route("/open", methods=["GET"])
    @blue.doc(security=[])
    @blue.response(200)
    @public
    def open_door():
        return {"open": True}

    api.register_blueprint(blue)


def _broken(kind: str):
    errors = {
        "many": InvalidInput([Fault("a", "Sai a.", "a is wrong"), Fault("b", "Sai b.", "b wrong")]),
        "move": NotAllowed("not now", vi="Chưa được.", allowed=["withdraw"]),
        "forbidden": Forbidden("not yours"),
        "away": DatabaseAway("gone"),
        "broker": BrokerAway("gone"),
        "contention": Contention("two writers stood in each other's way"),
        "later": Transient("not now"),
        "park": ParkNow("secret inner words 0912345678"),
        "bug": ZeroDivisionError("secret inner words 0912345678"),
    }
    if kind == "teapot":
        abort(418)
    raise errors[kind]


def _page() -> str:
    events = [
        {"at": "2022-03-01T01:30:00Z", "title": "Được tiếp nhận", "tone": "going"},
        {
            "at": "2022-03-02T03:00:00Z",
            "title": "Công an yêu cầu bổ sung",
            "text": "Thiếu tờ khai CT01.",
            "tone": "waiting",
        },
        {"at": "2022-03-04T03:00:00Z", "title": "Đã xử lý xong", "tone": "good"},
    ]
    faults = [Fault("phone", "Số điện thoại không hợp lệ.", "the phone number is not valid")]
    return render_template_string(
        PAGE, events=events, faults=faults, address="/trang?page={}".format
    )


def _add_pages(app: Flask) -> None:
    app.add_url_rule("/trang", "page", require("desk")(_page))
    app.add_url_rule("/trang", "post", require("desk")(lambda: "đã nhận"), methods=["POST"])
    app.add_url_rule("/api/v1/broken/<kind>", "broken", public(_broken))
    app.add_url_rule("/hong/<kind>", "broken_page", public(_broken))

    @limited("look-up", times=3, seconds=60)
    @public
    def look_up() -> str:
        return "ok"

    app.add_url_rule("/tra-cuu", "look_up", look_up)


def tiny_app(settings: Settings, store: Store) -> Flask:
    app = create_app(
        settings,
        store,
        title="Một cửa thành phố Cao Lãnh",
        sign_in=("desk",),
        home="/trang",
        navigation=[("/trang", "Hồ sơ"), ("/tra-cuu", "Tra cứu")],
    )
    _add_api(app)
    _add_pages(app)
    return app


@dataclass
class Tiny:
    """The tiny service with a key of each kind."""

    app: Flask
    store: Store
    settings: Settings
    desk: str
    agency: str

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def officer(self, *places: tuple[str, str]) -> FlaskClient:
        """A browser of somebody who signed in."""
        client = self.client()
        carry_here(client, self.app, *(places or (("officer", "ubnd-phuong-1"),)))
        return client

    def bearer(self, text: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {text or self.desk}"}


def settings_in(folder: Path, **more) -> Settings:
    return Settings(
        service="intake", data_dir=folder, database_url=f"sqlite:///{folder}/t.db", **more
    )


@pytest.fixture
def tiny(tmp_path):
    settings = settings_in(tmp_path)
    engine = make_engine(settings.database_url)
    metadata = sa.MetaData()
    Ledgers.define(metadata)
    keys.define(metadata)
    metadata.create_all(engine)
    store = Store(engine, Outbox(stated_by("intake")), clock=RealClock(), ids=RandomIds())
    with store.begin() as uow:
        _, desk = keys.issue(uow, kind="desk", bound_to="ubnd-phuong-1", label="Bàn 1")
        _, agency = keys.issue(uow, kind="agency", bound_to="cong-an-cao-lanh", label="CA")
    yield Tiny(tiny_app(settings, store), store, settings, desk, agency)
    store.close()
