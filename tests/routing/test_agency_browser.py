"""The agencies' pages in a real browser: accessible, as wide as the screen, usable by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.routing.usecases.reconcile import nightly
from services.routing.usecases.rules import Rules
from shared.web.server import WebServer, serving
from tests.browser import SCREENS, is_sound, opened_page
from tests.routing.town import Town
from tests.staff import carry_in

pytestmark = pytest.mark.browser
CODE = "000.00.01.H20-220301-0001"


@pytest.fixture(params=SCREENS)
def page(browser: Any, small_town: Town, request: pytest.FixtureRequest) -> Iterator[Any]:
    town = small_town
    town.receive(CODE)
    server = WebServer(town.service.web)
    with serving(server), opened_page(browser, request.param, base_url=server.url) as shown:
        carry_in(shown, town.service.web, server.url, ("agency", "phuong-1"))
        shown.goto("/nhiem-vu")
        yield shown


def test_an_officer_takes_and_completes_a_task_by_hand(page: Any, small_town: Town) -> None:
    is_sound(page)
    page.get_by_role("link", name="Bước birth").click()
    is_sound(page)
    page.get_by_label("Cán bộ thụ lý").fill("Trần Văn Cảnh")
    page.get_by_role("button", name="Nhận nhiệm vụ").click()
    page.get_by_text("Đã ghi nhận: nhận nhiệm vụ.").wait_for()
    page.get_by_label("Số, ký hiệu văn bản").fill("05/2022")
    page.get_by_role("button", name="Gửi kết quả").click()
    page.get_by_text("Đã ghi nhận: trả kết quả.").wait_for()
    is_sound(page)
    assert small_town.names(CODE).count("step.answered") == 1
    page.get_by_role("link", name="Đã xong").click()
    page.get_by_text(CODE).wait_for()
    is_sound(page)


def test_a_fault_is_shown_where_it_is_and_what_was_typed_stays(page: Any) -> None:
    page.get_by_role("link", name="Bước birth").click()
    page.get_by_role("button", name="Trả kết quả").click()
    page.get_by_label("Kết quả *").select_option("refused")
    page.get_by_label("Số, ký hiệu văn bản").fill("05/2022")
    page.get_by_role("button", name="Gửi kết quả").click()
    page.get_by_text("Chưa gửi được. Vui lòng sửa:").wait_for()
    assert page.get_by_label("Số, ký hiệu văn bản").input_value() == "05/2022"
    is_sound(page)


def test_a_task_is_handed_on_by_hand_after_a_question(page: Any, small_town: Town) -> None:
    page.get_by_role("link", name="Bước birth").click()
    page.get_by_role("button", name="Không thuộc thẩm quyền").click()
    page.get_by_label("Cơ quan có thẩm quyền").select_option("cong-an")
    own = page.locator("form", has=page.locator('input[value="not_ours"]'))
    own.get_by_label("Lý do").fill("Trẻ cư trú ở phường khác")
    is_sound(page)
    page.get_by_role("button", name="Chuyển việc này đi").click()
    page.get_by_text("Chuyển việc này đi?").wait_for()
    is_sound(page)
    assert own.get_by_label("Lý do").input_value() == "Trẻ cư trú ở phường khác"
    page.get_by_role("button", name="Đúng, chuyển đi").click()
    page.get_by_text("đưa vào danh sách điều phối").first.wait_for()
    is_sound(page)
    assert small_town.names(CODE).count("step.transferred") == 1


def test_the_head_places_a_step_by_hand(page: Any, small_town: Town) -> None:
    town = small_town
    town.answer("phuong-1", "not_ours", town.task("phuong-1"), reason="Khác địa bàn", agency="bhxh")
    page.context.clear_cookies()
    carry_in(page, town.service.web, page.url.partition("/nhiem-vu")[0], ("head", "phuong-1"))
    page.goto("/nhiem-vu/dieu-phoi")
    is_sound(page)
    assert page.get_by_label("Cơ quan làm").input_value() == "bhxh", "whom the agency named"
    page.get_by_label("Lời nhắn").fill("Việc này của bảo hiểm xã hội")
    page.get_by_role("button", name="Giao việc").click()
    page.get_by_text("Đã giao việc cho Cơ quan bhxh.").wait_for()
    is_sound(page)


def test_the_hand_over_book_is_read_by_hand(page: Any) -> None:
    page.get_by_role("link", name="Sổ giao nhận").click()
    page.get_by_text(CODE).wait_for()
    is_sound(page)
    page.get_by_label("Ngày ghi sổ").fill("28/2/2022")
    page.get_by_role("button", name="Xem").click()
    page.get_by_text("Không có bản tin nào").wait_for()
    is_sound(page)


def test_the_head_sees_how_agencies_keep_pace(page: Any, small_town: Town) -> None:
    page.context.clear_cookies()
    carry_in(page, small_town.service.web, page.url.partition("/nhiem-vu")[0], ("head", "phuong-1"))
    page.goto("/nhiem-vu/cac-co-quan")
    page.get_by_role("rowheader", name="Cơ quan phuong-1").wait_for()
    is_sound(page)


def test_what_differs_is_read_from_the_book(page: Any, small_town: Town) -> None:
    town = small_town
    for code in (CODE[:-1] + str(n) for n in range(2, 6)):
        town.receive(code)
    town.clock.advance(timedelta(days=2))
    list(nightly(Rules(town.rules))(town.service.store, None))
    page.get_by_role("link", name="Sổ giao nhận").click()
    page.get_by_role("link", name="Đối chiếu: ngày nào hai bên lệch").click()
    page.get_by_text("Chưa ai ở cơ quan thấy những việc này").wait_for()
    is_sound(page)
    page.get_by_role("link", name="01/03/2022").click()
    page.get_by_text(CODE).wait_for()


def test_an_agency_sets_its_webhook_by_hand(page: Any) -> None:
    page.get_by_role("link", name="Kết nối").click()
    page.get_by_label("Địa chỉ webhook").fill("https://10.0.0.1/")
    page.get_by_label("Thôi việc").check()
    page.get_by_label("Thư báo cho").fill("hoa@phuong1.example")
    page.get_by_role("button", name="Lưu").click()
    page.get_by_text("Chưa lưu được. Vui lòng sửa:").wait_for()
    assert page.get_by_label("Thôi việc").is_checked()
    page.get_by_label("Địa chỉ webhook").fill("https://phuong1.example/webhook")
    page.get_by_role("button", name="Lưu").click()
    page.get_by_text("whsec_").wait_for()
    is_sound(page)
