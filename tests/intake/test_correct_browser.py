"""Correcting a dossier in a real browser: the page, its faults, two officers at once, the dossier afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.intake.domain.correcting import version_of
from services.intake.usecases import desk as verbs
from shared.web.server import WebServer, serving
from tests.browser import SCREENS, is_sound, opened_page
from tests.intake.made import OFFICE
from tests.intake.rig import Desk
from tests.intake.test_browser import sign_in
from tests.intake.test_returning import with_results

pytestmark = pytest.mark.browser


@pytest.fixture
def site(embedded):
    desk = Desk(embedded)
    server = WebServer(desk.web)
    with serving(server):
        yield server.url, desk
    desk.close()


def _seen(page, name: str, width: int) -> None:
    """A picture for whoever asks for one."""
    if folder := os.environ.get("LIENTHONG_TEST_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


@pytest.mark.parametrize("width", SCREENS)
def test_a_typo_is_corrected_while_a_colleague_corrects_another(browser, site, width):
    url, desk = site
    code = desk.submit()
    with opened_page(browser, width) as page:
        sign_in(page, url, desk)
        page.goto(f"{url}/ho-so/{code}")
        is_sound(page)
        page.get_by_role("link", name="Sửa hồ sơ (chỗ ghi nhầm)").click()
        is_sound(page)
        _seen(page, "correct", width)
        page.get_by_label("Họ và tên", exact=False).first.fill("Nguyễn Thị Mây")
        page.get_by_role("button", name="Lưu bản sửa").click()
        page.get_by_text("Chưa lưu được").wait_for()
        is_sound(page)
        version = version_of(desk.dossier(code))
        mended = {"full_name": "Nguyễn Thị May", "birth_date": "1990-05-14"}
        desk.do(
            verbs.correct,
            OFFICE.code,
            code,
            version=version,
            reason="nhầm",
            form=mended,
            contact={},
        )
        page.locator("[name='reason']").fill("gõ nhầm so với căn cước")
        page.get_by_role("button", name="Lưu bản sửa").click()
        page.get_by_text("vừa được người khác thay đổi").wait_for()
        is_sound(page)
        _seen(page, "conflict", width)
        assert page.locator("[name='f.birth_date']").input_value() == "14/05/1990"
        page.get_by_role("button", name="Lưu bản sửa").click()
        page.get_by_text("Đã sửa hồ sơ").wait_for()
        is_sound(page)
        _seen(page, "corrected", width)
        page.get_by_role("link", name="Giấy hẹn (bản sửa)").click()
        is_sound(page)
        _seen(page, "receipt", width)
    assert desk.dossier(code).form == {"full_name": "Nguyễn Thị Mây", "birth_date": "1990-05-14"}


@pytest.mark.parametrize("width", SCREENS)
def test_results_are_handed_over_in_parts_and_the_posted_one_is_on_the_days_list(
    browser, site, width
):
    url, desk = site
    code = with_results(desk)
    with opened_page(browser, width) as page:
        sign_in(page, url, desk)
        for label, faulty in (("Người nhận", True), ("Mã vận đơn", False)):
            page.goto(f"{url}/ho-so/{code}")
            page.get_by_text("Trả kết quả", exact=True).click()
            if not faulty:
                page.get_by_label("Công dân nhận bằng cách nào").select_option("post")
                page.get_by_label(label).fill("RR 123456789 VN")
                page.get_by_label("không giải quyết").uncheck()
            page.get_by_role("button", name="Ghi nhận đã trả kết quả").click()
            page.get_by_role("alert" if faulty else "status").first.wait_for()
            is_sound(page)
            _seen(page, "return-faulty" if faulty else "returned", width)
        page.goto(f"{url}/ho-so/gui-buu-dien")
        page.get_by_text("RR123456789VN").wait_for()
        is_sound(page)
        _seen(page, "posting", width)
        page.goto(f"{url}/ho-so?xem=cho-tra")
        is_sound(page)
    assert [r.step for r in desk.dossier(code).results_left] == ["card"]
