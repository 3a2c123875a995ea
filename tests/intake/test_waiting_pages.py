"""Papers that are awaited, on the pages: the date, more time by a form, and how it ended."""

from __future__ import annotations

import pytest

from services.intake.usecases import desk as verbs
from shared.events.routing import SupplementDropped
from tests.browser import is_sound
from tests.intake.made import OFFICE, vn
from tests.intake.rig import Desk
from tests.intake.test_browser import page, sign_in, site

__all__ = ["page", "site"]
pytestmark = pytest.mark.browser
BY = vn(2022, 3, 9, 17)


def look_up(page, site, desk: Desk, code: str) -> None:
    page.goto(site + "/tra-cuu")
    page.get_by_label("Mã hồ sơ").fill(code)
    page.get_by_label("Từ tra cứu").fill(desk.dossier(code).lookup_word)
    page.get_by_role("button", name="Xem hồ sơ").click()
    page.get_by_text("Các mốc").wait_for()
    is_sound(page)


def asked(desk: Desk) -> str:
    code = desk.submit(channel="online")
    desk.do(
        verbs.request_supplement,
        OFFICE.code,
        code,
        items=["Tờ khai có chữ ký của người khai", "Bản chụp giấy tờ tùy thân rõ nét"],
        reason="Tờ khai chưa ký",
        respond_by=BY,
    )
    return code


def test_the_desk_gives_more_time_and_the_citizen_sees_the_new_date(page, site, embedded_desk):
    code = asked(embedded_desk)
    sign_in(page, site, embedded_desk)
    page.goto(f"{site}/ho-so/{code}")
    page.locator("summary", has_text="Lùi hạn bổ sung").click()
    is_sound(page)
    page.get_by_label("Trả lời trước ngày (đến 17 giờ)").fill("2022-03-08")
    page.get_by_role("button", name="Lùi hạn bổ sung").click()
    page.get_by_text("Hạn mới phải sau hạn hiện nay").first.wait_for()
    is_sound(page)
    page.get_by_label("Trả lời trước ngày (đến 17 giờ)").fill("2022-03-16")
    page.get_by_role("button", name="Lùi hạn bổ sung").click()
    page.get_by_text("Lùi hạn bổ sung (lần 1)").wait_for()
    is_sound(page)
    look_up(page, site, embedded_desk, code)
    assert "17:00 ngày 16/03/2022" in page.get_by_text("Hạn bổ sung:").inner_text()


def test_a_request_that_nobody_answered_is_told_to_both(page, site, embedded_desk):
    code = asked(embedded_desk)
    embedded_desk.clock.set(BY)
    embedded_desk.rest()
    look_up(page, site, embedded_desk, code)
    assert page.get_by_text("Giấy tờ yêu cầu ngày 01/03 chưa có đến 17:00 09/03/2022").count() == 2
    assert page.get_by_text("Nộp lại tại UBND Phường 1").count() == 1
    sign_in(page, site, embedded_desk)
    page.goto(f"{site}/ho-so/{code}")
    page.get_by_text("Không tiếp nhận hồ sơ").first.wait_for()
    assert page.locator("summary", has_text="Nộp bổ sung").count() == 0
    is_sound(page)


def test_papers_of_an_agency_that_are_no_longer_awaited_are_shown(page, site, embedded_desk):
    code = embedded_desk.submit()
    embedded_desk.started(code)
    embedded_desk.asked_for_papers(code, respond_by=BY)
    embedded_desk.clock.set(BY)
    embedded_desk.rest()
    reason = "Công dân không bổ sung giấy tờ trong thời hạn đã nêu."
    now = embedded_desk.clock.now()
    embedded_desk.hear(
        SupplementDropped(dossier=code, round=1, step="check", reason=reason, dropped_at=now)
    )
    look_up(page, site, embedded_desk, code)
    assert page.get_by_text("Không còn chờ giấy tờ bổ sung").count() == 1
    assert page.get_by_text(reason).count() == 1
