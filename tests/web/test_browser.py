"""The pages in a real browser: nothing blocked, nothing inaccessible, nothing too wide."""

from __future__ import annotations

import os
import shutil

import pytest

from shared.web.server import WebServer, serving

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
PAGES = ["/dang-nhap", "/trang", "/khong-co", "/docs"]


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
def site(tiny):
    server = WebServer(tiny.app)
    with serving(server):
        yield server.url


@pytest.fixture(params=[1280, 360], ids=["desktop", "phone"])
def page(browser, site, tiny, request):
    """A signed-in page; whatever the browser complains about is kept in `page.complaints`."""
    context = browser.new_context(viewport={"width": request.param, "height": 800})
    opened = context.new_page()
    opened.complaints = []
    opened.on("console", lambda message: _note(opened, message))
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.goto(f"{site}/dang-nhap")
    opened.get_by_label("Khóa truy cập").fill(tiny.desk)
    opened.get_by_role("button", name="Vào làm việc").click()
    opened.wait_for_url(f"{site}/trang")
    yield opened
    context.close()


def _note(page, message):
    if message.type in ("error", "warning") and "404" not in message.text:
        page.complaints.append(message.text)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_fault_of_accessibility_and_fits_its_screen(page, site, path):
    from axe_playwright_python.sync_playwright import Axe

    page.goto(site + path)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{wide} px wider than the screen"
    assert page.complaints == []


def test_the_description_page_works_under_our_policy(page, site):
    page.goto(f"{site}/docs")
    page.get_by_role("heading", name="GET /api/v1/open").wait_for()
    assert [each for each in page.complaints if "Content Security Policy" in each] == []


def test_a_form_sends_its_token_and_a_keyboard_reaches_the_content_first(page, site):
    page.goto(f"{site}/trang")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.get_by_label("Số điện thoại").fill("0912345678")
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        page.get_by_role("button", name="Gửi bổ sung").click()
    assert sent.value.status == 200
    assert page.locator("body").inner_text() == "đã nhận"


def test_htmx_sends_the_token_and_says_when_something_fails(page, site):
    page.goto(f"{site}/trang")
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        page.evaluate("void htmx.ajax('POST', '/trang', {target: 'h1', swap: 'innerHTML'})")
    assert sent.value.status == 200
    page.get_by_role("heading", name="đã nhận").wait_for()
    page.evaluate("void htmx.ajax('GET', '/hong/bug', {target: 'h1'})")
    page.get_by_role("status").get_by_text("Chưa thực hiện được").wait_for()


def test_signing_out_leads_back_to_the_sign_in_page(page, site):
    page.get_by_role("button", name="Đăng xuất").click()
    page.wait_for_url(f"{site}/dang-nhap")
    page.goto(f"{site}/trang")
    assert "/dang-nhap?next=/trang" in page.url
