"""A representative and a number at which nothing arrives, in a real browser: held, sound, said."""

from __future__ import annotations

import pytest

from shared.events.notify import AddressFailed
from shared.web.server import WebServer, serving
from tests.browser import PHONE, is_sound, opened_page
from tests.intake.made import PROCEDURE
from tests.intake.rig import Desk
from tests.intake.test_browser import sign_in
from tests.intake.test_similar import CITY

pytestmark = pytest.mark.browser


def test_a_number_is_asked_about_and_a_representative_shown(browser, embedded):  # type: ignore[no-untyped-def]
    desk = Desk(embedded, CITY)
    code = desk.submit()
    desk.hear(AddressFailed(dossier=code, channel="sms", at=desk.clock.now()))
    server = WebServer(desk.web)
    with serving(server), opened_page(browser, PHONE) as page:
        sign_in(page, server.url, desk)
        page.goto(f"{server.url}/ho-so/{code}")
        is_sound(page)
        page.get_by_role("link", name="Ghi lại cách liên hệ").click()
        page.get_by_text("Báo tin cho người được ủy quyền thay người nộp").click()
        page.get_by_label("Họ và tên người được ủy quyền").fill("Trần Văn Ba")
        page.get_by_label("Số điện thoại người được ủy quyền").fill("0912345678")
        page.get_by_role("button", name="Lưu cách liên hệ").click()
        page.get_by_text("Giấy ủy quyền", exact=False).first.wait_for()
        is_sound(page)
        page.get_by_label("Giấy ủy quyền").fill("GUQ 12/2022")
        page.locator("[name='c.mail']").uncheck()
        page.get_by_role("button", name="Lưu cách liên hệ").click()
        page.get_by_text("Trần Văn Ba (GUQ 12/2022)").wait_for()
        is_sound(page)
        page.goto(f"{server.url}/ho-so/moi/{PROCEDURE.code}")
        page.get_by_label("Số điện thoại", exact=True).fill("0907 123 456")
        is_sound(page)
    desk.close()
