"""The desk by keyboard alone in a real browser: found, filled in, sent, printed, and once more."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from shared.web.server import WebServer, serving
from tests.browser import DESKTOP, HEIGHT, PHONE, SCREENS, is_sound, opened_page
from tests.intake.keys import Officer
from tests.intake.made import catalogue
from tests.intake.rig import Desk
from tests.intake.test_browser import sign_in
from tests.intake.test_choosing import BIRTH, CITY, COPY
from tests.intake.test_search import named
from tests.intake.test_similar import MARKED

pytestmark = pytest.mark.browser


@pytest.fixture
def site(embedded):
    desk = Desk(embedded, CITY)
    server = WebServer(desk.web)
    with serving(server):
        yield server.url, desk
    desk.close()


@pytest.fixture
def page(browser, site):
    """Signed in, in a browser that speaks English."""
    with opened_page(browser, DESKTOP, locale="en-US") as opened:
        sign_in(opened, *site)
        yield opened


def focused(page) -> str:
    return page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()")


def test_procedures_narrow_as_one_types_and_arrows_choose(page, site):
    url, _ = site
    page.keyboard.press("Alt+n")
    page.locator("#f-tim:focus").wait_for()
    is_sound(page)
    page.keyboard.type("khai sinh")
    results = page.locator("[data-results] a")
    expect(results).to_have_text([BIRTH.name, COPY.name])
    expect(page.get_by_role("status").first).to_have_text("2 thủ tục.")
    is_sound(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert focused(page) == COPY.name
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert focused(page) == "tim"
    page.keyboard.press("ArrowDown")
    page.keyboard.type(" giay")  # typing goes on from a line of the list
    assert page.locator("#f-tim").input_value() == "khai sinh giay"
    expect(results).to_have_text([COPY.name])
    page.locator("#f-tim").fill("xe hơi")
    expect(page.get_by_text("Không có thủ tục nào khớp")).to_be_visible()
    is_sound(page)
    page.keyboard.press("Enter")  # nothing to open, so nothing is opened
    page.keyboard.press("ArrowDown")
    assert focused(page) == "tim"
    page.locator("#f-tim").fill("1.0011")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/ho-so/moi/{BIRTH.code}*")
    page.go_back()
    expect(page.locator("#f-tim")).to_be_visible()


def test_a_dossier_and_the_next_one_without_a_mouse(page, site):
    url, desk = site
    officer = Officer(page, url)
    page.goto(f"{url}/ho-so/moi/{BIRTH.code}")
    expect(page.locator("[name='f.full_name']")).to_be_focused()
    officer.press("Alt+P")
    expect(page.get_by_text("Chưa ghi tên ở tờ khai.")).to_be_visible()
    officer.type("Le Thi Thao")
    officer.press("Enter")  # the next field; it files nothing
    assert focused(page) == "f.birth_date"
    officer.type("04051990")
    officer.press("Tab")
    assert page.locator("[name='f.birth_date']").input_value() == "04/05/1990"
    officer.press("Alt+P")
    assert page.locator("[name='c.name']").input_value() == "Le Thi Thao"
    assert focused(page) == "c.address"
    page.locator("[name='p.giay-to.copy']").fill("3")
    officer.press("Alt+Y")
    counts = {kind: page.locator(f"[name='p.{kind}']").input_value()
              for kind in ("to-khai.original", "to-khai.copy", "giay-to.copy", "uy-quyen.original")}  # fmt: skip
    assert counts == {"to-khai.original": "1", "to-khai.copy": "", "giay-to.copy": "3",
                      "uy-quyen.original": ""}  # fmt: skip
    is_sound(page)
    officer.press("Control+Enter")
    page.wait_for_url("**/giay-hen")
    page.locator("html[data-printed]").wait_for(state="attached")
    is_sound(page)
    code = page.url.split("/")[-2]
    assert desk.dossier(code).form["birth_date"] == "1990-05-04"
    officer.press("Alt+M")
    page.wait_for_url(f"{url}/ho-so/moi/{BIRTH.code}*")
    expect(page.locator("[name='f.full_name']")).to_be_focused()
    assert page.locator("[name='f.full_name']").input_value() == ""


def test_the_help_tells_the_keys_of_the_page_and_takes_none_from_a_field(page, site):
    url, _ = site
    page.goto(f"{url}/ho-so/moi/{BIRTH.code}")
    page.keyboard.type("?")
    assert page.locator("[name='f.full_name']").input_value() == "?"
    page.get_by_role("button", name="Phím tắt").focus()
    page.keyboard.press("Alt+/")
    told = page.locator("#phim-tat")
    for said in ("Alt+N", "Alt+P", "Alt+Y", "Ctrl+Enter", "Nộp và in giấy hẹn", "Đủ như yêu cầu"):
        expect(told).to_contain_text(said)
    is_sound(page)
    page.keyboard.press("Escape")
    expect(told).to_be_hidden()
    expect(page.get_by_role("button", name="Phím tắt")).to_be_focused()
    letters = page.evaluate(
        "[...document.querySelectorAll('[data-key]')].map((each) => each.dataset.key)"
    )
    assert len(letters) == len(set(letters))
    assert set(letters).isdisjoint("BCDEFGHLSTVZ"), "of a browser's menus or a typing program"


def test_a_question_is_not_answered_by_the_same_keys_once_more(browser, embedded):
    desk = Desk(embedded, catalogue(MARKED))
    server = WebServer(desk.web)
    with serving(server), opened_page(browser, DESKTOP) as page:
        desk.submit()
        sign_in(page, server.url, desk)
        page.goto(f"{server.url}/ho-so/moi/{MARKED.code}")
        page.locator("[name='f.full_name']").fill("Nguyễn Thị Mai")
        page.locator("[name='f.birth_date']").fill("4/5/1990")
        for keys in ("Alt+P", "Alt+Y", "Control+Enter"):
            page.keyboard.press(keys)
        page.get_by_text("có thể về cùng một việc").wait_for()
        page.locator(".notice.waiting:focus").wait_for()
        is_sound(page)
        page.locator("[name='c.name']").press("Control+Enter")
        page.wait_for_timeout(300)
        assert page.url.endswith(MARKED.code) or "nhap=" in page.url
        page.get_by_role("button", name="Đã xem, vẫn nộp hồ sơ mới").press("Enter")
        page.wait_for_url("**/giay-hen")
    desk.close()


@pytest.mark.parametrize("width", SCREENS)
def test_without_scripts_the_search_is_sent_and_every_field_is_typed(browser, site, width):
    url, desk = site
    with opened_page(browser, width, java_script_enabled=False) as page:
        sign_in(page, url, desk)
        page.goto(f"{url}/ho-so/moi")
        page.locator("#f-tim").fill("khai sinh")
        page.keyboard.press("Enter")
        page.wait_for_url("**tim=khai+sinh")
        page.get_by_role("link", name=BIRTH.name).click()
        assert page.locator("[data-people]").is_hidden()
        assert page.get_by_role("button", name="Đủ như yêu cầu").is_hidden()
        for name, text in (
            ("f.full_name", "Lê Thị Thảo"), ("f.birth_date", "4-5-1990"), ("p.to-khai.original", "1"),
            ("p.giay-to.copy", "1"), ("c.name", "Lê Thị Thảo"),
        ):  # fmt: skip
            page.locator(f"[name='{name}']").fill(text)
        page.get_by_role("button", name="Nộp và in giấy hẹn").click()
        page.wait_for_url("**/giay-hen")


LONG = ("Nguyễn Phước Bảo Quỳnh " * 9)[:196].strip()
_HEAD = """() => [...document.querySelectorAll(".brand, .masthead nav, .sign-out a.who, .sign-out button")]
    .map((each) => each.getBoundingClientRect())
    .map((box) => [box.left, box.top, box.right, box.bottom])"""


def assert_apart(boxes, width):
    for place, (left, top, right, bottom) in enumerate(boxes):
        assert 0 <= left < right <= width
        for other in boxes[place + 1 :]:
            beside = right <= other[0] + 1 or other[2] <= left + 1
            assert beside or bottom <= other[1] + 1 or other[3] <= top + 1, (width, boxes)


@pytest.mark.parametrize("name", ["Hoa", LONG[:100].strip()], ids=["short", "long"])
def test_the_head_says_who_and_where_and_nothing_lies_over_another(browser, site, name):
    url, desk = site
    with opened_page(browser, DESKTOP) as page:
        _, password = desk.person(("head", "ubnd-phuong-1"), name=name)
        page.goto(f"{url}/dang-nhap")
        page.get_by_label("Tên đăng nhập").fill("hoa")
        page.get_by_label("Mật khẩu").fill(password)
        page.get_by_role("button", name="Vào làm việc").click()
        page.wait_for_url(f"{url}/ho-so")
        for path in ("/ho-so", "/ho-so/moi"):
            page.goto(url + path)
            who = page.locator(".sign-out .who")
            expect(who).to_contain_text("UBND Phường 1")
            expect(who).not_to_contain_text("ubnd-phuong-1")
            assert who.locator("small").is_visible()
            for width in (DESKTOP, 900, 700, 480, PHONE, 320):
                page.set_viewport_size({"width": width, "height": HEIGHT})
                assert_apart(page.evaluate(_HEAD), width)
            page.set_viewport_size({"width": DESKTOP, "height": HEIGHT})
        is_sound(page)


def test_a_citizen_s_long_name_widens_no_page_of_the_dossier(page, site):
    url, desk = site
    code = desk.submit(contact=named(LONG, "0907123456"), channel="online")
    for path in ("", "/giay-hen"):
        page.goto(f"{url}/ho-so/{code}{path}")
        is_sound(page)
