"""Every flow of the desk and of the citizen with a keyboard and nothing else.

Filing is in test_at_the_keyboard.py and test_keys_browser.py; how somebody gets along without a
mouse in hands.py.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.web.server import WebServer, serving
from tests.browser import DESKTOP, opened_page
from tests.intake.hands import Hands
from tests.intake.made import CONTACT, OFFICE
from tests.intake.test_pages import FILLED, Browser
from tests.intake.test_returning import with_results

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture
def hands(browser, embedded_desk):
    server = WebServer(embedded_desk.web)
    with serving(server), opened_page(browser, DESKTOP) as page:
        yield Hands(page, server.url)


def test_a_citizen_looks_up_and_turns_the_page_into_english_and_back(hands, embedded_desk):
    code = embedded_desk.submit()
    word = embedded_desk.dossier(code).lookup_word
    hands.page.goto(hands.url)
    hands.to("Đến nội dung chính").press("Enter")
    assert hands.page.evaluate("document.activeElement.id") == "noi-dung"
    hands.to("Mã hồ sơ").type(code).to("Từ tra cứu").type(word).press("Enter").told("Các mốc")
    hands.to("English").press("Enter").told("What has happened")
    hands.to("Tiếng Việt").press("Enter").told("Các mốc")
    hands.to("Tra cứu hồ sơ khác").press("Enter").told("in trên giấy hẹn")


def test_before_reception_and_what_cannot_be_undone(hands, embedded_desk):
    desk = embedded_desk
    hands.sign_in(desk)
    code = desk.submit(channel="online")
    hands.find(code).to("Yêu cầu bổ sung").press("Enter").to("Giấy tờ, thông tin").type(
        "Giấy khai sinh"
    )
    hands.to("Lý do").type("bản chụp mờ").to("Gửi yêu cầu bổ sung").press("Enter")
    hands.told("Đã gửi yêu cầu bổ sung")
    assert int(desk.dossier(code).status) == 5
    hands.find(code).to("Lùi hạn bổ sung").press("Enter").to("Trả lời trước ngày").type(
        "30/03/2023"
    )
    hands.to("Lùi hạn bổ sung").press("Enter").told("Đã lùi hạn bổ sung")
    hands.find(code).to("Nộp bổ sung").press("Enter").to("Bản chính").type("1").to(
        "Ghi nhận bổ sung"
    ).press("Enter")
    hands.told("Đã ghi nhận phần bổ sung")
    hands.find(code).to("Tiếp nhận").press("Enter").to("Tiếp nhận và in giấy hẹn").press("Enter")
    hands.page.wait_for_url("**/giay-hen*")
    assert int(desk.dossier(code).status) == 2
    refused = desk.submit(channel="online")
    hands.find(refused).to("Từ chối tiếp nhận").press("Enter").to("Lý do từ chối").type(
        "Sai nơi nộp"
    )
    hands.to("Hướng dẫn").type("Nộp ở Phường 2").to("Từ chối tiếp nhận và in phiếu").press("Enter")
    hands.told("Không làm lại được").to("Từ chối tiếp nhận").press("Enter")
    hands.page.wait_for_url("**/phieu-tu-choi*")
    assert int(desk.dossier(refused).status) == 3


def test_after_reception_up_to_the_result(hands, embedded_desk):
    desk = embedded_desk
    hands.sign_in(desk)
    code = with_results(desk)
    hands.find(code).to("Sửa cách liên hệ").press("Enter").to("Số điện thoại").press("Control+A")
    hands.type("0912 345 678").to("Lưu cách liên hệ").press("Enter").told("Đã lưu cách liên hệ")
    hands.find(code).to("Trả kết quả").press("Enter").to("Người nhận").press("ArrowDown")
    hands.to("Đã xem giấy tờ tùy thân").press("Space").to("Ghi nhận đã trả kết quả").press("Enter")
    hands.told("Đã ghi nhận trả kết quả")
    assert int(desk.dossier(code).status) == 10
    other = desk.submit(contact=replace(CONTACT, address="12 Nguyễn Huệ"))
    hands.find(other).to("Sửa hồ sơ").press("Enter").to("Họ và tên").press("Control+A")
    hands.type("Nguyễn Thị May").to("Vì sao sửa").type("gõ nhầm").to("Lưu bản sửa").press("Enter")
    hands.told("Đã sửa hồ sơ")
    assert desk.dossier(other).form["full_name"] == "Nguyễn Thị May"
    hands.find(other).to("Rút hồ sơ").press("Enter").to("Lý do công dân").type("đổi ý")
    hands.to("Rút hồ sơ").press("Enter").told("Không làm lại được").to("Rút hồ sơ").press("Enter")
    hands.told("Đã rút hồ sơ")


def test_lists_tabs_filters_files_and_the_report(hands, embedded_desk):
    desk = embedded_desk
    codes = [desk.submit(channel="online" if number % 2 else "direct") for number in range(4)]
    hands.sign_in(desk)
    hands.to("Cần kiểm tra").press("Enter").told("2 hồ sơ")
    hands.to("Lọc thêm").press("Enter").to("Hình thức nộp").press("ArrowDown").to("Lọc").press(
        "Enter"
    )
    hands.told("Không có hồ sơ nào khớp bộ lọc").to("Bỏ lọc").press("Enter").told("2 hồ sơ")
    hands.to(codes[1]).press("Enter").told("Việc có thể làm")
    hands.to("Báo cáo").press("Enter").told("II.06a").to("Tháng").press("Control+A")
    hands.type("03/2022").press("Enter").told("tháng 03/2022")
    hands.press("Alt+N").told("Nộp hồ sơ mới").to("Nhập nhiều hồ sơ").press("Enter")
    hands.told("Mỗi dòng của tệp").to("Thủ tục").press("ArrowDown").to("Tệp Excel")
    sheet = {"name": "a.csv", "mimeType": "text/csv", "buffer": "Số thứ tự\n1\n".encode()}
    hands.page.locator("input:focus").set_input_files(sheet)  # the dialog is the browser's own
    hands.to("Nhập tệp").press("Enter").told("Cột")


def test_ones_account_ones_colleagues_and_the_way_out(hands, embedded_desk):
    desk = embedded_desk
    given = Browser(desk, ("officer", OFFICE.code), login="lan", name="Lê Thị Lan")
    assert given.post("/ho-so/moi/1.000001", FILLED).status_code == 303
    hands.sign_in(desk)
    hands.page.goto(f"{hands.url}/can-bo")
    hands.to("Người giao").press("ArrowDown").to("Người nhận").press("N").to("Bàn giao")
    hands.press("Enter").told("Đã bàn giao 1 hồ sơ")
    hands.page.goto(f"{hands.url}/tai-khoan")
    hands.to("Mật khẩu hiện nay").type("sai").to("Mật khẩu mới").type("con trâu đi trước cái cày")
    hands.to("Gõ lại").type("con trâu đi trước cái cày").press("Enter")
    hands.told("Mật khẩu hiện nay không đúng")
    hands.to("Bật mã xác thực").press("Enter").told("quét mã").to("Thôi, không bật").press("Enter")
    hands.to("Đăng xuất").press("Enter").told("Tra cứu")
