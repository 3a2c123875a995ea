"""The stop list by an operator's hand: command and page, masked, with who and why."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.commands.stops import stops
from shared.kernel.errors import InvalidInput
from shared.messaging.acts import list_acts
from tests.backends import Backend
from tests.notify.conftest import opened
from tests.notify.ledger import Ledger
from tests.notify.test_notify_web import Door

WHY = ("--who", "Lê Hoa", "--why", "gọi yêu cầu")


@pytest.fixture
def ledger_here(embedded: Backend, clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(Path(embedded.data_dir)))
    with opened(embedded, clock) as made:
        yield made


def typed(*arguments: str, said: str = "") -> Result:
    return CliRunner().invoke(stops, arguments, input=said)


def test_a_number_is_put_on_the_list_and_taken_off_with_who_and_why(ledger_here: Ledger):
    assert typed("add", "0907.123.456", *WHY).output == "done\n"
    assert "so already" in typed("add", *WHY, said="+84907123456\n").output
    assert typed("add", "sau@example.vn", *WHY).exit_code == 0
    listed = typed("list").output
    assert "***456  by operator" in listed
    assert "2 shown of 2" in listed
    assert "907123" not in listed
    assert typed("remove", "0907123456", *WHY).output == "done\n"
    assert "1 shown of 1" in typed("list").output
    with ledger_here.store.read() as connection:
        acts = list_acts(connection)
    assert (acts[0].act, acts[0].who, acts[0].why) == ("stops remove", "Lê Hoa", "gọi yêu cầu")
    assert {a.what for a in acts} == {"***456", "s***@example.vn"}


def test_what_is_no_address_or_has_no_reason_is_refused(ledger_here: Ledger):
    assert isinstance(typed("add", "1900", *WHY).exception, InvalidInput)
    assert isinstance(
        typed("add", "0907123456", "--who", "x", "--why", " ").exception, InvalidInput
    )
    assert typed("add", "0907123456").exit_code == 2


def test_the_page_does_the_same_and_keeps_what_was_typed(ledger_here: Ledger, embedded: Backend):
    door = Door(ledger_here, embedded)
    wrong = door.post("/tin-nhan/tu-choi", data={"address": "1900", "why": "gọi"})
    assert wrong.status_code == 422
    assert 'value="1900"' in wrong.text
    assert "Ghi một số di động" in wrong.text
    assert "Thiếu lý do" in door.post("/tin-nhan/tu-choi", data={"address": "0907123456"}).text
    form = {"address": "0907123456", "why": "gọi", "order": "add"}
    assert door.post("/tin-nhan/tu-choi", data=form).status_code == 303
    page = door.get("/tin-nhan/tu-choi").text
    assert "***456" in page
    assert "0907123456" not in page
    assert door.get("/tin-nhan/tu-choi", kind="desk").status_code in (302, 303, 403)
