"""The mail of a working day to an agency's staff: once, on its day, and nothing said of citizens."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from services.notify.channels.smtp import SmtpChannel, SmtpServer
from services.notify.delivery.sender import Sender
from services.notify.domain.delivery import Unknown
from services.notify.domain.digests import digests
from services.notify.usecases.reminding import KNOWN, PAST
from services.notify.usecases.resending import resend
from shared.database.unit_of_work import Cause
from shared.events.describe import SAMPLES
from shared.events.envelope import decode
from shared.events.event import kind_of
from shared.events.parts import NearTask
from shared.events.routing import AgencyReminded
from shared.messaging.consumer import Late
from tests.backends import Backend
from tests.notify.ledger import Ledger, RecordingChannel
from tests.notify.mail_peer import Peer, by_name, mail_peer
from tests.notify.test_notify_web import Door
from tests.notify.test_smtp import CITY

HEAD, DEPUTY = "truong@phuong1.example", "pho@phuong1.example"


def reminded(ledger: Ledger, **changes: Any) -> AgencyReminded:
    """The contract's own sample, of the day that it is, to two people."""
    sample = decode((SAMPLES / "agency.reminded.v1.json").read_bytes()).event()
    assert isinstance(sample, AgencyReminded)
    now = ledger.clock.now()
    given = {"reminded_at": now, "addresses": (HEAD, DEPUTY)}
    return replace(sample, **given | changes)


def send(ledger: Ledger, peer: Peer) -> None:
    server = SmtpServer("127.0.0.1", peer.port, None, None, "none")
    sender = Sender("email", SmtpChannel(server, CITY), ledger.store)
    while sender.step(0):
        pass
    sender.close()


def late(ledger: Ledger, event: AgencyReminded) -> Any:
    """What the handler says of it."""
    fact = ledger.fact(event)
    with ledger.store.begin() as uow:
        uow.cause = Cause(fact.id, made_at=fact.time)
        return ledger._handlers[kind_of(AgencyReminded).type].apply(uow, fact)


def test_each_address_gets_the_list_as_a_mail_that_every_program_reads(ledger: Ledger):
    tasks = reminded(ledger).tasks
    now = ledger.clock.now()
    coming = replace(tasks[0], task="t-2", due_at=now + timedelta(hours=3))
    asked = replace(tasks[0], task="t-3", due_at=None, undecided=True)
    event = reminded(
        ledger, tasks=(replace(tasks[0], due_at=now), coming, asked), near=8, undecided=1
    )
    ledger.hear(event)
    with mail_peer() as peer:
        send(ledger, peer)
    assert sorted(to for to, _ in peer.texts) == [DEPUTY, HEAD]
    letter = email.message_from_bytes(peer.texts[0][1], policy=email.policy.default)
    assert letter["Subject"] == (
        "Nhắc việc 14/03/2022: 1 việc quá hạn, 8 việc sắp đến hạn, "
        "1 việc xin thêm thời gian, chờ quyết định"
    )
    text = letter.get_content()
    for line in (
        "Kính gửi Công an thành phố Cao Lãnh,",
        "Đến 09:00 14/03/2022, đơn vị có:",
        "QUÁ HẠN – hạn 09:00 14/03/2022",
        "Sắp đến hạn – hạn 12:00 14/03/2022",
        "CHỜ QUYẾT ĐỊNH thêm thời gian",
        "  Hồ sơ 000.00.01.H20-220301-0001, nhiệm vụ t-2",
        "  Bước: Đăng ký thường trú",
        "Và 7 việc nữa.",
        "Danh sách: https://motcua.example.vn/nhiem-vu/sap-den-han",
    ):
        assert line in text.splitlines(), line
    assert ledger.states() == {"sent": 2}
    assert ledger.told() == [], "no citizen was told anything"


def test_a_hand_over_that_ended_is_said_first_even_where_nothing_else_is(ledger: Ledger):
    (letter, *_) = digests(
        reminded(ledger, overdue=0, near=0, undecided=0, tasks=(), expired=2), ledger.clock.now()
    )
    assert letter.subject == "Nhắc việc 14/03/2022: 2 việc hết thời gian giao"
    assert "2 việc đã HẾT THỜI GIAN GIAO mà chưa ai ở đơn vị nhận" in (letter.body or "")


def test_a_list_is_mailed_once_for_an_agency_and_day_however_often_it_is_stated(ledger: Ledger):
    first = ledger.fact(reminded(ledger))
    ledger.hear(first)
    assert late(ledger, reminded(ledger, overdue=5)) == Late(KNOWN)
    assert late(ledger, reminded(ledger, agency="ubnd-phuong-1")) is None
    ledger.clock.advance(timedelta(days=1))
    assert late(ledger, reminded(ledger)) is None
    found = Counter((each.dossier, each.to) for each in ledger.messages())
    assert found == {
        (agency, to): days
        for agency, days in (("cong-an-cao-lanh", 2), ("ubnd-phuong-1", 1))
        for to in (HEAD, DEPUTY)
    }


def test_the_lists_of_days_that_are_over_are_not_mailed(ledger: Ledger):
    old = reminded(ledger)
    ledger.clock.advance(timedelta(days=3))
    assert late(ledger, old) == Late(PAST)
    assert ledger.messages() == []


def test_an_address_that_is_refused_waits_for_an_operator_and_no_citizen_is_called(ledger: Ledger):
    ledger.hear(reminded(ledger))
    with mail_peer({"RCPT": by_name(truong="550 no such mailbox")}) as peer:
        send(ledger, peer)
    assert [to for to, _ in peer.texts] == [DEPUTY]
    assert ledger.states() == {"sent": 1, "undeliverable": 1}
    assert ledger.told() == []
    (lost,) = ledger.messages(states=("undeliverable",))
    with ledger.store.begin() as uow:
        resend(uow, lost.id)
    with mail_peer() as peer:
        send(ledger, peer)
    assert [to for to, _ in peer.texts] == [HEAD]
    assert ledger.told() == []


def test_an_uncertain_one_is_never_sent_twice_by_itself(ledger: Ledger):
    ledger.hear(reminded(ledger, addresses=(HEAD,)))
    channel = RecordingChannel(answers=[Unknown("cut off")])
    Sender("email", channel, ledger.store).step(0)
    ledger.clock.advance(timedelta(days=2))
    Sender("email", channel, ledger.store).step(0)
    assert ledger.states() == {"uncertain": 1}
    assert ledger.told() == []


@pytest.mark.parametrize("path", ["/tin-nhan", "/tin-nhan?dossier=cong-an-cao-lanh"])
def test_operators_see_it_among_messages_as_a_notice_to_staff(
    ledger: Ledger, backend: Backend, path: str
):
    ledger.hear(reminded(ledger, addresses=(HEAD,)))
    door = Door(ledger, backend)
    page = door.get(path).text
    assert "Nhắc việc trong ngày (gửi cán bộ)" in page
    assert "cong-an-cao-lanh" in page
    assert HEAD not in page
    (message,) = ledger.messages()
    one = door.get(f"/tin-nhan/{message.id}").text
    assert "Mã cơ quan" in one
    assert HEAD not in one


def test_a_list_of_many_tasks_fits_and_says_how_many_are_left_out(ledger: Ledger):
    task = reminded(ledger).tasks[0]
    many: tuple[NearTask, ...] = tuple(replace(task, task=f"t-{n}") for n in range(100))
    ledger.hear(reminded(ledger, tasks=many, overdue=2345, link=None))
    body = ledger.messages()[0].body
    assert "Và 2245 việc nữa." in body
    assert "Danh sách:" not in body
