"""The city's own sign-in (OpenID Connect), against a provider of others' making and a false one."""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
import time
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import requests
from click.testing import CliRunner
from flask import Flask, jsonify, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from oidc_provider_mock import User, run_server_in_thread
from werkzeug.serving import make_server

from services.commands.staff import staff as command
from services.intake.storage import staff as table
from services.intake.usecases import staff
from services.intake.web.pages import provider
from shared.kernel.errors import InvalidInput, SettingsError
from tests.intake.rig import Desk
from tests.intake.test_sign_in import HTML, Browser, hidden

# The provider of others' making leans on what Authlib is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SITE = "http://motcua.test"
START, BACK = "/dang-nhap/thanh-pho", "/dang-nhap/thanh-pho/ve"
CLIENT = {
    "oidc_client_id": "mot-cua",
    "oidc_client_secret": "s3cret-of-ours",
    "public_url": SITE,
}
HOA = User(sub="f3a1", claims={"name": "Nguyễn Thị Hoa"})


@pytest.fixture(scope="module")
def city():
    with run_server_in_thread(require_nonce=True, user_claims=[HOA]) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def joined(embedded, city):
    """An intake whose city has a sign-in of its own."""
    made = Desk(embedded, oidc_issuer=city, **CLIENT)
    yield made
    made.close()


def away(browser, target=""):
    """Press the button; where the browser is sent."""
    answer = browser.get(f"{START}?next={target}" if target else START)
    assert answer.status_code == 302, answer.text
    return answer.location


def there(location, subject="f3a1", action="authorize"):
    """Sign in at the provider; the path and query that the browser comes back to."""
    answer = requests.post(
        location, data={"sub": subject, "action": action}, allow_redirects=False, timeout=20
    )
    assert answer.headers["Location"].startswith(f"{SITE}{BACK}?")
    return answer.headers["Location"].removeprefix(SITE)


def opens(desk, city, login="hoa", subject="f3a1"):
    """Join an account to an identity as the operator does."""
    with desk.store.begin() as uow:
        staff.join(uow, staff.of_login(uow, login), f"{city} {subject}")


def test_an_identity_opens_the_account_that_it_was_joined_to(joined, city):
    person, _ = joined.person()
    opens(joined, city)
    browser = Browser(joined)
    assert START in browser.get("/dang-nhap?next=/ho-so").text
    asked = parse_qs(urlsplit(location := away(browser, "/ho-so")).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{SITE}{BACK}"]
    assert {"nonce", "state"} <= asked.keys()
    assert "prompt" not in asked  # the provider can sign people out
    answer = browser.get(there(location))
    assert (answer.status_code, answer.location) == (303, "/ho-so")
    assert "Nguyễn Thị Hoa" in browser.get("/ho-so").text
    with joined.store.read() as connection:
        assert table.by_id(connection, person).subject == f"{city} f3a1"


def test_a_stranger_to_us_is_asked_once_for_the_account_and_then_never_again(joined):
    _, password = joined.person()
    browser = Browser(joined)
    page = browser.get(there(away(browser, "/ho-so"))).text
    assert "Nguyễn Thị Hoa</strong> chưa được nối" in page
    data = dict(hidden(page)) | {"login": "hoa", "password": password}
    assert browser.post("/dang-nhap", data).location == "/ho-so"
    again = Browser(joined)
    assert again.get(there(away(again))).location == "/"
    assert "Nguyễn Thị Hoa" in again.get("/ho-so").text


def test_whoever_signs_in_next_at_the_same_computer_is_not_joined_to_an_identity_left_there(joined):
    """One goes through the city's sign-in and leaves; a colleague signs in by name and password."""
    joined.person()
    other, password = joined.person()
    browser = Browser(joined)
    browser.get(there(away(browser)))
    browser.enter("hoa2", password)
    with joined.store.read() as connection:
        assert table.by_id(connection, other).subject is None


def test_an_identity_is_joined_after_the_second_factor_too(joined, city):
    person, password = joined.person()
    secret = pyotp.random_base32()
    with joined.store.begin() as uow:
        table.change(uow.connection, person, totp=secret)
    browser = Browser(joined)
    page = browser.get(there(away(browser))).text
    step = browser.post("/dang-nhap", dict(hidden(page)) | {"login": "hoa", "password": password})
    code = {"code": pyotp.TOTP(secret).now()}
    assert browser.post("/dang-nhap/ma", dict(hidden(step.text)) | code).status_code == 303
    with joined.store.read() as connection:
        assert table.by_id(connection, person).subject == f"{city} f3a1"


def test_an_identity_opens_one_account_only(joined, city):
    joined.person()
    _, password = joined.person()
    browser = Browser(joined)
    page = browser.get(there(away(browser))).text
    opens(joined, city)  # somebody else's meanwhile
    data = dict(hidden(page)) | {"login": "hoa2", "password": password}
    answer = browser.post("/dang-nhap", data)
    assert answer.status_code == 422
    assert "đã nối với một tài khoản khác" in answer.text
    assert browser.get("/ho-so").location.startswith("/dang-nhap")
    with pytest.raises(InvalidInput):
        opens(joined, city, "hoa2")


@pytest.mark.parametrize("forged", ["x", "x" * 5000, "eyJhIjoxfQ.aaaa.bbbb", "\ud7ff"])
def test_a_forged_identity_in_the_form_joins_nothing(joined, forged):
    person, password = joined.person()
    browser = Browser(joined)
    data = {"login": "hoa", "password": password, "noi": forged}
    assert browser.post("/dang-nhap", data).status_code == 303
    with joined.store.read() as connection:
        assert table.by_id(connection, person).subject is None


def test_a_closed_account_stays_closed(joined, city):
    joined.person()
    opens(joined, city)
    with joined.store.begin() as uow:
        staff.disable(uow, "hoa")
    browser = Browser(joined)
    answer = browser.get(there(away(browser)))
    assert answer.status_code == 403
    assert "đã đóng" in answer.text


def test_a_link_of_somebody_else_does_not_sign_one_in_as_them(joined, city):
    """A code that was given to another browser: state is this browser's own."""
    joined.person()
    opens(joined, city)
    stranger, victim = Browser(joined), Browser(joined)
    link = there(away(stranger))
    answer = victim.get(link)
    assert answer.status_code == 403
    assert "Chưa đăng nhập được" in answer.text
    assert victim.get("/ho-so").location.startswith("/dang-nhap")
    assert stranger.get(link).status_code == 303
    assert stranger.get(link).status_code == 403  # nor twice


def test_who_says_no_there_is_back_at_the_sign_in(joined):
    browser = Browser(joined)
    answer = browser.get(there(away(browser), action="deny"))
    assert answer.status_code == 403
    assert 'type="password"' in answer.text


def test_signing_out_here_signs_out_there(joined, city):
    joined.person()
    opens(joined, city)
    browser = Browser(joined)
    browser.get(there(away(browser)))
    page = browser.post("/dang-xuat").text
    address = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page)[1]
    asked = parse_qs(urlsplit(address.replace("&amp;", "&")).query)
    assert address.startswith(f"{city}/oauth2/end_session?")
    assert asked == {"client_id": ["mot-cua"], "post_logout_redirect_uri": [f"{SITE}/dang-nhap"]}
    assert browser.get("/ho-so").location.startswith("/dang-nhap")


def test_a_form_that_waits_is_sent_after_signing_in_in_another_tab(joined, city):
    joined.person()
    opens(joined, city)
    browser = Browser(joined)
    page = browser.post("/phien?next=/ho-so/moi", {"so": "1", "ten": "Lê Văn Tám"}).text
    assert 'target="_blank"' in page
    carried = dict(hidden(page))
    early = browser.post("/dang-nhap/tiep", carried)
    assert early.status_code == 403
    assert dict(hidden(early.text))["giu.ten"] == "Lê Văn Tám"
    browser.get(there(away(browser)))
    from_elsewhere = {"headers": {"Origin": "https://evil.example", **HTML}}
    old = {**carried, "giu.ten": "Kẻ lạ"}
    answer = browser.client.post("/dang-nhap/tiep", data=old, **from_elsewhere)
    assert answer.location == "/dang-nhap"
    own = {"headers": {"Origin": SITE, **HTML}}
    page = browser.client.post("/dang-nhap/tiep", data=carried, **own).text
    assert 'action="/ho-so/moi"' in page
    assert dict(hidden(page))["ten"] == "Lê Văn Tám"


def test_without_such_a_sign_in_nothing_is_offered(embedded_desk):
    browser = Browser(embedded_desk)
    assert START not in browser.get("/dang-nhap").text
    assert browser.get(START).status_code == 404
    assert browser.get(f"{BACK}?code=x&state=y").location == "/dang-nhap"


def test_half_a_setting_is_refused_at_the_start(embedded):
    with pytest.raises(SettingsError, match="LIENTHONG_OIDC_CLIENT_SECRET, LIENTHONG_PUBLIC_URL"):
        Desk(embedded, oidc_issuer="https://x.example", oidc_client_id="mot-cua")


def test_the_operator_joins_and_parts_by_command(joined, city, monkeypatch):
    person, _ = joined.person()
    settings = joined.service.web.extensions["lienthong"].settings
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", settings.database_url)
    run = CliRunner().invoke
    assert "OIDC_ISSUER is not set" in run(command, ["join", "hoa", "f3a1"]).output
    monkeypatch.setenv("LIENTHONG_OIDC_ISSUER", city)
    assert run(command, ["join", "hoa", "f3a1"], catch_exceptions=False).exit_code == 0
    assert "+thành phố/city" in run(command, ["list"]).output
    browser = Browser(joined)
    assert browser.get(there(away(browser))).status_code == 303
    assert run(command, ["part", "hoa"], catch_exceptions=False).exit_code == 0
    assert browser.get("/ho-so").location.startswith("/dang-nhap")  # at once
    with joined.store.read() as connection:
        assert table.by_id(connection, person).subject is None


# --- a provider that is away, slow or false -------------------------------------------------------


def test_a_provider_that_is_away_is_said_and_the_password_still_opens(embedded, monkeypatch):
    monkeypatch.setattr(provider, "_ANSWERS_WITHIN", 0.5)
    silent = socket.create_server(("127.0.0.1", 0))  # takes the line and never answers
    closed = socket.create_server(("127.0.0.1", 0))
    closed_port = closed.getsockname()[1]
    closed.close()
    for port in (silent.getsockname()[1], closed_port):
        made = Desk(embedded, oidc_issuer=f"http://127.0.0.1:{port}", **CLIENT)
        _, password = made.person(login=f"hoa{port}")
        browser = Browser(made)
        began = time.monotonic()
        answer = browser.get(START)
        assert answer.status_code == 503
        assert "không trả lời" in answer.text
        assert browser.enter(f"hoa{port}", password).status_code == 303
        assert browser.post("/dang-xuat").location == "/dang-nhap"
        assert time.monotonic() - began < 15
        made.close()
    silent.close()


class False_:  # noqa: N801 - a false provider
    """A provider whose every answer can be spoiled: `spoil` changes claims, key or header."""

    def __init__(self):
        self.key, self.other = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
        self.spoilt = "nothing"
        self.nonce = ""
        app = Flask("false")
        app.add_url_rule("/.well-known/openid-configuration", "meta", self._meta)
        app.add_url_rule("/keys", "keys", lambda: jsonify(keys=[self.key.as_dict(private=False)]))
        app.add_url_rule("/token", "token", self._token, methods=["POST"])
        self.server = make_server("127.0.0.1", 0, app)
        self.url = f"http://127.0.0.1:{self.server.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _meta(self):
        return jsonify(
            issuer=self.url, authorization_endpoint=f"{self.url}/authorize",
            token_endpoint=f"{self.url}/token", jwks_uri=f"{self.url}/keys",
            id_token_signing_alg_values_supported=["RS256"],
        )  # fmt: skip

    def _token(self):
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": "mot-cua", "sub": "f3a1", "iat": now, "exp": now + 300,
            "nonce": self.nonce,
        }  # fmt: skip
        spoil = {
            "audience": {"aud": "another"}, "expired": {"iat": now - 9000, "exp": now - 8000},
            "nonce": {"nonce": "another"}, "issuer": {"iss": "https://another.example"},
            "nobody": {"sub": ""}, "a book": {"sub": "x" * 9000},
        }  # fmt: skip
        claims |= spoil.get(self.spoilt, {})
        if self.spoilt == "no claims":
            return jsonify(access_token="x", token_type="Bearer")
        if self.spoilt == "no json":
            return "<html>", 200
        if self.spoilt == "an error":
            return jsonify(error="invalid_grant"), 400
        key = self.other if self.spoilt == "signature" else self.key
        token = jwt.encode({"alg": "RS256"}, claims, key)
        if self.spoilt == "unsigned":
            parts = [json.dumps({"alg": "none"}), json.dumps(claims)]
            plain = [
                base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts
            ]
            token = f"{plain[0]}.{plain[1]}."
        assert request.form["code_verifier"]
        return jsonify(access_token="x", token_type="Bearer", id_token=token)


@pytest.fixture(scope="module")
def false():
    made = False_()
    yield made
    made.server.shutdown()


@pytest.mark.parametrize(
    "spoilt",
    ["nothing", "audience", "expired", "nonce", "issuer", "nobody", "a book", "no claims", "no json",
     "an error", "signature", "unsigned"],
)  # fmt: skip
def test_only_what_the_provider_signed_for_us_now_opens(embedded, false, spoilt):
    made = Desk(embedded, oidc_issuer=false.url, **CLIENT)
    made.person()
    opens(made, false.url)
    browser = Browser(made)
    asked = parse_qs(urlsplit(away(browser)).query)
    assert asked["prompt"] == ["login"]  # it cannot sign people out
    false.nonce, false.spoilt = asked["nonce"][0], spoilt
    answer = browser.client.get(f"{BACK}?code=x&state={asked['state'][0]}", headers=HTML)
    if spoilt == "nothing":
        assert (answer.status_code, answer.location) == (303, "/")
    else:
        assert answer.status_code in (403, 503)
        assert 'type="password"' in answer.text
        assert browser.get("/ho-so").location.startswith("/dang-nhap")
    made.close()
