"""The pages that lead in, in a real browser: by the keyboard alone, on a desk and on a phone."""

from __future__ import annotations

import re

import pyotp
import pytest

from shared.web.server import WebServer, serving
from tests.browser import SCREENS, is_sound, opened_page
from tests.intake.made import OFFICE, OTHER_OFFICE
from tests.intake.test_sign_in import NEW

pytestmark = pytest.mark.browser


@pytest.fixture
def site(embedded_desk):
    server = WebServer(embedded_desk.web)
    with serving(server):
        yield server.url


@pytest.fixture(params=SCREENS)
def page(browser, request):
    with opened_page(browser, request.param) as opened:
        yield opened


def typed(page, *texts):
    """Type into one field after the other and send, without a mouse."""
    for text in texts[:-1]:
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.type(texts[-1])
    page.keyboard.press("Enter")


def test_a_first_day_from_the_first_password_to_the_second_factor(page, site, embedded_desk):
    places = (("head", OFFICE.code), ("officer", OTHER_OFFICE.code))
    _, first = embedded_desk.person(*places, must_change=True)
    page.goto(f"{site}/can-bo")
    page.get_by_label("Tên đăng nhập").focus()
    typed(page, "hoa", "sai mật khẩu")
    page.get_by_text("không đúng").wait_for()
    is_sound(page)
    assert page.get_by_label("Tên đăng nhập").input_value() == "hoa"
    page.get_by_label("Mật khẩu").focus()
    typed(page, first)
    page.get_by_role("heading", name="Đặt mật khẩu của bạn").wait_for()
    is_sound(page)
    page.get_by_label("Mật khẩu mới *", exact=True).focus()
    typed(page, "ngắn", "ngắn")
    page.get_by_text("từ 10 đến 200 ký tự").wait_for()
    is_sound(page)
    page.get_by_label("Mật khẩu mới *", exact=True).focus()
    typed(page, NEW, NEW)
    page.wait_for_url(f"{site}/can-bo")
    is_sound(page)
    page.goto(f"{site}/tai-khoan")
    is_sound(page)
    page.get_by_role("link", name="Bật mã xác thực").click()
    is_sound(page)
    secret = page.locator(".secret code").inner_text().replace(" ", "")
    page.get_by_label("Mã sáu số").focus()
    typed(page, pyotp.TOTP(secret).now(), NEW)
    page.get_by_role("heading", name="Đã bật mã xác thực").wait_for()
    is_sound(page)
    code = page.locator(".codes code").first.inner_text()
    page.get_by_role("button", name="Đăng xuất").click()
    page.wait_for_url(f"{site}/dang-nhap")
    page.get_by_label("Tên đăng nhập").focus()
    typed(page, "hoa", NEW)
    page.get_by_role("heading", name="Mã xác thực").wait_for()
    is_sound(page)
    page.get_by_label("Mã sáu số").focus()
    typed(page, code)
    page.wait_for_url(f"{site}/ho-so")


def test_what_was_typed_when_the_sign_in_was_over_is_sent_on(page, site, embedded_desk):
    from services.intake.storage import staff as table

    desk = embedded_desk
    person, password = desk.person()
    page.goto(f"{site}/dang-nhap")
    page.get_by_label("Tên đăng nhập").fill("hoa")
    page.get_by_label("Mật khẩu").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/ho-so")
    code = desk.submit()
    page.goto(f"{site}/ho-so/{code}")
    page.get_by_text(re.compile("rút hồ sơ", re.IGNORECASE)).first.click()
    form = page.locator("form[action$='/withdraw']")
    form.get_by_label("Lý do").fill("Gia đình đổi ý,\nchưa cần nữa")
    with desk.store.begin() as uow:
        table.end_all(uow.connection, person)
    form.get_by_role("button").click()
    page.get_by_text("vẫn còn và sẽ được gửi tiếp").wait_for()
    is_sound(page)
    page.get_by_label("Tên đăng nhập").fill("hoa")
    page.get_by_label("Mật khẩu").fill(password)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Gửi tiếp").wait_for()
    is_sound(page)
    page.get_by_role("button", name="Gửi tiếp").click()
    page.get_by_text("Không làm lại được").wait_for()
    page.get_by_role("button", name="Rút hồ sơ").click()
    page.wait_for_url(f"{site}/ho-so/{code}?xong=withdraw")
    assert "Gia đình đổi ý" in page.locator("main").inner_text()
