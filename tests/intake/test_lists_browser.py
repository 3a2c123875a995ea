"""The desk's lists in a real browser: a page of one fits a screen, and long names widen nothing."""

from __future__ import annotations

import pytest

from services.intake.web.pages.lists import PAGE_SIZE
from shared.web.server import WebServer, serving
from tests.browser import DESKTOP, SCREENS, is_sound, opened_page
from tests.intake.rig import Desk
from tests.intake.test_browser import sign_in
from tests.intake.test_search import named
from tests.intake.test_similar import CITY, MARKED, filed

pytestmark = pytest.mark.browser
LONG = ("Nguyễn Phước Bảo Quỳnh " * 9)[:196].strip()
SCREEN = 900
_ROWS = """() => [...document.querySelectorAll("table.list tbody tr")]
    .map((row) => row.getBoundingClientRect())
    .map((box) => [Math.round(box.top + window.scrollY), Math.round(box.height)])"""
_CUT = """() => [...document.querySelectorAll("table.list a.code")]
    .filter((each) => each.closest("th").scrollWidth > each.closest("th").clientWidth).length"""


@pytest.fixture
def site(embedded):
    desk = Desk(embedded, CITY)
    for number in range(PAGE_SIZE + 3):
        name = LONG if number == 1 else f"Đặng Thị Ánh {number}"
        channel = "online" if number % 5 == 0 else "direct"
        code = filed(desk, contact=named(name, "0907123456"), channel=channel)[0].code
        if number % 5:
            desk.started(code)
        if number % 7 == 1:
            desk.asked_for_papers(code, step=None)
    server = WebServer(desk.web)
    with serving(server):
        yield server.url, desk
    desk.close()


def test_a_page_of_a_list_fits_a_desk_s_screen(browser, site):
    url, desk = site
    with opened_page(browser, DESKTOP) as page:
        page.set_viewport_size({"width": DESKTOP, "height": SCREEN})
        sign_in(page, url, desk)
        rows = page.evaluate(_ROWS)
        assert len(rows) == PAGE_SIZE
        assert len({height for _, height in rows}) == 1, "a name or a badge took a second line"
        assert rows[-1][0] + rows[-1][1] <= SCREEN
        assert page.evaluate(_CUT) == 0


@pytest.mark.parametrize("width", SCREENS)
def test_lists_searches_and_look_alikes_are_sound(browser, site, width):
    url, desk = site
    with opened_page(browser, width) as page:
        sign_in(page, url, desk)
        is_sound(page)
        page.get_by_role("searchbox").fill("dang anh 1")
        page.get_by_role("button", name="Tìm").click()
        page.wait_for_url("**tim=*")
        is_sound(page)
        for address in ("xem=cho-cong-dan", "xem=so&ngay=2022-03-01&in=1", "xem=can-goi"):
            page.goto(f"{url}/ho-so?{address}")
            is_sound(page)
        page.goto(f"{url}/ho-so/moi/{MARKED.code}")
        for name, text in (
            ("f.full_name", "Nguyễn Thị Mai"), ("f.birth_date", "1990-05-04"),
            ("p.to-khai.original", "1"), ("p.giay-to.copy", "1"), ("c.name", "Nguyễn Thị Mai"),
        ):  # fmt: skip
            page.locator(f"[name='{name}']").fill(text)
        page.get_by_role("button", name="Nộp và in giấy hẹn").click()
        page.get_by_text("có thể về cùng một việc").wait_for()
        is_sound(page)
        page.get_by_role("button", name="Đã xem, vẫn nộp hồ sơ mới").click()
        page.wait_for_url("**/giay-hen")
