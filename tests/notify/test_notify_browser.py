"""Notify's pages in a real browser: accessible, as wide as the screen, usable by hand."""

from collections.abc import Iterator

import pytest

from services.notify.delivery.sender import Sender
from services.notify.domain.delivery import Failed, Unknown
from shared.events.intake import ResultConfirmed
from shared.kernel.clock import FixedClock
from shared.web.server import WebServer, serving
from tests.backends import Backend
from tests.browser import SCREENS, is_sound, opened_page
from tests.notify.conftest import opened
from tests.notify.ledger import START, Ledger, RecordingChannel, a_contact, received, sample
from tests.notify.test_digests import reminded
from tests.notify.test_notify_web import Door
from tests.staff import carry_in

pytestmark = pytest.mark.browser
GONE = Failed("no such number", permanent=True)
UNSURE = "000.00.15.H20-220314-0003"


@pytest.fixture
def told(embedded: Backend) -> Iterator[Ledger]:
    with opened(embedded, FixedClock(START)) as ledger:
        ledger.hear(a_contact(first="email"), a_contact(UNSURE, consent_email=False))
        ledger.hear(received(), received("000.00.15.H20-220314-0002"), received(UNSURE))
        ledger.hear(sample(ResultConfirmed), sample(ResultConfirmed, UNSURE))
        ledger.hear(reminded(ledger))
        Sender("email", RecordingChannel(), ledger.store).step(0)
        uncertain = RecordingChannel(idempotent=False, answers=[Unknown("broke off"), GONE])
        Sender("sms", uncertain, ledger.store).step(0)
        yield ledger


@pytest.fixture(params=SCREENS)
def page(browser, told: Ledger, embedded: Backend, request):  # type: ignore[no-untyped-def]
    door = Door(told, embedded)
    server = WebServer(door.app)
    with serving(server), opened_page(browser, request.param, base_url=server.url) as shown:
        carry_in(shown, door.app, server.url, ("operator", "*"))
        shown.goto("/tin-nhan")
        yield shown


def test_the_pages_are_accessible_and_fit_their_screen(page, told: Ledger):  # type: ignore[no-untyped-def]
    is_sound(page)
    for message in told.messages():
        page.goto(f"/tin-nhan/{message.id}")
        is_sound(page)
        if message.body:
            page.get_by_label("Lý do xem").fill("công dân gọi hỏi")
            page.get_by_role("button", name="Xem nội dung").click()
            page.get_by_role("button", name="Xem nội dung").wait_for(state="detached")
            is_sound(page)


def test_an_operator_finds_an_uncertain_message_and_sends_it_again(page, told: Ledger):  # type: ignore[no-untyped-def]
    page.get_by_label("Mã hồ sơ").fill(UNSURE)
    page.get_by_label("Trạng thái").select_option("uncertain")
    page.get_by_role("button", name="Lọc").click()
    page.get_by_role("link", name="Đã tiếp nhận").click()
    page.get_by_role("button", name="Gửi lại").click()
    page.get_by_text("Đã xếp tin nhắn vào hàng chờ gửi lại.").wait_for()
    (ordered,) = told.messages(states=("queued",))
    assert (ordered.dossier, ordered.channel, ordered.reason) == (UNSURE, "sms", "ordered")


def test_an_operator_takes_back_what_has_not_gone(page, told: Ledger):  # type: ignore[no-untyped-def]
    told.hear(a_contact("D-4"), received("D-4"))
    (waiting,) = told.messages(states=("queued",))
    page.goto(f"/tin-nhan/{waiting.id}")
    page.get_by_text("Các cách báo, theo thứ tự").wait_for()
    page.get_by_role("button", name="Thu hồi").click()
    page.get_by_text("Đã thu hồi").first.wait_for()
    is_sound(page)
    assert {m.state.value for m in told.messages(dossier="D-4")} == {"recalled"}


def test_the_words_and_what_they_cost_are_seen(page, told: Ledger):  # type: ignore[no-untyped-def]
    page.goto("/tin-nhan/mau?moment=resolved&on=14/03/2022")
    is_sound(page)
    page.locator("#f-language").select_option("en")
    page.get_by_role("button", name="Xem trước").click()
    page.get_by_text("result ready at").first.wait_for()
    page.goto("/tin-nhan/chi-phi")
    is_sound(page)
    page.get_by_text("Cả thành phố", exact=False).first.wait_for()
