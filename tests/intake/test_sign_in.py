"""Signing in with a name and a password: who gets in, who must wait, what strangers can learn."""

from __future__ import annotations

import html
import re
import statistics
import time
import unicodedata
from datetime import timedelta
from urllib.parse import quote

import pyotp
import pytest
import structlog

from services.intake.storage import staff as table
from services.intake.usecases import sign_in, staff
from services.intake.web.papers.square import data_uri
from shared.identity.guard import guard_of
from shared.identity.passes import LASTS, SIGNED_IN_FOR
from shared.kernel.clock import RealClock
from tests.intake.made import OFFICE, OTHER_OFFICE

HTML = {"Accept": "text/html"}
WRONG = "Tên đăng nhập hoặc mật khẩu không đúng."
NEW = "con trâu đi trước cái cày"


class Browser:
    """Somebody at the pages, without scripts."""

    def __init__(self, desk, address="127.0.0.1"):
        self.client = desk.web.test_client()
        self.address = address

    def get(self, path):
        return self.client.get(path, headers=HTML)

    def token(self, path="/tra-cuu"):
        return token_in(self.get(path).text)

    def post(self, path, data=None, **more):
        sent = {"csrf_token": more.pop("token", None) or self.token(), **(data or {})}
        return self.client.post(
            path, data=sent, headers=HTML, environ_base={"REMOTE_ADDR": self.address}, **more
        )

    def enter(self, login, password, **more):
        return self.post("/dang-nhap", {"login": login, "password": password, **more})


def token_in(page):
    return re.search(r'name="csrf-token" content="([^"]+)"', page)[1]


def hidden(page):
    """The hidden inputs of the one form in the main part of a page."""
    main = page.partition("<main")[2]
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', main)
    return [(html.unescape(name), html.unescape(value)) for name, value in found]


def test_a_name_and_its_password_let_in_and_out_again(desk):
    person, password = desk.person()
    browser = Browser(desk)
    with structlog.testing.capture_logs() as lines:
        answer = browser.enter("hoa", password)
    assert (answer.status_code, answer.location) == (303, "/")
    cookies = "\n".join(answer.headers.getlist("Set-Cookie"))
    assert "lienthong-pass=" in cookies
    assert cookies.count("HttpOnly") == cookies.count("SameSite=Lax") == 3
    assert browser.get("/").location == "/ho-so"
    page = browser.get("/ho-so").text
    assert "Nguyễn Thị Hoa" in page
    assert person not in page
    assert "Hoa" not in str(lines)
    assert "hoa" not in str(lines)
    assert browser.post("/dang-xuat").location == "/dang-nhap"
    assert browser.get("/ho-so").location == "/dang-nhap?next=/ho-so"


@pytest.mark.parametrize("typed", ["HOA", " hoa ", "ｈｏａ", "h\u200boa"])
def test_the_name_is_found_however_it_is_typed(embedded_desk, typed):
    _, password = embedded_desk.person()
    assert Browser(embedded_desk).enter(typed, password).status_code == 303


def test_a_password_is_the_same_in_every_way_of_composing_it(embedded_desk):
    desk = embedded_desk
    person, _ = desk.person()
    with desk.store.begin() as uow:
        found = table.by_id(uow.connection, person)
        staff.change_password(uow, found, NEW, unicodedata.normalize("NFC", NEW))
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert Browser(desk).enter("hoa", unicodedata.normalize(form, NEW)).status_code == 303


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("hoa", "sai"), ("hoa", ""), ("", ""), ("nobody", "x"), ("hoa", "x" * 10_000),
        ("hoa", "a\x00b"), ("h\x00oa", "x"), ("hoa' OR 1=1", "x"), ("x" * 10_000, "x"),
        ("cb-abcdefghij", "x"), ("hoa", "\ufdfa" * 199), ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "x"),
    ],
)  # fmt: skip
def test_whatever_is_wrong_the_answer_is_the_same(desk, login, password):
    desk.person()
    answer = Browser(desk).enter(login, password)
    assert answer.status_code == 403
    assert WRONG in answer.text
    assert "lienthong-pass" not in str(answer.headers)
    assert 'type="password"' in answer.text
    assert password not in answer.text or len(password) < 5


def test_a_disabled_account_and_one_without_work_answer_as_nobodys_does(embedded_desk):
    desk = embedded_desk
    _, password = desk.person()
    with desk.store.begin() as uow:
        staff.disable(uow, "hoa")
    assert WRONG in Browser(desk).enter("hoa", password).text


def test_the_time_tells_nothing_of_which_names_there_are(embedded_desk):
    desk = embedded_desk
    desk.person()
    hoa = sign_in.known(desk.store, "hoa")

    def seconds(person, password):
        began = time.perf_counter()
        assert not sign_in.check(person, password)
        return time.perf_counter() - began

    sign_in.check(None, "warm up")
    there = statistics.median(seconds(hoa, "wrong") for _ in range(7))
    nobody = statistics.median(seconds(None, "wrong") for _ in range(7))
    large = statistics.median(seconds(hoa, "x" * 10_000) for _ in range(7))
    assert 0.4 < nobody / there < 2.5
    assert 0.4 < large / there < 2.5


def test_tries_must_wait_longer_each_time_and_nobody_is_locked_out(desk):
    _, password = desk.person()
    stranger = Browser(desk)
    codes = [stranger.enter("hoa", f"wrong {n}").status_code for n in range(8)]
    assert codes[:6] == [403] * 6
    assert codes[-1] == 429
    refused = stranger.enter("hoa", password, next="/bao-cao")
    assert refused.status_code == 429, "not even by the right one"
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    assert "không bị khóa" in refused.text
    assert 'value="hoa"' in refused.text, "what was typed stays"
    assert ("next", "/bao-cao") in hidden(refused.text)
    desk.clock.advance(timedelta(seconds=301))
    assert stranger.enter("hoa", password).status_code == 303
    assert [stranger.enter("hoa", "x").status_code for _ in range(2)] == [403, 403], "forgotten"


def test_a_name_that_is_nobodys_must_wait_just_as_long(embedded_desk):
    stranger = Browser(embedded_desk)
    codes = [stranger.enter("nobody", "x").status_code for _ in range(8)]
    assert codes[:6] == [403] * 6
    assert codes[-1] == 429


def test_strangers_do_not_make_a_person_wait_at_their_own_desk(embedded_desk):
    desk = embedded_desk
    _, password = desk.person()
    own = Browser(desk)
    assert own.enter("hoa", password).status_code == 303
    own.post("/dang-xuat")
    for n in range(9):
        Browser(desk, f"10.0.0.{n}").enter("hoa", "wrong")
    assert Browser(desk, "10.1.0.1").enter("hoa", password).status_code == 429
    assert own.enter("hoa", password).status_code == 303
    tries = [own.enter("hoa", "wrong").status_code for _ in range(8)]
    assert tries[-1] == 429, "at their own desk they are counted as well"


def test_one_address_cannot_try_one_password_on_everybody(embedded_desk):
    stranger = Browser(embedded_desk, "10.0.0.1")
    codes = [stranger.enter(f"name{n}", "matkhau123").status_code for n in range(64)]
    assert codes[0] == 403
    assert codes[-1] == 429
    assert Browser(embedded_desk, "10.0.0.2").enter("x1", "y").status_code == 403


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil", "/a\nb", "javascript:1"]
)
def test_signing_in_never_leads_to_another_host(embedded_desk, target):
    _, password = embedded_desk.person()
    browser = Browser(embedded_desk)
    assert browser.enter("hoa", password, next=target).location == "/"
    assert browser.get(f"/phien?next={quote(target)}").location == "/"


def test_a_form_of_another_site_signs_nobody_in_or_out(embedded_desk):
    desk = embedded_desk
    _, password = desk.person()
    browser = Browser(desk)
    forged = {"login": "hoa", "password": password, "csrf_token": "x"}
    assert browser.client.post("/dang-nhap", data=forged, headers=HTML).status_code == 400
    browser.enter("hoa", password)
    for path in ("/dang-xuat", "/tai-khoan/mat-khau", "/tai-khoan/noi-lam-viec"):
        assert browser.client.post(path, data={}, headers=HTML).status_code == 400
    assert browser.get("/ho-so").status_code == 200


def test_nothing_that_was_known_before_the_sign_in_counts_after_it(embedded_desk):
    desk = embedded_desk
    _, password = desk.person()
    browser = Browser(desk)
    before = browser.token()
    cookies = {c.key: c.value for c in browser.client._cookies.values()}
    browser.enter("hoa", password)
    after = {c.key: c.value for c in browser.client._cookies.values()}
    assert "lienthong-pass" not in cookies
    assert cookies["lienthong-form"] != after["lienthong-form"]
    assert browser.post("/ho-so/x/refuse", token=before).status_code == 400
    # A pass that somebody else was given and planted here is replaced.
    browser.client.set_cookie("lienthong-pass", "planted")
    browser.enter("hoa", password)
    assert browser.get("/ho-so").status_code == 200


def test_a_copied_cookie_ends_with_the_sign_in(embedded_desk):
    desk = embedded_desk
    _, password = desk.person()
    browser, thief = Browser(desk), Browser(desk)
    browser.enter("hoa", password)
    copied = next(c for c in browser.client._cookies.values() if c.key == "lienthong-pass").value
    thief.client.set_cookie("lienthong-pass", copied)
    assert thief.get("/ho-so").status_code == 200
    browser.post("/dang-xuat")
    assert thief.get("/ho-so").status_code == 303, "at once where sign-ins are kept"
    assert thief.get("/phien?next=/ho-so").location == "/dang-nhap?next=/ho-so"
    # Elsewhere the copy lasts as long as a pass does: five minutes, and is not renewed.
    shown = guard_of(desk.web).checkpoint.passes.read(copied)
    assert shown.is_fresh(RealClock().now())
    assert not shown.is_fresh(RealClock().now() + LASTS)


def test_signing_out_everywhere_ends_every_sign_in_and_a_plain_one_its_own(embedded_desk):
    desk = embedded_desk
    _, password = desk.person()
    first, second, third = Browser(desk), Browser(desk), Browser(desk)
    for each in (first, second, third):
        each.enter("hoa", password)
    first.post("/dang-xuat")
    assert second.get("/ho-so").status_code == 200
    second.post("/dang-xuat", {"everywhere": "1"})
    assert [each.get("/ho-so").status_code for each in (first, second, third)] == [303] * 3


def test_a_sign_in_lasts_a_working_day_and_its_pass_is_renewed_meanwhile(embedded_desk):
    desk = embedded_desk
    _, password = desk.person()
    browser = Browser(desk)
    browser.enter("hoa", password)
    checkpoint, start = guard_of(desk.web).checkpoint, RealClock().now()

    def given(after):
        checkpoint.now = lambda: start + after
        told = browser.get("/ho-so").headers.getlist("Set-Cookie")
        return any(each.startswith("lienthong-pass=") for each in told)

    assert not given(timedelta(seconds=30))
    assert given(timedelta(minutes=2))
    assert not given(timedelta(minutes=2, seconds=30))
    assert given(SIGNED_IN_FOR - timedelta(minutes=1)), "hours later, in the same request"
    checkpoint.now = lambda: start + SIGNED_IN_FOR + timedelta(minutes=1)
    assert browser.get("/ho-so").location == "/dang-nhap?next=/ho-so"


def test_what_is_typed_when_the_sign_in_is_over_is_sent_on_after_the_next(desk):
    person, password = desk.person()
    browser = Browser(desk)
    browser.enter("hoa", password)
    code = desk.submit(channel="online")
    typed = {"reason": 'Thiếu "giấy" <b>\r\nhai dòng', "next_step": "Mang đủ giấy tờ"}
    token = browser.token(f"/ho-so/{code}")
    with desk.store.begin() as uow:
        table.end_all(uow.connection, person)
    sent = browser.post(f"/ho-so/{code}/refuse", {**typed, "password": "never"}, token=token)
    assert (sent.status_code, sent.location) == (307, f"/phien?next=/ho-so/{code}/refuse")
    body = {**typed, "password": "never", "csrf_token": token}
    page = browser.client.post(sent.location, data=body, headers=HTML)
    assert "vẫn còn" in page.text
    assert "never" not in page.text
    form = {**dict(hidden(page.text)), "login": "hoa", "password": "x"}
    wrong = browser.client.post("/dang-nhap", data=form, headers=HTML)
    form = {**dict(hidden(wrong.text)), "login": "hoa", "password": password}
    again = browser.client.post("/dang-nhap", data=form, headers=HTML)
    assert again.status_code == 200
    assert "chưa được gửi" in again.text
    carried = dict(hidden(again.text))
    assert {name: carried[name] for name in typed} == typed
    assert f'action="/ho-so/{code}/refuse"' in again.text
    where = f"/ho-so/{code}/refuse"
    asked = browser.client.post(where, data=dict(hidden(again.text)), headers=HTML)
    sure = {**dict(hidden(asked.text)), "sure": "1"}
    done = browser.client.post(where, data=sure, headers=HTML)
    assert (done.status_code, done.location) == (303, f"/ho-so/{code}/phieu-tu-choi")
    assert desk.dossier(code).ending.reason.startswith("Thiếu")


def test_a_form_of_another_site_is_not_kept_over_the_sign_in(embedded_desk):
    browser = Browser(embedded_desk)
    browser.get("/tra-cuu")
    page = browser.client.post(
        "/phien?next=/ho-so/x/withdraw", data={"reason": "kẻ lạ", "csrf_token": "x"}, headers=HTML
    )
    assert "kẻ lạ" not in page.text
    assert hidden(page.text)[1:] == [("next", "")]


def test_two_tabs_do_not_stand_in_each_others_way(embedded_desk):
    desk = embedded_desk
    _, password = desk.person()
    browser = Browser(desk)
    tab = browser.token("/dang-nhap")
    browser.enter("hoa", password)
    assert browser.get("/dang-nhap?next=/bao-cao").location == "/bao-cao"
    late = browser.post("/dang-nhap", {"login": "hoa", "password": password}, token=tab)
    assert late.status_code == 400, "a form from before the sign-in is old"
    assert browser.get("/ho-so").status_code == 200, "and does no harm"


def test_a_first_password_must_be_changed_before_anything_opens(desk):
    _, first = desk.person(must_change=True)
    browser = Browser(desk)
    page = browser.enter("hoa", first, next="/bao-cao")
    assert "Đặt mật khẩu của bạn" in page.text
    assert browser.get("/ho-so").status_code == 303, "nobody is signed in yet"

    def choose(new, again=None):
        fields = {"password_new": new, "password_again": new if again is None else again}
        return browser.post("/dang-nhap/mat-khau", fields | {"next": "/bao-cao"})

    for wrong in ("ngắn", "x" * 201, "matkhau123", "hoa", "aaaaaaaaaaaa", "Nguyễn Thị Hoa", first,
                  "a\x00bcdefghijkl"):  # fmt: skip
        assert choose(wrong).status_code == 422, wrong
    assert choose(NEW, NEW + " ").status_code == 422
    done = choose(NEW)
    assert (done.status_code, done.location) == (303, "/bao-cao")
    assert browser.get("/ho-so").status_code == 200
    assert Browser(desk).enter("hoa", first).status_code == 403
    assert Browser(desk).enter("hoa", NEW).status_code == 303


def test_nobody_sets_a_password_who_has_not_given_the_first_one(embedded_desk):
    embedded_desk.person(must_change=True)
    browser = Browser(embedded_desk)
    answer = browser.post("/dang-nhap/mat-khau", {"password_new": NEW, "password_again": NEW})
    assert answer.status_code == 403
    assert Browser(embedded_desk).enter("hoa", NEW).status_code == 403


def test_a_reset_meanwhile_ends_what_the_old_first_password_began(embedded_desk):
    desk = embedded_desk
    _, first = desk.person(must_change=True)
    browser = Browser(desk)
    browser.enter("hoa", first)
    with desk.store.begin() as uow:
        staff.reset(uow, "hoa")
    fields = {"password_new": NEW, "password_again": NEW}
    assert browser.post("/dang-nhap/mat-khau", fields).status_code == 403


def secret_on(page):
    return re.search(r'<p class="secret"><code>([^<]+)</code>', page)[1].replace(" ", "")


def test_a_second_factor_is_asked_for_once_it_is_on_and_each_code_counts_once(desk):
    person, password = desk.person()
    own = Browser(desk)
    own.enter("hoa", password)
    page = own.get("/tai-khoan/xac-thuc").text
    secret = secret_on(page)
    address = pyotp.TOTP(secret).provisioning_uri(name="hoa", issuer_name="Lien Thong")
    assert data_uri(address) in html.unescape(page)
    totp, now = pyotp.TOTP(secret), RealClock().now()
    guard_of(desk.web).checkpoint.now = lambda: now
    wrong = own.post("/tai-khoan/xac-thuc", {"code": "000000", "password": password})
    assert wrong.status_code == 422
    page = own.post("/tai-khoan/xac-thuc", {"code": totp.at(now), "password": password})
    codes = re.findall(r"<li><code>([^<]+)</code>", page.text)
    assert len(codes) == 8
    with desk.store.begin() as uow:
        kept = table.by_id(uow.connection, person)
    assert not set(codes) & set(kept.recovery)

    def enter(code):
        browser = Browser(desk)
        assert "Mã xác thực" in browser.enter("hoa", password, next="/bao-cao").text
        assert browser.get("/ho-so").status_code == 303
        return browser.post("/dang-nhap/ma", {"code": code, "next": "/bao-cao"})

    assert enter(totp.at(now)).status_code == 403, "that code was used to turn it on"
    later = now + timedelta(seconds=30)
    assert enter(f" {totp.at(later)[:3]} {totp.at(later)[3:]} ").location == "/bao-cao"
    assert enter(totp.at(later)).status_code == 403
    assert enter(codes[3].upper()).status_code == 303
    assert enter(codes[3]).status_code == 403
    assert enter("").status_code == 403
    desk.clock.advance(timedelta(hours=3))
    tries = [enter(f"{n:06}").status_code for n in range(8)]
    assert tries[-1] == 429, "a million codes are not tried"


def test_turning_the_second_factor_on_or_off_needs_the_password(embedded_desk):
    desk = embedded_desk
    _, password = desk.person()
    own = Browser(desk)
    own.enter("hoa", password)
    secret = secret_on(own.get("/tai-khoan/xac-thuc").text)
    code = pyotp.TOTP(secret).now()
    assert own.post("/tai-khoan/xac-thuc", {"code": code, "password": "x"}).status_code == 403
    own.post("/tai-khoan/xac-thuc", {"code": code, "password": password})
    assert own.post("/tai-khoan/xac-thuc/bo", {"password": "x"}).status_code == 403
    assert "Đang bật" in own.get("/tai-khoan").text
    assert own.post("/tai-khoan/xac-thuc/bo", {"password": password}).status_code == 303
    assert "Chưa bật" in own.get("/tai-khoan").text


def test_changing_the_password_ends_the_other_sign_ins_and_needs_the_old_one(embedded_desk):
    desk = embedded_desk
    _, password = desk.person()
    own, other = Browser(desk), Browser(desk)
    for each in (own, other):
        each.enter("hoa", password)
    new = {"password_new": NEW, "password_again": NEW}
    assert own.post("/tai-khoan/mat-khau", {"password": "x", **new}).status_code == 403
    assert own.post("/tai-khoan/mat-khau", {"password": password, **new}).status_code == 303
    assert own.get("/ho-so").status_code == 200
    assert other.get("/ho-so").status_code == 303


def test_several_places_are_worked_at_one_at_a_time(embedded_desk):
    desk = embedded_desk
    _, password = desk.person(("officer", OFFICE.code), ("officer", OTHER_OFFICE.code))
    own = Browser(desk)
    own.enter("hoa", password)
    code = desk.submit()
    assert own.get(f"/ho-so/{code}").status_code == 200
    assert f"Sang làm việc ở {OTHER_OFFICE.name}" in own.get("/tai-khoan").text
    place = {"kind": "desk", "code": OTHER_OFFICE.code}
    assert own.post("/tai-khoan/noi-lam-viec", place).location == "/ho-so"
    assert OTHER_OFFICE.name in own.get("/ho-so").text
    assert own.get(f"/ho-so/{code}").status_code == 404
    nowhere = {"kind": "desk", "code": "elsewhere"}
    assert own.post("/tai-khoan/noi-lam-viec", nowhere).status_code == 404


def test_doors_that_never_believe_are_told_of_instead_of_a_circle(embedded_desk):
    _, password = embedded_desk.person()
    own = Browser(embedded_desk)
    own.enter("hoa", password)
    codes = [own.get("/phien?next=/nhiem-vu").status_code for _ in range(10)]
    assert codes[0] == 303
    assert codes[-1] == 503
    assert "LIENTHONG_SECRET_KEY" in own.get("/phien?next=/nhiem-vu").text
    assert own.get("/phien?next=/tin-nhan").status_code == 303
