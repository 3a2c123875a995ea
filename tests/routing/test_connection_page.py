"""/nhiem-vu/ket-noi: an agency sets its own webhook, and nobody else does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from services.routing.domain.webhook import secret_of
from shared.identity import audit
from tests.backends import EmbeddedBackend
from tests.routing.peer import Peer, peer
from tests.routing.test_webhooks import KEY, OFFICE, deliver, hook
from tests.routing.town import Town, migrate
from tests.staff import carry_here

PAGE = "/nhiem-vu/ket-noi"
MAIL = "hoa@phuong1.example"


@pytest.fixture
def town(embedded: EmbeddedBackend) -> Iterator[Town]:
    """A town that may call this machine, with somebody of its office signed in."""
    embedded.migrated("routing", migrate)
    made = Town(embedded.settings("routing", webhook_loopback=True))
    carry_here(made.web, made.service.web, ("agency", OFFICE))
    yield made
    made.close()


@pytest.fixture
def agency() -> Iterator[Peer]:
    with peer() as made:
        yield made


def post(town: Town, path: str = PAGE, **form: Any) -> Any:
    page = town.web.get(PAGE).text
    (token, *_) = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    return town.web.post(path, data={"csrf_token": token, **form})


def test_it_is_set_tried_paused_resumed_and_removed_by_the_agency_itself(
    town: Town, agency: Peer
) -> None:
    done = post(town, url=agency.url, contacts=f"{MAIL}\n", skips=["changed"])
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", done.text)
    assert secret == secret_of(KEY, OFFICE, hook(town).secrets[0].nonce)
    assert "whsec_" not in town.web.get(PAGE).text, "shown once"
    assert hook(town).skips == ("changed",)
    assert post(town, f"{PAGE}/thu").status_code == 303
    assert "đang chờ gửi" in town.web.get(PAGE).text
    deliver(town)
    assert "máy nhận đã nhận" in town.web.get(PAGE).text
    post(town, f"{PAGE}/tam-dung")
    assert "Tạm dừng: theo yêu cầu" in town.web.get(PAGE).text
    post(town, f"{PAGE}/tiep-tuc")
    assert "Đang gửi" in town.web.get(PAGE).text
    (other,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", post(town, f"{PAGE}/khoa-moi").text)
    assert other != secret
    assert len(hook(town).secrets) == 2
    post(town, f"{PAGE}/go-bo")
    assert "Tình trạng" not in town.web.get(PAGE).text
    assert post(town, f"{PAGE}/tam-dung").status_code == 404
    assert post(town, f"{PAGE}/khac").status_code == 404


def test_every_fault_is_told_at_once_and_nothing_typed_is_lost(town: Town) -> None:
    told = post(town, url="http://10.0.0.1/", contacts="khong phai thu", skips=["assigned"])
    assert told.status_code == 422
    told = post(town, url="http://10.0.0.1/", contacts="khong-phai-thu", skips=["changed"])
    assert told.status_code == 422
    for words in ("Phải bắt đầu bằng https", "Địa chỉ thứ 1 không đúng", "khong-phai-thu",
                  "http://10.0.0.1/", 'value="changed" checked'):  # fmt: skip
        assert words in told.text
    told = post(town, url="https://x.vn/", contacts=" ")
    assert told.status_code == 422
    assert "người phụ trách" in told.text


def test_the_contacts_are_the_addresses_of_the_daily_mail(town: Town, agency: Peer) -> None:
    post(town, url=agency.url, contacts=f"{MAIL} pho@phuong1.example")
    post(town, url=agency.url, contacts="pho@phuong1.example moi@phuong1.example")
    page = town.web.get(PAGE).text
    assert "pho@phuong1.example\nmoi@phuong1.example" in page
    assert MAIL not in page


def test_who_did_it_is_in_the_access_log_and_no_secret_or_address(town: Town, agency: Peer) -> None:
    post(town, url=agency.url, contacts=MAIL)
    post(town, f"{PAGE}/tam-dung")
    for loop in town.service.beside:
        loop.step(2.0)
    with town.service.store.read() as connection:
        log = connection.execute(audit.tables.LOG.select()).all()
    acts = [(row.act, row.things) for row in log if row.act.startswith("POST /nhiem-vu/ket-noi")]
    assert acts == [
        ("POST /nhiem-vu/ket-noi", OFFICE),
        ("POST /nhiem-vu/ket-noi/<act>", f"tam-dung {OFFICE}"),
    ]
    assert MAIL not in str(log)


def test_it_is_the_agencys_page_alone(town: Town) -> None:
    carry_here(town.web, town.service.web, ("head", OFFICE))
    assert town.web.get(PAGE).status_code == 403
