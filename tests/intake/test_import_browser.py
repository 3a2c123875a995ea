"""The page for files in a real browser: a file handed in, its progress, its bad rows."""

from __future__ import annotations

import io
import threading

import openpyxl
import pytest

from shared.web.server import WebServer, serving
from tests.browser import DESKTOP, PHONE, is_sound, opened_page
from tests.intake.files import row, work, xlsx_of
from tests.intake.test_browser import sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def site(embedded_desk):
    server = WebServer(embedded_desk.web)
    with serving(server):
        yield server.url


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(browser, request):
    with opened_page(browser, request.param, accept_downloads=True) as opened:
        yield opened


def test_an_officer_hands_in_a_file_and_takes_the_bad_rows_back(
    page, site, embedded_desk, tmp_path
):
    sign_in(page, site, embedded_desk)
    page.get_by_role("link", name="Nộp hồ sơ mới").click()
    page.get_by_role("link", name="Nhập nhiều hồ sơ từ tệp").click()
    is_sound(page)
    page.get_by_label("Thủ tục").select_option("1.000001")
    file = tmp_path / "danh sách phường.xlsx"
    file.write_bytes(xlsx_of(row("a-1"), row("a-2", birth="31/02/1990", name="")))
    page.get_by_label("Tệp Excel").set_input_files(file)
    page.get_by_role("button", name="Nhập tệp").click()
    page.get_by_text("Đang chờ đến lượt").wait_for()
    is_sound(page)
    threading.Thread(target=work, args=(embedded_desk,)).start()
    page.get_by_text("Đã nhập xong: 2 / 2 dòng").wait_for()
    page.get_by_text("Cột E (Ngày sinh)").wait_for()
    is_sound(page)
    with page.expect_download() as told:
        page.get_by_role("link", name="Tải 1 dòng cần sửa").click()
    book = openpyxl.load_workbook(io.BytesIO(told.value.path().read_bytes()))
    assert [cell.value for cell in book.active["B"]] == ["Số thứ tự", "a-2"]
    page.get_by_role("link", name="← Nhập tệp").click()
    page.get_by_role("link", name="danh sách phường.xlsx").wait_for()
    page.get_by_text("Tải tệp mẫu của thủ tục").click()
    is_sound(page)
