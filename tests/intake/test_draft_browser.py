"""Typing at the desk in a real browser: it survives a reload, Back, a second tab and a lost session."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from services.intake.storage.tables import drafts
from shared.web.server import WebServer, serving
from tests.browser import DESKTOP, PHONE, SCREENS, fits, is_accessible, is_sound, opened_page
from tests.intake.test_browser import sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def site(embedded_desk):
    server = WebServer(embedded_desk.web)
    with serving(server):
        yield server.url


@pytest.fixture
def page(browser):
    with opened_page(browser, DESKTOP) as opened:
        yield opened


def named(page):
    return page.locator("[name='f.full_name']")


def write(page, text):
    """Type it and leave the field: it is saved at once."""
    with page.expect_response("**/ho-so/ban-nhap/*"):
        named(page).fill(text)
        named(page).press("Tab")


def begin(page, site, desk):
    sign_in(page, site, desk)
    page.goto(f"{site}/ho-so/moi/1.000001")
    write(page, "Nguyễn Thị Mai")
    page.get_by_text("Đã lưu nháp lúc").wait_for()
    page.wait_for_url("**?nhap=*")


def count(desk) -> int:
    with desk.store.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(drafts))


def fill_the_rest(page):
    page.get_by_label("Ngày sinh").fill("1990-05-04")
    page.locator("[name='p.to-khai.original']").fill("1")
    page.locator("[name='p.giay-to.copy']").fill("1")
    page.locator("[name='c.name']").fill("Nguyễn Thị Mai")


def test_the_typing_is_there_after_a_reload_after_back_and_in_a_second_tab(
    page, site, embedded_desk
):
    begin(page, site, embedded_desk)
    page.reload()
    expect(named(page)).to_have_value("Nguyễn Thị Mai")
    named(page).fill("Nguyễn Thị Mai Lan")  # and away before anything was told
    page.get_by_role("link", name="Chọn thủ tục khác").click()
    page.wait_for_url("**/ho-so/moi")
    page.go_back()
    page.wait_for_url("**/ho-so/moi/1.000001?nhap=*")
    expect(named(page)).to_have_value("Nguyễn Thị Mai Lan")
    second = page.context.new_page()
    second.goto(page.url)
    expect(named(second)).to_have_value("Nguyễn Thị Mai Lan")
    write(second, "Trần Văn Hùng")
    assert count(embedded_desk) == 1
    before = page.url
    write(page, "Lê Thị Thảo")  # the first tab did not see that
    expect(page).not_to_have_url(before)
    assert count(embedded_desk) == 2
    second.reload()
    expect(named(second)).to_have_value("Trần Văn Hùng")
    page.reload()
    expect(named(page)).to_have_value("Lê Thị Thảo")


@pytest.mark.parametrize("width", SCREENS)
def test_drafts_are_listed_opened_and_gone_with_the_filing(browser, site, embedded_desk, width):
    with opened_page(browser, width) as page:
        begin(page, site, embedded_desk)
        page.locator("[name='c.name']").fill("Nguyễn Thị Mai")
        with page.expect_response("**/ho-so/ban-nhap/*"):
            page.get_by_role("button", name="Lưu nháp").click()
        is_sound(page)
        page.goto(f"{site}/ho-so/moi/1.000001")
        page.get_by_text("Có 1 bản nháp khác").click()
        is_sound(page)
        page.goto(f"{site}/ho-so/moi")
        page.get_by_role("link", name="Nháp", exact=True).click()
        is_sound(page)
        page.get_by_role("link", name="Nguyễn Thị Mai").click()
        fill_the_rest(page)
        page.get_by_role("button", name="Nộp và in giấy hẹn").dblclick()
        page.wait_for_url("**/giay-hen")
        assert count(embedded_desk) == 0
        page.go_back()
        page.get_by_text("Hồ sơ vừa gõ đã nộp").wait_for()
        expect(named(page)).to_have_value("")
        is_sound(page)
        assert count(embedded_desk) == 0


def test_a_lost_session_keeps_the_typing_and_goes_on_after_the_sign_in(page, site, embedded_desk):
    begin(page, site, embedded_desk)
    page.context.clear_cookies()
    fill_the_rest(page)
    page.get_by_text("Phiên làm việc đã hết").wait_for()
    is_accessible(page)  # the console tells of each save that was refused: not looked at here
    fits(page)
    page.get_by_role("button", name="Nộp và in giấy hẹn").click()
    expect(page.locator("#nhap-loi")).to_be_focused()
    expect(named(page)).to_have_value("Nguyễn Thị Mai")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="đăng nhập ở thẻ khác").click()
    other = opened.value
    sign_in(other, site, embedded_desk, login="Lan.Tran")
    page.get_by_role("button", name="Nộp và in giấy hẹn").click()
    page.wait_for_url("**/giay-hen")
    assert count(embedded_desk) == 0


def test_without_scripts_the_button_keeps_it(browser, site, embedded_desk):
    with opened_page(browser, PHONE, java_script_enabled=False) as page:
        sign_in(page, site, embedded_desk)
        page.goto(f"{site}/ho-so/moi/1.000001")
        named(page).fill("Nguyễn Thị Mai")
        page.get_by_role("button", name="Lưu nháp").click()
        page.wait_for_url("**/ho-so/moi/1.000001?nhap=*")
        page.reload()
        expect(named(page)).to_have_value("Nguyễn Thị Mai")
        fill_the_rest(page)
        page.get_by_role("button", name="Nộp và in giấy hẹn").click()
        page.wait_for_url("**/giay-hen")
        assert count(embedded_desk) == 0
