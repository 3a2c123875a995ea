"""The pages in a real browser: nothing blocked, nothing inaccessible, nothing too wide."""

from __future__ import annotations

import unicodedata

import pytest

from shared.identity.guard import guard_of
from shared.web.server import WebServer, serving
from tests.browser import PHONES, SCREENS, is_accessible, is_sound, opened_page
from tests.staff import a_pass

pytestmark = pytest.mark.browser
PAGES = ["/trang", "/khong-co", "/docs", "/docs/events"]
_VOWELS = "aăâeêioôơuưy"
_TONES = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
_SPELT = "".join(vowel + tone for vowel in _VOWELS + _VOWELS.upper() for tone in _TONES)
LETTERS = unicodedata.normalize("NFC", _SPELT) + unicodedata.normalize("NFD", _SPELT) + "đĐ₫…–—“”‘’"
DRAW = """(letters) => {
    const drawn = document.createElement("p");
    drawn.id = "drawn";
    for (const weight of ["strong", "span"]) {
        const part = document.createElement(weight);
        part.textContent = letters;
        drawn.append(part);
    }
    document.querySelector("main").append(drawn);
}"""


@pytest.fixture
def site(tiny):
    server = WebServer(tiny.app)
    with serving(server):
        yield server.url


@pytest.fixture(params=SCREENS)
def page(browser, site, tiny, request):
    """A signed-in page."""
    with opened_page(browser, request.param) as opened:
        sign_in(opened, site, tiny)
        yield opened


def sign_in(page, site, tiny):
    checkpoint = guard_of(tiny.app).checkpoint
    told = checkpoint.passes.write(a_pass(("officer", "ubnd-phuong-1")))
    page.context.add_cookies([{"name": checkpoint.cookie, "value": told, "url": site}])
    page.goto(f"{site}/trang")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_fault_of_accessibility_and_fits_its_screen(page, site, path):
    page.goto(site + path)
    is_sound(page)


@pytest.mark.parametrize("width", PHONES)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_where_the_typeface_never_comes(browser, site, tiny, path, width):
    with opened_page(browser, width) as page:
        page.route("**/*.woff2", lambda route: route.abort())
        sign_in(page, site, tiny)
        page.goto(site + path)
        assert page.locator("h1").first.is_visible()
        assert page.evaluate("[...document.fonts].every((each) => each.status != 'loaded')")
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") == 0
        is_accessible(page)


def test_every_letter_of_the_language_is_in_the_typeface(page):
    """Vietnamese in both weights, composed or not, is drawn by our own files alone."""
    page.evaluate(DRAW, LETTERS)
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    page.evaluate("document.fonts.ready.then(() => 0)")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    for weight in ("strong", "span"):
        found = session.send("DOM.querySelector", {"nodeId": root, "selector": f"#drawn {weight}"})
        fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": found["nodeId"]})["fonts"]
        assert {(font["familyName"], font["isCustomFont"]) for font in fonts} == {
            ("Be Vietnam Pro SemiBold" if weight == "strong" else "Be Vietnam Pro", True)
        }


def test_the_description_page_works_under_our_policy(page, site):
    page.goto(f"{site}/docs")
    page.get_by_role("heading", name="GET /api/v1/open").wait_for()
    assert [each for each in page.complaints if "Content Security Policy" in each] == []


def test_a_form_sends_its_token_and_a_keyboard_reaches_the_content_first(page, site):
    page.goto(f"{site}/khong-co")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.goto(f"{site}/trang")
    assert page.evaluate("document.activeElement.className") == "notice bad", "faults come first"
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
