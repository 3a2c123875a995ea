from __future__ import annotations

import re

import pytest
from flask.views import MethodView

from shared.identity import keys
from shared.identity.guard import assert_every_route_is_guarded, public, require
from shared.kernel.errors import DatabaseAway

PUBLIC = {"notes.open_door", "broken", "broken_page", "look_up"}
HTML = {"Accept": "text/html"}


def token_in(page: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)


def signed_in(tiny, key=None):
    client = tiny.client()
    page = client.get("/dang-nhap").text
    answer = client.post(
        "/dang-nhap", data={"key": key or tiny.desk, "csrf_token": token_in(page), "next": ""}
    )
    return client, answer


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


def test_a_revoked_key_and_its_open_sessions_stop_at_once(tiny):
    client, _ = signed_in(tiny)
    assert client.get("/trang").status_code == 200
    with tiny.store.begin() as uow:
        keys.revoke(uow, tiny.desk.split("_")[1])
    assert client.get("/trang", headers=HTML).status_code == 303
    assert client.get("/api/v1/notes", headers=tiny.bearer()).status_code == 401


def test_a_page_sends_a_stranger_to_sign_in_and_back(tiny):
    client = tiny.client()
    answer = client.get("/trang?loc=1", headers=HTML)
    assert answer.status_code == 303
    assert answer.location == "/dang-nhap?next=/trang?loc%3D1"
    page = client.get(answer.location).text
    assert "Khóa truy cập" in page
    into = client.post(
        "/dang-nhap",
        data={"key": tiny.desk, "csrf_token": token_in(page), "next": "/trang?loc=1"},
    )
    assert into.location == "/trang?loc=1"
    assert "ubnd-phuong-1" in client.get("/trang").text


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil", "/a\nb"])
def test_signing_in_never_leads_to_another_host(tiny, target):
    client = tiny.client()
    token = token_in(client.get("/dang-nhap").text)
    answer = client.post("/dang-nhap", data={"key": tiny.desk, "csrf_token": token, "next": target})
    assert answer.location == "/trang"


def test_a_wrong_key_or_one_of_another_kind_does_not_sign_in(tiny):
    for text in ("lt_x_y", "đây là khóa", tiny.agency):
        client, answer = signed_in(tiny, text)
        assert answer.status_code == 403
        assert "Khóa không đúng" in answer.text
        assert text not in answer.text
        assert client.get("/trang", headers=HTML).status_code == 303


def test_the_cookie_is_of_this_service_and_never_holds_the_secret(tiny):
    _, answer = signed_in(tiny)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("lienthong-intake=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert tiny.desk.split("_")[2] not in cookie


def test_signing_out_closes_the_pages(tiny):
    client, _ = signed_in(tiny)
    token = token_in(client.get("/trang").text)
    client.post("/dang-xuat", data={"csrf_token": token})
    assert client.get("/trang", headers=HTML).status_code == 303


def test_a_page_form_without_its_token_is_refused(tiny):
    client, _ = signed_in(tiny)
    refused = client.post("/trang", data={"a": 1}, headers=HTML)
    assert refused.status_code == 400
    assert "tải lại trang" in refused.text
    token = token_in(client.get("/trang").text)
    assert client.post("/trang", data={"csrf_token": token}).text == "đã nhận"
    assert client.post("/trang", headers={"X-CSRFToken": token}).text == "đã nhận"


def test_a_session_may_not_write_through_the_api_without_a_token_but_a_key_may(tiny):
    client, _ = signed_in(tiny)
    note = {"title": "a", "count": 1}
    assert client.post("/api/v1/notes", json=note).status_code == 400
    assert client.post("/api/v1/notes", json=note, headers=tiny.bearer()).status_code == 201


def test_signing_in_is_limited(tiny):
    codes = [signed_in(tiny, "lt_x_y")[1].status_code for _ in range(11)]
    assert codes == [403] * 10 + [429]


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
    assert answer.headers["HX-Redirect"].startswith("/dang-nhap")


def test_a_page_still_says_so_when_the_database_is_away(tiny, monkeypatch):
    client, _ = signed_in(tiny)

    def away(*_):
        raise DatabaseAway("gone")

    monkeypatch.setattr(keys, "find", away)
    answer = client.get("/trang", headers=HTML)
    assert answer.status_code == 503
    assert "Hồ sơ đã nhận không bị mất" in answer.text
    assert int(answer.headers["Retry-After"]) > 0
    monkeypatch.undo()
    assert client.get("/trang").status_code == 200


def test_a_page_that_is_not_there_still_knows_who_is_signed_in(tiny):
    client, _ = signed_in(tiny)
    assert "ubnd-phuong-1" in client.get("/khong-co", headers=HTML).text


def test_require_without_a_kind_is_a_mistake():
    with pytest.raises(TypeError):
        require()
