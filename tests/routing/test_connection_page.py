"""/nhiem-vu/ket-noi: an agency sets its own webhook, and nobody else does."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest

from services.routing.domain.queue import AgencyQueue, password_hash
from services.routing.domain.webhook import secret_of
from services.routing.storage import queues
from services.routing.usecases import queues as usecases
from shared.identity import audit
from shared.kernel.actor import Actor
from tests.backends import EmbeddedBackend, ServersBackend
from tests.routing.peer import Peer, peer
from tests.routing.test_webhooks import KEY, OFFICE, deliver, hook
from tests.routing.town import Town, catalogue, migrate
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


@pytest.fixture
def with_broker(on_servers: ServersBackend) -> Iterator[Town]:
    """The same on a broker, which nobody manages here: wishes are kept."""
    on_servers.migrated("routing", migrate)
    made = Town(on_servers.settings("routing"), catalogue(queues=()))
    carry_here(made.web, made.service.web, ("agency", OFFICE))
    yield made
    made.close()


def queue_of(town: Town) -> AgencyQueue:
    with town.service.store.read() as connection:
        found = queues.of(connection, OFFICE)
    assert found is not None
    return found


def test_an_agency_wishes_a_queue_and_is_shown_its_password_once(with_broker: Town) -> None:
    town, act = with_broker, f"{PAGE}/hang-doi"
    (shown,) = re.findall(r"<code>([\w-]{32})</code>", post(town, f"{act}/mo").text)
    raw = base64.b64decode(queue_of(town).hash or "")
    assert password_hash(shown, raw[:4]) == queue_of(town).hash
    page = town.web.get(PAGE).text
    assert shown not in page
    assert "Đang chờ thực hiện" in page
    assert post(town, f"{act}/mo").status_code == 303, "once more changes nothing"
    other = post(town, f"{act}/doi-mat-khau").text
    assert f"{OFFICE}.2" in other
    assert post(town, f"{act}/doi-mat-khau").status_code == 303
    assert "hãy chờ hết thời gian chuyển tiếp" in town.web.get(PAGE).text
    assert post(town, f"{act}/tam-dung", why=" ").status_code == 422
    post(town, f"{act}/tam-dung", why="bảo trì")
    assert "bảo trì" in town.web.get(PAGE).text
    post(town, f"{act}/tiep-tuc")
    assert queue_of(town).paused_at is None, "its own officers let it go on"
    post(town, f"{act}/dong")
    assert not queue_of(town).wanted
    assert post(town, f"{act}/khac").status_code == 404


def test_what_the_city_paused_the_agency_cannot_go_on_with(with_broker: Town) -> None:
    town = with_broker
    with town.service.store.begin(Actor("operator", "hanh")) as uow:
        usecases.pause(uow, town.rules, OFFICE, "nghi lộ mật khẩu")
    assert "Chỉ người vận hành thành phố" in town.web.get(PAGE).text
    assert "nghi lộ mật khẩu" in town.web.get("/nhiem-vu/so-giao-nhan").text
    assert post(town, f"{PAGE}/hang-doi/tiep-tuc").status_code == 303
    assert queue_of(town).paused_at is not None
    assert post(town, url="https://x.vn/", contacts=MAIL).status_code == 409


def test_where_there_is_no_broker_the_page_says_so(town: Town) -> None:
    assert "không có máy chủ bản tin" in town.web.get(PAGE).text
    assert post(town, f"{PAGE}/hang-doi/mo").status_code == 404
