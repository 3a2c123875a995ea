from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import shared.web
from shared.events import asyncapi
from shared.identity.guard import guard_of
from shared.identity.limits import Limit, Limiter
from shared.identity.passes import LASTS
from shared.kernel.clock import RealClock
from shared.kernel.errors import SettingsError
from shared.web.app import create_app
from shared.web.security import secret_key
from tests.staff import carry_here
from tests.web.conftest import tiny_app

TYPEFACES = ["be-vietnam-pro-1.002-regular.woff2", "be-vietnam-pro-1.002-semibold.woff2"]
STATIC = Path(shared.web.__file__).parent / "static"
TEMPLATES = Path(shared.web.__file__).parent / "templates"


def test_every_answer_carries_the_security_headers(tiny):
    for path in ("/trang", "/api/v1/notes", "/khong-co", "/docs", "/lienthong/lienthong.css"):
        headers = tiny.client().get(path).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"


def test_pages_are_not_kept_by_anybody_and_static_files_are(tiny):
    assert tiny.officer().get("/trang").headers["Cache-Control"] == "no-store"
    assert "no-store" not in tiny.client().get("/lienthong/pico.min.css").headers["Cache-Control"]


def test_over_https_the_cookie_is_secure_and_bound_to_the_host(tiny):
    settings = replace(tiny.settings, cookie_secure=True)
    app = tiny_app(settings, tiny.store)
    guard_of(app).checkpoint.holds = lambda shown: shown
    client = app.test_client()
    carry_here(client, app, ("officer", "ubnd-phuong-1"), made=RealClock().now() - LASTS)
    answer = client.get("/trang", base_url="https://localhost", headers=_shown(client))
    cookies = answer.headers.getlist("Set-Cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {
        "__Host-lienthong-form",
        "__Host-lienthong-pass",
    }
    for cookie in cookies:
        assert "; Secure" in cookie
        assert "; HttpOnly" in cookie
        assert "; SameSite=Lax" in cookie
        assert "Path=/" in cookie


def _shown(client) -> dict[str, str]:
    """The cookies of a test client, which itself keeps those of https for https alone."""
    return {"Cookie": "; ".join(f"{c.key}={c.value}" for c in client._cookies.values())}


def test_the_services_of_one_address_share_their_cookies_and_their_secret(tiny):
    apps = [
        create_app(replace(tiny.settings, service=service), tiny.store, title="Thử")
        for service in ("intake", "routing", "notify")
    ]
    for name in ("SESSION_COOKIE_NAME", "SECRET_KEY"):
        assert len({app.config[name] for app in apps}) == 1


def test_the_secret_is_made_once_and_kept_for_its_owner_alone(tmp_path, tiny):
    settings = replace(tiny.settings, data_dir=tmp_path / "new")
    first = secret_key(settings)
    assert len(first) >= 32
    assert secret_key(settings) == first
    kept = tmp_path / "new" / "pages.secret"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in kept.parent.iterdir()] == ["pages.secret"]


def test_a_short_secret_is_refused(tiny):
    with pytest.raises(SettingsError):
        secret_key(replace(tiny.settings, secret_key="short"))


def test_behind_a_proxy_the_caller_is_the_one_the_proxy_names(tiny):
    seen = []
    app = create_app(replace(tiny.settings, proxy_hops=1), tiny.store, title="Thử")
    app.before_request_funcs[None].insert(0, lambda: seen.append(_address()))

    def _address():
        from flask import request

        return request.remote_addr

    app.test_client().get("/x", headers={"X-Forwarded-For": "1.2.3.4, 9.9.9.9"})
    assert seen == ["9.9.9.9"]


def test_the_vendored_files_are_those_of_their_packages():
    sums = dict(reversed(line.split()) for line in (STATIC / "SHA256SUMS").read_text().splitlines())
    assert set(sums) == {"pico.min.css", "htmx.min.js", *TYPEFACES}
    for name, expected in sums.items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == expected
    assert (STATIC / "pico.LICENSE.md").exists()
    assert (STATIC / "htmx.LICENSE").exists()
    assert "SIL OPEN FONT LICENSE" in (STATIC / "be-vietnam-pro.OFL.txt").read_text()


def test_the_typeface_comes_from_the_service_and_is_kept_for_a_year(tiny):
    client = tiny.officer()
    page = client.get("/trang")
    assert "font-src 'self';" in page.headers["Content-Security-Policy"]
    ahead = re.findall(r'rel="preload" href="([^"]+)" as="font"', page.text)
    named = re.findall(r'src: url\("([^"]+)"\)', (STATIC / "lienthong.css").read_text())
    assert ahead == [f"/lienthong/{name}" for name in named]
    assert named == TYPEFACES
    for address in ahead:
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.mimetype == "font/woff2"
        assert answer.cache_control.max_age == 365 * 24 * 3600
        assert len(answer.data) < 16_000


def test_a_static_file_is_kept_for_a_year_under_the_address_of_this_version_alone(tiny):
    client = tiny.officer()
    page = client.get("/trang").text
    sheets = re.findall(r'href="(/lienthong/lienthong.css[^"]*)"', page)
    kept = client.get(sheets[0])
    assert kept.cache_control.max_age == 365 * 24 * 3600
    assert kept.cache_control.public
    for other in ("/lienthong/lienthong.css", "/lienthong/lienthong.css?v=0123456789"):
        assert client.get(other).cache_control.no_cache
    assert client.get("/lienthong/none.css?v=None").status_code == 404
    assert client.get("/trang").cache_control.no_store


def test_nothing_on_a_page_comes_from_elsewhere_or_runs_in_line():
    own = [*TEMPLATES.rglob("*.html"), *STATIC.glob("lienthong.*")]
    for path in own:
        text = path.read_text(encoding="utf-8")
        outside = set(re.findall(r"https?://[^\s\"')]+", text)) - {"http://www.w3.org/2000/svg"}
        assert outside == set(), path
        assert not re.search(r"\son\w+=|\sstyle=|<script(?![^>]*src=)|<style", text), path


@pytest.mark.parametrize("path", ["/docs", "/docs/events"])
def test_a_page_of_the_contract_needs_only_our_own_files(tiny, path):
    client = tiny.client()
    page = client.get(path)
    assert page.status_code == 200
    found = re.findall(r'<(?:link|script|img)[^>]*?(?:src|href)="([^"#]+)"', page.text)
    assert len(set(found)) > 4
    for address in found:
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize(
    ("path", "place"), [("/docs", "schema-Problem"), ("/docs/events", "event-task.assigned")]
)
def test_every_place_that_a_page_of_the_contract_points_to_is_on_it(tiny, path, place):
    page = tiny.client().get(path).text
    there = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= there
    assert place in there


def test_the_contract_of_events_is_told_to_programs_without_a_key(tiny):
    answer = tiny.client().get("/asyncapi.json")
    assert answer.content_type.startswith("application/json")
    assert answer.json == json.loads(asyncapi.text())


def test_a_window_of_a_limit_moves_on():
    at = [0.0]
    limiter = Limiter(now=lambda: at[0])
    limit = Limit("look-up", times=2, seconds=60)
    assert limiter.wait(limit, "a") == 0
    at[0] = 30
    assert limiter.wait(limit, "a") == 0
    assert limiter.wait(limit, "a") == 30
    assert limiter.wait(limit, "b") == 0
    at[0] = 60
    assert limiter.wait(limit, "a") == 0
    assert limiter.wait(limit, "a") == 30
