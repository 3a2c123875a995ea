"""What comes up between reception and the result, with a keyboard and nothing else (hands.py)."""

from __future__ import annotations

import pyotp
import pytest

from services.intake.domain.statuses import Status
from shared.events.intake import DossierReturned, ExtensionGranted, ExtensionRefused
from shared.events.routing import PaymentRequested
from shared.web.server import WebServer, serving
from tests.browser import DESKTOP, opened_page
from tests.intake.hands import Hands
from tests.intake.line import ROWS, Line, settled, until
from tests.intake.rig import AGENCY
from tests.intake.test_apologies import missed_at_the_desk
from tests.intake.test_extensions import asked
from tests.intake.test_offline_browser import BACK, all_sent
from tests.intake.test_returning import with_results

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture
def hands(browser, embedded_desk):
    server = WebServer(embedded_desk.web)
    with serving(server), opened_page(browser, DESKTOP) as page:
        made = Hands(page, server.url)
        made.sign_in(embedded_desk)
        yield made


def test_a_payment_is_taken_down(hands, embedded_desk):
    code = embedded_desk.submit(procedure="1.000002")
    embedded_desk.started(code)
    asks = PaymentRequested(
        dossier=code, step="pay", agency=AGENCY, amount_vnd=1_250_000, reference="TB-1",
        requested_at=embedded_desk.clock.now(),
    )  # fmt: skip
    embedded_desk.hear(asks)
    hands.find(code).to("Ghi nhận đã nộp tiền").press("Enter").to("Số biên lai").type("BL-9")
    hands.to("Ghi nhận đã nộp tiền").press("Enter").told("Đã ghi nhận tiền nộp")


def test_the_head_grants_one_extension_and_refuses_another(hands, embedded_desk):
    desk = embedded_desk
    for kind, words in ((ExtensionGranted, "Đồng ý gia hạn"), (ExtensionRefused, "Không đồng ý")):
        code = desk.submit()
        desk.started(code)
        desk.hear(asked(code))
        hands.find(code).to(words).press("Enter")
        if kind is ExtensionRefused:
            hands.to("Lý do").type("Công dân cần gấp")
        hands.to(words).press("Enter").told("cơ quan được báo")
        assert [type(each) for each in desk.events(code)][-1] is kind


def test_the_head_apologises_and_the_paper_comes(hands, embedded_desk):
    code, _ = missed_at_the_desk(embedded_desk)
    hands.find(code).to("Xin lỗi và hẹn lại").press("Enter").to("Lý do").press("Control+A")
    hands.type("Xác minh lâu").to("Xin lỗi, hẹn lại và in phiếu").press("Enter")
    hands.page.wait_for_url("**/phieu-xin-loi*")
    hands.told("Xác minh lâu")


def test_a_result_goes_by_post_and_its_waybill_is_mended(hands, embedded_desk):
    desk = embedded_desk
    code = with_results(desk)
    hands.find(code).to("Trả kết quả").press("Enter").to("Công dân nhận bằng").press("ArrowDown")
    hands.to("Mã vận đơn").type("RR123456789VN").to("Ghi nhận đã trả kết quả").press("Enter")
    hands.told("Đã ghi nhận trả kết quả")
    assert isinstance(desk.events(code)[-1], DossierReturned)
    hands.find(code).to("Sửa mã vận đơn").press("Enter").to("Mã vận đơn đúng")
    hands.type("RR123456798VN").to("Lý do sửa").type("gõ nhầm").to("Lưu mã vận đơn đúng")
    hands.press("Enter").told("Đã sửa mã vận đơn")
    assert desk.dossier(code).handed[0].waybill == "RR123456798VN"
    assert desk.dossier(code).status is Status.RETURNED


def test_a_second_factor_is_turned_on_and_asked_for(hands, embedded_desk):
    page = hands.page
    page.goto(f"{hands.url}/tai-khoan")
    hands.to("Bật mã xác thực").press("Enter").told("quét mã")
    secret = page.locator(".secret code").inner_text().replace(" ", "")
    hands.to("Mã sáu số").type(pyotp.TOTP(secret).now()).to("Mật khẩu hiện nay")
    hands.type(hands.password).press("Enter").told("Đã bật mã xác thực")
    hands.to("Đăng xuất")
    with page.expect_navigation():
        hands.press("Enter")
    page.goto(f"{hands.url}/dang-nhap")
    page.locator("#f-login:focus").wait_for()
    hands.type("hoa").press("Tab").type(hands.password).press("Enter")
    page.locator("#f-code:focus").wait_for()
    hands.type("000000").press("Enter").told("Mã không đúng")


def test_a_draft_is_found_again_and_another_deleted(hands, embedded_desk):
    page = hands.page
    for name in ("Nguyễn Thị Mai", "Trần Văn Hùng"):
        page.goto(f"{hands.url}/ho-so/moi/1.000001")
        page.locator("[name='f.full_name']:focus").wait_for()
        with page.expect_response("**/ho-so/ban-nhap/*"):
            hands.type(name).press("Tab")
    page.goto(f"{hands.url}/ho-so/ban-nhap")
    hands.to("Xóa bản nháp của Trần Văn Hùng").press("Enter").told("Nguyễn Thị Mai")
    hands.to("Nguyễn Thị Mai").press("Enter")
    page.wait_for_url("**/ho-so/moi/1.000001?nhap=*")
    assert page.locator("[name='f.full_name']").input_value() == "Nguyễn Thị Mai"


def test_without_a_line_a_dossier_is_handed_in_and_sent_when_it_is_back(browser, embedded_desk):
    line = Line(embedded_desk)
    with opened_page(browser, DESKTOP) as page:
        hands = Hands(page, line.url)
        hands.sign_in(embedded_desk)
        settled(page, line.url)
        page.goto(f"{line.url}/ho-so/moi/1.000001")
        line.stop()
        page.locator("[name='f.full_name']:focus").wait_for()
        hands.type("Nguyễn Thị Mai").to("Ngày sinh").type("04/05/1990").press("Alt+Y", "Alt+P")
        hands.press("Control+Enter")
        page.wait_for_url("**/ho-so/cho-gui/giay*")
        line.begin()
        page.evaluate(BACK)
        until(page, ROWS, all_sent)
        assert line.filed() == 1
    line.stop()
