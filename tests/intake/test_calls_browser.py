"""The desk's call in a real browser: what to say is read at a glance, the outcome is one choice."""

from __future__ import annotations

import pytest

from services.intake.usecases import desk as verbs
from shared.web.server import WebServer, serving
from tests.browser import SCREENS, is_sound, opened_page
from tests.intake.made import OFFICE
from tests.intake.rig import Desk
from tests.intake.test_browser import sign_in
from tests.intake.test_calls import WORDS, answers, asked_to_call
from tests.intake.test_similar import CITY

pytestmark = pytest.mark.browser


@pytest.fixture
def site(embedded):
    desk = Desk(embedded, CITY)
    code = desk.submit()
    desk.started(code)
    desk.resolved(code)
    asked_to_call(desk, code)
    server = WebServer(desk.web)
    with serving(server):
        yield server.url, desk, code
    desk.close()


@pytest.mark.parametrize("width", SCREENS)
def test_an_officer_calls_says_the_words_and_notes_what_came_of_it(browser, site, width):
    url, desk, code = site
    desk.do(verbs.called, OFFICE.code, code, outcome="no_answer")
    with opened_page(browser, width) as page:
        sign_in(page, url, desk)
        page.goto(f"{url}/ho-so/{code}")
        page.get_by_text("Ghi nhận đã gọi điện", exact=False).first.click()
        page.get_by_text(WORDS).wait_for()
        is_sound(page)
        page.get_by_label("Kết quả cuộc gọi").select_option("wrong_number")
        page.get_by_role("button", name="Ghi kết quả cuộc gọi").click()
        page.get_by_text("Đã ghi nhận cuộc gọi.").wait_for()
        page.get_by_text("tin gửi tới số này không tới").wait_for()
        is_sound(page)
    assert answers(desk, code)[-1] == ("wrong_number", ("m-1",))
