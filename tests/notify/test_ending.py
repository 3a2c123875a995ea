"""E-mail ends by its own letter: a signed address without any, asked before it acts, one click."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.notify.channels.mail import MailFrom, as_html, on_the_wire
from services.notify.channels.unsubscribing import Unsubscribing, more_of
from services.notify.delivery.sender import Sender
from services.notify.domain.delivery import Letter
from services.notify.domain.states import State
from services.notify.storage import stops
from services.notify.storage.erasing import erase
from shared.web.server import WebServer, serving
from tests.backends import Backend
from tests.browser import DESKTOP, PHONE, is_sound, opened_page
from tests.notify.conftest import opened
from tests.notify.ledger import DOSSIER, Ledger, RecordingChannel, a_contact, received
from tests.notify.test_digests import reminded
from tests.notify.test_notify_web import Door
from tests.staff import carry_in

SECRET = "s" * 40
AT = datetime(2022, 3, 14, 2, 0, tzinfo=UTC)
LETTER = Letter(
    "m-1", "email", "a@x.vn", "Có <b>kết quả</b>", "Kính gửi,\n\nHồ sơ <1> & 2\nđã xong.\n\nChào",
    AT, language="vi", to_citizen=True,
)  # fmt: skip


@pytest.fixture
def ledger_here(embedded: Backend, clock) -> Iterator[Ledger]:  # type: ignore[no-untyped-def]
    with opened(embedded, clock) as made:
        yield made


@pytest.fixture
def door(ledger_here: Ledger, embedded: Backend) -> Door:
    return Door(ledger_here, embedded)


def address(door: Door, ledger: Ledger) -> str:
    (mail,) = (m for m in ledger.messages() if m.channel == "email")
    signer = Unsubscribing("", door.app.config["SECRET_KEY"])
    return f"/tin-nhan/ngung/{signer.token(mail.id)}"


def stopped(ledger: Ledger) -> bool:
    with ledger.store.read() as connection:
        return stops.is_stopped(connection, "sau.nguyen@example.vn")


def test_a_citizens_letter_is_text_and_the_same_as_a_page_that_fetches_nothing():
    raw = on_the_wire(LETTER, MailFrom("Một cửa", "a@b.vn"))
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert read.get_content_type() == "multipart/alternative"
    plain, page = read.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == LETTER.body
    shown = page.get_content()
    assert "<p>Hồ sơ &lt;1&gt; &amp; 2<br>" in shown
    assert '<html lang="vi">' in shown
    assert "<b>" not in shown
    assert not re.search("https?:|src=|url\\(|<script|<img|<link", as_html(LETTER))
    assert all(len(line) <= 78 for line in raw.split(b"\r\n") if not line.startswith(b"List-"))


def test_its_head_says_how_to_end_such_letters_and_holds_no_address():
    one = more_of(LETTER, Unsubscribing("https://motcua.example.vn", SECRET))
    assert one[1] == "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
    assert one[0].startswith("List-Unsubscribe: <https://motcua.example.vn/tin-nhan/ngung/")
    assert "a@x.vn" not in one[0]
    assert len(more_of(LETTER, Unsubscribing("http://10.0.0.1:8080", SECRET))) == 1
    assert more_of(LETTER, Unsubscribing("", SECRET)) == []
    assert more_of(replace(LETTER, to_citizen=False), Unsubscribing("https://x.vn", SECRET)) == []
    read = email.message_from_bytes(
        on_the_wire(LETTER, MailFrom("", "a@b.vn"), one), policy=email.policy.default
    )
    assert read["List-Unsubscribe"].startswith("<https://")


def test_looking_does_nothing_and_one_click_ends_it(door: Door, ledger_here: Ledger):
    ledger_here.hear(a_contact(first="email"), received())
    at = address(door, ledger_here)
    page = door.get(at, kind="")
    assert page.status_code == 200
    assert "Ngừng nhận thư" in page.text
    assert "sau.nguyen" not in page.text
    assert not stopped(ledger_here)
    body = {"List-Unsubscribe": "One-Click"}
    assert door.post(at, kind="", data=body).status_code == 200
    assert door.post(at, kind="", data=body).status_code == 200
    assert stopped(ledger_here)
    channel = RecordingChannel(name="email.smtp")
    sender = Sender("email", channel, ledger_here.store, manners=ledger_here.manners)
    while sender.step(0):
        pass
    assert channel.letters == []
    assert {m.channel: m.state for m in ledger_here.messages()} == {
        "email": State.OPTED_OUT, "sms": State.QUEUED,
    }  # fmt: skip
    assert "Nhận lại thư" in door.get(at, kind="").text
    door.post(at, kind="", data={"order": "start"})
    assert not stopped(ledger_here)


def test_of_a_letter_that_was_erased_it_is_said(door: Door, ledger_here: Ledger):
    ledger_here.hear(a_contact(first="email"), received())
    at = address(door, ledger_here)
    with ledger_here.store.transaction() as connection:
        erase(connection, [DOSSIER], AT, rule="asked", who="x")
    for page in (door.get(at, kind=""), door.post(at, kind="", data={"order": "stop"})):
        assert page.status_code == 200
        assert "đã được xóa" in page.text
        assert "<form" not in page.text.partition("<main")[2].partition("</main")[0]
    with ledger_here.store.read() as connection:
        assert stops.count(connection) == 0


def test_another_address_is_none(door: Door, ledger_here: Ledger):
    ledger_here.hear(a_contact(), reminded(ledger_here))
    staff = next(m for m in ledger_here.messages() if m.role == "staff")
    signer = Unsubscribing("", door.app.config["SECRET_KEY"])
    tokens = [
        "x", "ế", "a" * 300, signer.token("m-unknown"), signer.token(staff.id),
        Unsubscribing("", SECRET).token(staff.id),
    ]  # fmt: skip
    for token in tokens:
        assert door.get(f"/tin-nhan/ngung/{token}", kind="").status_code == 404
        assert door.post(f"/tin-nhan/ngung/{token}", kind="").status_code == 404


@pytest.mark.browser
@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_pages_are_accessible_and_do_what_they_say(  # type: ignore[no-untyped-def]
    browser, door: Door, ledger_here: Ledger, screen
):
    ledger_here.hear(a_contact(first="email"), received())
    at = address(door, ledger_here)
    server = WebServer(door.app)
    with serving(server), opened_page(browser, screen, base_url=server.url) as page:
        page.goto(at)
        is_sound(page)
        page.get_by_role("button", name="Ngừng nhận thư").click()
        page.get_by_role("button", name="Nhận lại thư").wait_for()
        is_sound(page)
        assert stopped(ledger_here)
        carry_in(page, door.app, server.url, ("operator", "*"))
        page.goto("/tin-nhan/tu-choi")
        is_sound(page)
        page.get_by_label("Số điện thoại hoặc địa chỉ thư").fill("0907 123 456")
        page.get_by_label("Lý do").fill("người dân yêu cầu")
        page.get_by_role("button", name="Không gửi tới đó nữa").click()
        page.get_by_text("Đã ghi vào danh sách").wait_for()
        is_sound(page)
