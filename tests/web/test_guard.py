from __future__ import annotations

import re

import pytest
from flask.views import MethodView

from shared.identity import keys
from shared.identity.guard import assert_every_route_is_guarded, guard_of, public, require
from shared.kernel.errors import DatabaseAway

PUBLIC = {"notes.open_door", "broken", "broken_page", "look_up"}
HTML = {"Accept": "text/html"}


def token_in(page: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)


def test_a_key_opens_what_its_kind_may_open(tiny):
    client = tiny.client()
    assert client.get("/api/v1/notes").status_code == 401
    answer = client.get("/api/v1/notes", headers=tiny.bearer())
    assert answer.json == {"office": "ubnd-phuong-1", "page": 1}
    agency = client.get("/api/v1/notes?page=3", headers=tiny.bearer(tiny.agency))
    assert agency.json == {"office": "cong-an-cao-lanh", "page": 3}
    refused = client.post("/api/v1/notes", json={}, headers=tiny.bearer(tiny.agency))
    assert refused.status_code == 403


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic abc", "Bearer lt_nobody_x", "Bearer đ", "Bearer " + "x" * 999],
)
def test_a_wrong_key_is_401_with_the_way_to_give_one(tiny, header):
    answer = tiny.client().get("/api/v1/notes", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_stranger_is_refused_before_any_argument_is_read(tiny):
    answer = tiny.client().post("/api/v1/notes", data="{", content_type="application/json")
    assert answer.status_code == 401


def test_a_revoked_key_stops_at_once(tiny):
    with tiny.store.begin() as uow:
        keys.revoke(uow, tiny.desk.split("_")[1])
    assert tiny.client().get("/api/v1/notes", headers=tiny.bearer()).status_code == 401


def test_a_page_sends_a_stranger_to_sign_in_and_says_where_they_wanted_to_go(tiny):
    answer = tiny.client().get("/trang?loc=1", headers=HTML)
    assert answer.status_code == 303
    assert answer.location == "/dang-nhap?next=/trang?loc%3D1"
    assert "Nguyễn Thị Hoa" in tiny.officer().get("/trang").text


def test_a_form_that_a_stranger_sends_goes_with_them_to_sign_in(tiny):
    answer = tiny.client().post("/trang", data={"a": 1}, headers=HTML)
    assert (answer.status_code, answer.location) == (307, "/phien?next=/trang")


def test_a_pass_of_another_kind_of_work_opens_nothing_here(tiny):
    client = tiny.officer(("agency", "ubnd-phuong-1"), ("leader", "*"))
    answer = client.get("/trang", headers=HTML)
    assert answer.status_code == 403
    assert "không mở được trang này" in answer.text


def test_of_several_places_the_one_counts_that_opens_the_door(tiny):
    client = tiny.officer(
        ("leader", "*"), ("officer", "ubnd-phuong-1"), ("officer", "ubnd-phuong-2")
    )
    assert client.get("/api/v1/notes").json["office"] == "ubnd-phuong-1"


def test_a_page_form_without_its_token_is_refused(tiny):
    client = tiny.officer()
    refused = client.post("/trang", data={"a": 1}, headers=HTML)
    assert refused.status_code == 400
    assert "tải lại trang" in refused.text
    token = token_in(client.get("/trang").text)
    assert client.post("/trang", data={"csrf_token": token}).text == "đã nhận"
    assert client.post("/trang", headers={"X-CSRFToken": token}).text == "đã nhận"


def test_a_session_may_not_write_through_the_api_without_a_token_but_a_key_may(tiny):
    client = tiny.officer()
    note = {"title": "a", "count": 1}
    assert client.post("/api/v1/notes", json=note).status_code == 400
    assert client.post("/api/v1/notes", json=note, headers=tiny.bearer()).status_code == 201


def test_looking_up_is_limited_per_caller_and_says_when_to_try_again(tiny):
    client = tiny.client()
    assert [client.get("/tra-cuu").status_code for _ in range(3)] == [200] * 3
    refused = client.get("/tra-cuu")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 61
    other = client.get("/tra-cuu", environ_base={"REMOTE_ADDR": "10.0.0.9"})
    assert other.status_code == 200


def test_every_route_of_the_tiny_app_names_its_rule(tiny):
    assert_every_route_is_guarded(tiny.app, PUBLIC)


def test_a_public_route_must_be_named_by_the_test(tiny):
    with pytest.raises(AssertionError, match="look_up"):
        assert_every_route_is_guarded(tiny.app, PUBLIC - {"look_up"})


def test_a_route_without_a_rule_is_found_and_never_called(tiny):
    tiny.app.add_url_rule("/quen", "forgotten", lambda: "secret")
    with pytest.raises(AssertionError, match="GET /quen"):
        assert_every_route_is_guarded(tiny.app, PUBLIC)
    answer = tiny.client().get("/quen", headers=tiny.bearer())
    assert answer.status_code == 403
    assert "secret" not in answer.text


def test_a_view_class_names_rules_per_method_or_for_all(tiny):
    @require("agency")
    class Task(MethodView):
        def get(self):
            return "task"

        @public
        def post(self):
            return "any"

    tiny.app.add_url_rule("/api/v1/task", view_func=Task.as_view("task"))
    assert_every_route_is_guarded(tiny.app, PUBLIC | {"task"})
    client = tiny.client()
    assert client.get("/api/v1/task", headers=tiny.bearer()).status_code == 403
    assert client.head("/api/v1/task", headers=tiny.bearer(tiny.agency)).status_code == 200
    assert client.post("/api/v1/task").text == "any"


def test_htmx_is_told_to_go_to_the_sign_in_page(tiny):
    answer = tiny.client().get("/trang", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/phien")


def test_a_page_still_says_so_when_the_database_is_away(tiny, monkeypatch):
    client = tiny.officer()

    def away(*_):
        raise DatabaseAway("gone")

    monkeypatch.setattr(guard_of(tiny.app).checkpoint, "holds", away)
    answer = client.get("/trang", headers=HTML)
    assert answer.status_code == 503
    assert "Hồ sơ đã nhận không bị mất" in answer.text
    assert int(answer.headers["Retry-After"]) > 0
    monkeypatch.undo()
    assert client.get("/trang").status_code == 200


def test_a_page_that_is_not_there_still_knows_who_is_signed_in(tiny):
    client = tiny.officer()
    assert "ubnd-phuong-1" in client.get("/khong-co", headers=HTML).text


def test_require_without_a_kind_is_a_mistake():
    with pytest.raises(TypeError):
        require()
