"""Intake's pages in a real browser: filled in by hand, nothing blocked, inaccessible or too wide."""

from __future__ import annotations

import os
import shutil

import pytest

from services.intake.usecases import desk as verbs
from shared.web.server import WebServer, serving
from tests.intake.made import OFFICE

pytestmark = pytest.mark.browser
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("NOT RUN: there is no Chromium")
        pytest.skip("NOT RUN: there is no Chromium; the pages were tried in no browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def site(embedded_desk):
    server = WebServer(embedded_desk.web)
    with serving(server):
        yield server.url


@pytest.fixture(params=[1280, 360], ids=["desktop", "phone"])
def page(browser, request):
    """A page; whatever the browser complains about is kept in `page.complaints`."""
    context = browser.new_context(viewport={"width": request.param, "height": 800})
    opened = context.new_page()
    opened.complaints = []
    opened.on("console", lambda message: _note(opened, message))
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    context.close()


def _note(page, message):
    expected = any(status in message.text for status in ("404", "409", "422"))
    if message.type in ("error", "warning") and not expected:
        page.complaints.append(message.text)


def sound(page):
    """No fault of accessibility, nothing wider than the screen, no complaint."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{page.url} is {wide} px wider than the screen"
    assert page.complaints == []


def sign_in(page, site, key):
    page.goto(f"{site}/dang-nhap")
    page.get_by_label("Khóa truy cập").fill(key)
    page.get_by_role("button", name="Vào làm việc").click()
    page.wait_for_url(f"{site}/ho-so")


def test_an_officer_files_a_dossier_and_hands_out_the_receipt(page, site, embedded_desk):
    sign_in(page, site, embedded_desk.key)
    page.get_by_role("link", name="Nộp hồ sơ mới").click()
    sound(page)
    page.get_by_role("link", name="Thủ tục thử nghiệm").first.click()
    sound(page)
    page.get_by_label("Họ và tên", exact=False).first.fill("Nguyễn Thị Mai")
    page.get_by_role("button", name="Nộp và in giấy hẹn").click()
    page.get_by_text("chỗ cần sửa").wait_for()
    sound(page)
    assert page.get_by_label("Họ và tên", exact=False).first.input_value() == "Nguyễn Thị Mai"
    page.get_by_label("Ngày sinh").fill("1990-05-04")
    page.locator("[name='p.to-khai.original']").fill("1")
    page.locator("[name='p.giay-to.copy']").fill("1")
    page.locator("[name='c.name']").fill("Nguyễn Thị Mai")
    page.get_by_role("button", name="Nộp và in giấy hẹn").click()
    page.wait_for_url("**/giay-hen")
    sound(page)
    assert page.get_by_text("09:00 ngày 08/03/2022").is_visible()
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation").first.is_visible()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="Xem hồ sơ").click()
    sound(page)
    page.get_by_text("Rút hồ sơ").first.click()
    sound(page)


def test_the_list_and_the_report_are_sound(page, site, embedded_desk):
    embedded_desk.submit()
    embedded_desk.submit(channel="online")
    sign_in(page, site, embedded_desk.key)
    sound(page)
    page.get_by_text("Lọc thêm").click()
    sound(page)
    page.goto(f"{site}/bao-cao?thang=2022-03")
    sound(page)


@pytest.mark.parametrize("end", ["waiting", "refused"])
def test_a_citizen_finds_a_dossier(page, site, embedded_desk, end):
    code = embedded_desk.submit(channel="online" if end == "refused" else "direct")
    word = embedded_desk.dossier(code).lookup_word
    if end == "refused":
        embedded_desk.do(
            verbs.refuse, OFFICE.code, code, reason="Sai nơi nộp", next_step="Nộp ở Phường 2"
        )
    else:
        embedded_desk.started(code)
        embedded_desk.asked_for_papers(code, step=None)
    page.goto(site)
    sound(page)
    page.get_by_label("Mã hồ sơ").fill(code)
    page.get_by_label("Từ tra cứu").fill("AAAAAA")
    page.get_by_role("button", name="Xem hồ sơ").click()
    page.get_by_text("Không có hồ sơ nào").wait_for()
    sound(page)
    page.get_by_label("Từ tra cứu").fill(word.lower())
    page.get_by_role("button", name="Xem hồ sơ").click()
    page.get_by_text("Các mốc").wait_for()
    sound(page)
