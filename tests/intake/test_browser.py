"""Intake's pages in a real browser: filled in by hand, nothing blocked, inaccessible or too wide."""

from __future__ import annotations

import pytest

from services.intake.usecases import desk as verbs
from shared.web.server import WebServer, serving
from tests.browser import PHONE, SCREENS, is_sound, opened_page
from tests.intake.made import OFFICE

pytestmark = pytest.mark.browser


@pytest.fixture
def site(embedded_desk):
    server = WebServer(embedded_desk.web)
    with serving(server):
        yield server.url


@pytest.fixture(params=SCREENS)
def page(browser, request):
    with opened_page(browser, request.param) as opened:
        yield opened


def sign_in(page, site, desk, login="Hoa.Nguyen"):
    _, password = desk.person(login=login.lower())
    page.goto(f"{site}/dang-nhap")
    page.get_by_label("Tên đăng nhập").fill(login)
    page.get_by_label("Mật khẩu").fill(password)
    page.get_by_role("button", name="Vào làm việc").click()
    page.wait_for_url(f"{site}/ho-so")


def test_an_officer_files_a_dossier_and_hands_out_the_receipt(page, site, embedded_desk):
    sign_in(page, site, embedded_desk)
    page.get_by_role("link", name="Nộp hồ sơ mới").click()
    is_sound(page)
    page.get_by_role("link", name="Thủ tục thử nghiệm").first.click()
    is_sound(page)
    page.get_by_label("Họ và tên", exact=False).first.fill("Nguyễn Thị Mai")
    page.get_by_role("button", name="Nộp và in giấy hẹn").click()
    page.get_by_text("chỗ cần sửa").wait_for()
    is_sound(page)
    assert page.get_by_label("Họ và tên", exact=False).first.input_value() == "Nguyễn Thị Mai"
    page.get_by_label("Ngày sinh").fill("1990-05-04")
    page.get_by_label("Diện tích").fill("1.25")
    page.get_by_label("Giá (đồng)").fill("1.500.000.000 đ")
    page.get_by_role("button", name="Nộp và in giấy hẹn").click()
    page.locator("small").get_by_text("1.25 có thể là 1,25 hoặc 125").wait_for()
    is_sound(page)
    page.locator(".notice.bad:focus").wait_for()
    page.get_by_role("link", name="Diện tích").click()
    assert page.evaluate("document.activeElement.name") == "f.area"
    assert page.get_by_label("Diện tích").input_value() == "1.25"
    assert page.get_by_label("Giá (đồng)").input_value() == "1.500.000.000 đ"
    page.get_by_label("Diện tích").fill("1.250")
    page.locator("[name='p.to-khai.original']").fill("1")
    page.locator("[name='p.giay-to.copy']").fill("1")
    page.locator("[name='c.name']").fill("Nguyễn Thị Mai")
    page.get_by_role("button", name="Nộp và in giấy hẹn").click()
    page.wait_for_url("**/giay-hen*")
    is_sound(page)
    assert page.get_by_text("09:00 ngày 08/03/2022").is_visible()
    assert page.get_by_text("1.250 m²").is_visible()
    assert page.get_by_text("1.500.000.000 đồng").is_visible()
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation").first.is_visible()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="Xem hồ sơ").click()
    is_sound(page)
    page.get_by_text("Rút hồ sơ").first.click()
    is_sound(page)
    page.get_by_label("Lý do công dân rút hồ sơ").fill("Đổi ý")
    page.get_by_role("button", name="Rút hồ sơ").click()
    page.get_by_text("Không làm lại được").wait_for()
    assert "Rút hồ sơ?" in page.evaluate("document.activeElement.textContent"), "asked aloud"
    is_sound(page)
    page.get_by_role("button", name="Quay lại sửa").click()
    assert page.get_by_label("Lý do công dân rút hồ sơ").input_value() == "Đổi ý"


def test_the_list_and_the_report_are_sound(page, site, embedded_desk):
    embedded_desk.submit()
    embedded_desk.submit(channel="online")
    sign_in(page, site, embedded_desk)
    is_sound(page)
    page.get_by_text("Lọc thêm").click()
    is_sound(page)
    page.goto(f"{site}/bao-cao?thang=2022-03")
    is_sound(page)


@pytest.fixture
def phone(browser):
    with opened_page(browser, PHONE) as opened:
        yield opened


@pytest.mark.parametrize("end", ["waiting", "refused"])
def test_a_citizen_finds_a_dossier(phone, site, embedded_desk, end):
    code = embedded_desk.submit(channel="online" if end == "refused" else "direct")
    word = embedded_desk.dossier(code).lookup_word
    if end == "refused":
        embedded_desk.do(
            verbs.refuse, OFFICE.code, code, reason="Sai nơi nộp", next_step="Nộp ở Phường 2"
        )
    else:
        embedded_desk.started(code)
        embedded_desk.asked_for_papers(code, step=None)
    phone.goto(site)
    is_sound(phone)
    phone.get_by_label("Mã hồ sơ").fill(code)
    phone.get_by_label("Từ tra cứu").fill("AAAAAA")
    phone.get_by_role("button", name="Xem hồ sơ").click()
    phone.get_by_text("Không có hồ sơ nào").wait_for()
    is_sound(phone)
    phone.get_by_label("Từ tra cứu").fill(word.lower())
    phone.get_by_role("button", name="Xem hồ sơ").click()
    phone.get_by_text("Các mốc").wait_for()
    is_sound(phone)
