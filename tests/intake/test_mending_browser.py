"""In a real browser: a waybill is put right, and a file goes in without its unknown column."""

from __future__ import annotations

import pytest

from shared.web.server import WebServer, serving
from tests.browser import SCREENS, is_sound, opened_page
from tests.intake.files import HEADER, csv_of, row
from tests.intake.rig import Desk
from tests.intake.test_browser import sign_in
from tests.intake.test_returning import ADDRESS, BOTH, with_results

pytestmark = pytest.mark.browser
WIDTHS = pytest.mark.parametrize("width", SCREENS)


@pytest.fixture
def site(embedded):
    desk = Desk(embedded)
    server = WebServer(desk.web)
    with serving(server):
        yield server.url, desk
    desk.close()


def post(page, step: str, waybill: str) -> None:
    act = page.locator("form", has=page.get_by_role("button", name="Ghi nhận đã trả kết quả"))
    if act.locator("[name=steps]").count():
        act.locator(f"[name=steps]:not([value={step}])").uncheck()
    act.locator("[name=method]").select_option("post")
    act.locator("[name=waybill]").fill(waybill)
    act.get_by_role("button").click()
    page.wait_for_url("**xong=return-result**")


@WIDTHS
def test_a_waybill_is_mended_by_keyboard(browser, site, width):
    url, desk = site
    code = with_results(desk, *BOTH)
    with opened_page(browser, width) as page:
        sign_in(page, url, desk)
        for step, number in (("card", "RR123456789VN"), ("birth", "EA123456789VN")):
            page.goto(f"{url}/ho-so/{code}")
            page.locator("summary", has_text="Trả kết quả").click()
            post(page, step, number)
        page.locator("summary", has_text="Sửa mã vận đơn").press("Enter")
        act = page.locator("form", has=page.get_by_role("button", name="Lưu mã vận đơn đúng"))
        act.locator("[name=number]").select_option("1")
        act.locator("[name=waybill]").fill("RR123456798VN")
        act.get_by_role("button").press("Enter")
        is_sound(page)
        act.locator("[name=reason]").fill("Gõ nhầm hai số cuối")
        act.locator("[name=reason]").press("Tab")
        page.keyboard.press("Enter")
        page.get_by_text("Đã sửa mã vận đơn; công dân được báo mã đúng.").wait_for()
        assert page.get_by_text("RR123456789VN → RR123456798VN").count()
        is_sound(page)
    assert [each.waybill for each in desk.dossier(code).handed] == [
        "RR123456798VN", "EA123456789VN",
    ]  # fmt: skip
    assert desk.dossier(code).contact.address == ADDRESS


@WIDTHS
def test_an_unknown_column_is_ticked_away(browser, site, width, tmp_path):
    url, desk = site
    file = tmp_path / "tệp.csv"
    file.write_bytes(csv_of([*row("a-1"), "x"], header=[*HEADER, "Ngày sihn của người nộp đơn"]))
    with opened_page(browser, width) as page:
        sign_in(page, url, desk)
        page.goto(f"{url}/ho-so/nhap-tep")
        page.locator("[name=procedure]").select_option("1.000001")
        page.locator("[name=file]").set_input_files(file)
        page.get_by_role("button", name="Nhập tệp").click()
        page.get_by_label("Không đọc cột").check()
        is_sound(page)
        page.locator("[name=file]").set_input_files(file)
        page.get_by_role("button", name="Nhập tệp").click()
        page.get_by_text("Không đọc cột: «Ngày sihn").wait_for()
        is_sound(page)
