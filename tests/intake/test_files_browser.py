"""Files in a real browser: a large picture is made small, a wrong one named, and the way of a result."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest
from PIL import Image

from shared.identity.passes import Place
from shared.web.server import WebServer, serving
from simulation.kit import open_city
from tests.browser import PHONE, SCREENS, is_sound, opened_page
from tests.intake import scans
from tests.intake.rig import Desk
from tests.intake.test_browser import sign_in

pytestmark = pytest.mark.browser
BIRTH, OFFICE = "2.000986", "ubnd-phuong-1"


def seen(page, name: str) -> None:
    """A picture for whoever wants to look, where LIENTHONG_TEST_PICTURES names a folder."""
    is_sound(page)
    if folder := os.environ.get("LIENTHONG_TEST_PICTURES"):
        width = page.viewport_size["width"]
        page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


@pytest.fixture(params=SCREENS)
def page(browser, request):
    with opened_page(browser, request.param, accept_downloads=True) as opened:
        yield opened


def photo(folder: Path) -> Path:
    """As a phone takes it: noise, so that it stays large."""
    made = Image.frombytes("RGB", (3000, 2000), os.urandom(3000 * 2000 * 3))
    path = folder / "mặt trước.jpg"
    made.save(path, "JPEG", quality=60)
    assert path.stat().st_size > 1_500_000
    return path


def test_an_officer_adds_scans_and_withdraws_one(page, embedded_desk: Desk, tmp_path: Path):
    desk, code = embedded_desk, embedded_desk.submit()
    with serving(server := WebServer(desk.web)):
        sign_in(page, server.url, desk)
        page.goto(f"{server.url}/ho-so/{code}")
        page.get_by_text("Chưa có tệp nào.").wait_for()
        seen(page, "files-empty")
        wrong = tmp_path / "lạ.pdf"
        wrong.write_bytes(b"<html>")
        page.get_by_label("Thêm bản quét từ máy").set_input_files([photo(tmp_path), wrong])
        page.get_by_text("2 tệp,").wait_for()
        page.get_by_role("button", name="Lưu tệp").click()
        page.get_by_text("lạ.pdf: không phải PDF, JPEG hay PNG").first.wait_for()
        page.get_by_text("Đã lưu 1 tệp").wait_for()
        seen(page, "files-one-wrong")
        with page.expect_download() as told:
            page.get_by_role("link", name="mặt trước.jpg").click()
        small = Image.open(io.BytesIO(told.value.path().read_bytes()))
        assert max(small.size) == 2400
        page.get_by_text("Gỡ tệp này").click()
        page.get_by_label("Lý do gỡ").fill("nhầm hồ sơ")
        seen(page, "files-withdrawing")
        page.get_by_role("button", name="Gỡ tệp").click()
        page.get_by_text("Đã gỡ tệp; mã băm và lý do được giữ lại.").wait_for()
        seen(page, "files-withdrawn")


def test_without_a_script_the_form_works_as_well(browser, embedded_desk: Desk, tmp_path: Path):
    desk, code = embedded_desk, embedded_desk.submit()
    with (
        serving(server := WebServer(desk.web)),
        opened_page(browser, PHONE, java_script_enabled=False) as page,
    ):
        sign_in(page, server.url, desk)
        page.goto(f"{server.url}/ho-so/{code}")
        path = tmp_path / "a.pdf"
        path.write_bytes(scans.pdf())
        page.get_by_label("Hoặc chụp bằng điện thoại").set_input_files(path)
        page.get_by_role("button", name="Lưu tệp").click()
        page.get_by_role("link", name="a.pdf").wait_for()


def test_a_result_from_the_agencys_page_to_the_citizens(page, tmp_path: Path):
    with open_city(tmp_path / "city") as city, serving(server := WebServer(city.built.web)):
        desk = city.desk(OFFICE)
        receipt = desk.submit(BIRTH)
        code = receipt.code
        city.until(lambda: desk.status(code) == 4)
        ward, *others = city.agencies_of(BIRTH, OFFICE)
        (task,) = city.agency(ward).tasks(code)
        login, password = city.account(Place("agency", ward))
        page.goto(f"{server.url}/nhiem-vu/{task.id}")
        page.get_by_label("Tên đăng nhập").fill(login)
        page.get_by_label("Mật khẩu").fill(password)
        page.get_by_role("button", name="Vào làm việc").click()
        page.get_by_role("heading", name="Tệp của hồ sơ").wait_for()
        seen(page, "task")
        result = tmp_path / "kết quả.pdf"
        result.write_bytes(b"MZ")
        page.get_by_label("Nộp tệp kết quả trước khi trả lời").set_input_files(result)
        page.get_by_role("button", name="Nộp tệp", exact=True).click()
        page.get_by_text("không phải PDF").first.wait_for()
        seen(page, "result-wrong")
        result.write_bytes(scans.pdf())
        page.get_by_label("Chọn tệp khác").set_input_files(result)
        page.get_by_role("button", name="Nộp tệp kết quả", exact=True).click()
        page.get_by_text("Đã nhận tệp kết quả").wait_for()
        seen(page, "result-handed-in")
        page.get_by_role("link", name="Xem bản quét và kết quả").click()
        page.get_by_text("kết quả.pdf").wait_for()
        seen(page, "files-of-agency")
        page.go_back()
        page.get_by_role("button", name="Gửi kết quả").click()
        page.get_by_text("Đã ghi nhận: trả kết quả").wait_for()
        for other in others:
            with city.agency(other) as agency:
                city.until(lambda agency=agency: bool(agency.tasks(code)))
                agency.grant(agency.tasks(code)[0])
        city.until(lambda: desk.status(code) == 9)
        page.context.clear_cookies()
        page.goto(f"{server.url}/tra-cuu")
        page.get_by_label("Mã hồ sơ").fill(code)
        page.get_by_label("Từ tra cứu").fill(receipt.word)
        page.get_by_role("button", name="Xem hồ sơ").click()
        page.get_by_text("Có 1 tệp kết quả").wait_for()
        seen(page, "found-with-result")
        page.get_by_role("button", name="Gửi mã cho tôi").click()
        page.get_by_label("Mã xác nhận").wait_for()
        seen(page, "result-code")
        city.rest()
        text = next(e.text for e in city.sent(code) if e.moment == "result_code") or ""
        page.get_by_label("Mã xác nhận").fill("000000")
        page.get_by_role("button", name="Mở kết quả").click()
        page.get_by_text("Mã không đúng").wait_for()
        page.get_by_label("Mã xác nhận").fill(re.findall(r"\b\d{6}\b", text.replace(code, ""))[0])
        page.get_by_role("button", name="Mở kết quả").click()
        with page.expect_download() as told:
            page.get_by_role("link", name="kết quả.pdf").click()
        assert told.value.path().read_bytes() == result.read_bytes()
        seen(page, "result-open")
