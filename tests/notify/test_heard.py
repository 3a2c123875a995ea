"""What citizens write by SMS: read whatever its coding, kept once, done, and answered in measure."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from services.notify.channels.smpp.pdus import Pdu
from services.notify.channels.smpp.written import written
from services.notify.delivery.answerer import Answerer
from services.notify.delivery.receiving import Receiver
from services.notify.delivery.sender import Sender
from services.notify.domain.incoming import (
    ASKING,
    Answer,
    Asked,
    Incoming,
    Kind,
    mark_of,
    phone_of,
    understood,
)
from services.notify.domain.messages import APPLICANT, ASKER
from services.notify.domain.states import State
from services.notify.storage import heard as rows
from services.notify.storage import stops
from services.notify.storage.tables import heard as table
from services.notify.usecases.answering import Later
from services.notify.usecases.hearing import keep
from services.notify.usecases.prune import prune
from shared.events.intake import DossierWithdrawn, ResultConfirmed
from shared.events.routing import DossierExtended
from shared.kernel.clock import to_vn
from shared.settings import Settings
from shared.testing.smsc import Smsc
from tests.notify.ledger import (
    DOSSIER,
    START,
    Ledger,
    RecordingChannel,
    a_contact,
    received,
    sample,
    the_catalogue,
)
from tests.notify.test_smpp import a_channel, eventually

PHONE = "+84907123456"
RULE = the_catalogue().answering_rule(to_vn(START).date())


# --- what is meant --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("TU CHOI", Kind.STOP),
        ("từ chối", Kind.STOP),
        ("  Tư\u0300  chô\u0301i. ", Kind.STOP),
        ("tuchoi", Kind.STOP),
        ("Stop!!!", Kind.STOP),
        ("ＳＴＯＰ", Kind.STOP),
        ("Hủy", Kind.STOP),
        ("huy hen ngay mai giup toi", Kind.OTHER),
        ("khong stop", Kind.OTHER),
        ("đăng ký", Kind.START),
        ("DK", Kind.START),
        ("", Kind.OTHER),
        ("HS", Kind.OTHER),
        ("HS 000.00.15.H20-220314-0001", Kind.OTHER),
        ("\udcff\ud800", Kind.OTHER),
        ("Da ngung gui tin ho so toi so nay", Kind.OTHER),
    ],
)
def test_an_order_is_known_however_it_is_written(text: str, kind: Kind):
    assert understood(text, RULE).kind is kind


@pytest.mark.parametrize(
    "text",
    [
        "HS 000.00.15.H20-220314-0001 K7M2QP",
        "hs 000.00.15.h20-220314-0001  k7m2qp",
        "HS000.00.15.H20-220314-0001 K7M2QP",
        "Tra cứu 000.00.15.H20 -220314 -0001 K7M2QP",
        "TRA CUU: 000.00.15.H20-220314-0001 K7M2QP",
    ],
)
def test_a_look_up_names_code_and_word(text: str):
    assert understood(text, RULE) == Asked(Kind.STATUS, DOSSIER, "K7M2QP")


def test_a_number_is_one_however_it_is_written_and_a_machine_is_none():
    ways = ["84907123456", "+84907123456", "0907123456", "0084907123456"]
    assert {phone_of(way) for way in ways} == {PHONE}
    for machine in ("1900", "VIETTEL", "", "+1 212 555 0100", "02773851234", "x" * 500):
        assert phone_of(machine) is None


# --- what an SMSC brings --------------------------------------------------------------------------


def a_pdu(octets: bytes, **fields: Any) -> Pdu:
    values = {"source_addr": b"84907123456\0", "short_message": octets, "esm_class": 0, **fields}
    return Pdu("deliver_sm", 0, 1, type("Fields", (), values)())


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        (b"HS 1\x00\x1b\x65", 0, "HS 1@€"),
        (b"STOP", 1, "STOP"),
        ("từ chối".encode("utf-16-be"), 8, "từ chối"),
        ("😀".encode("utf-16-be"), 8, "😀"),
        (b"\xd8\x3d", 8, "\ufffd"),
        ("é".encode("latin-1"), 3, "é"),
        (b"STOP", 0xF1, "STOP"),
        (b"STOP", 0xF5, ""),
        (b"STOP", 4, ""),
        (b"\x1b", 0, " "),
        (b"", 0, ""),
    ],
)
def test_a_text_is_read_by_its_coding(octets: bytes, coding: int, text: str):
    found = written(a_pdu(octets, data_coding=coding))
    assert found is not None
    assert (found.sender, found.text) == ("84907123456", text)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"esm_class": 0x40, "short_message": b"\x05\x00\x03\x07\x02\x01ab"}, ("07", 2, 1)),
        ({"esm_class": 0x40, "short_message": b"\x06\x08\x04\x01\x07\x03\x02ab"}, ("0107", 3, 2)),
        ({"esm_class": 0x40, "short_message": b"\x05\x00\x03\x07\x02\x09ab"}, ("", 1, 1)),
        ({"esm_class": 0x40, "short_message": b"\xffab"}, ("", 1, 1)),
        ({"sar_msg_ref_num": 9, "sar_total_segments": 2, "sar_segment_seqnum": 2}, ("9", 2, 2)),
        ({"sar_msg_ref_num": 9, "sar_total_segments": 0, "sar_segment_seqnum": 2}, ("", 1, 1)),
        ({"short_message": b"", "message_payload": b"ab"}, ("", 1, 1)),
    ],
)
def test_a_part_says_which_it_is_by_header_or_by_fields(fields: dict[str, Any], place: tuple):
    found = written(a_pdu(b"ab", **fields))
    assert found is not None
    assert (found.reference, found.parts, found.part) == place


def test_a_notice_of_the_network_is_no_text():
    assert written(a_pdu(b"x", esm_class=0x08)) is None


# --- kept, done, answered -------------------------------------------------------------------------


@dataclass
class LookUp:
    """Stands for intake; answers what is next, and remembers who asked."""

    says: list[Answer | Later] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def ask(self, code: str, word: str, phone: str) -> Answer | Later:
        self.asked.append((code, word, phone))
        return self.says.pop(0) if self.says else Answer("not_found")

    def close(self) -> None:
        """Nothing is held."""


class Room:
    """A ledger with its answerer, moved by hand."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.look_up = ledger, LookUp()
        self.seen: set[str] = set()
        self.told: list[str] = []
        self.answerer = Answerer(
            ledger.store,
            lambda at: the_catalogue().answering_rule(to_vn(at).date()),
            self.look_up,  # type: ignore[arg-type]
        )

    def hears(self, *texts: Incoming) -> None:
        with self.ledger.store.begin() as uow:
            keep(uow, texts)
        while self.answerer.step(0):
            pass
        self.answers()

    def says(self, text: str, sender: str = "84907123456", **more: Any) -> None:
        self.hears(Incoming("sms.one", sender, text, **more))

    def answers(self) -> list[str]:
        """What was answered, in that order."""
        fresh = [
            m.body for m in self.ledger.messages() if m.role == ASKER and m.id not in self.seen
        ]
        self.seen |= {m.id for m in self.ledger.messages()}
        self.told += fresh
        return list(self.told)

    def stopped(self, address: str = PHONE) -> bool:
        with self.ledger.store.read() as connection:
            return stops.is_stopped(connection, address)

    def send(self) -> list[str]:
        """What goes by SMS now."""
        channel = RecordingChannel(name="sms.one")
        sender = Sender("sms", channel, self.ledger.store, manners=self.ledger.manners)
        while sender.step(0):
            pass
        return [letter.body for letter in channel.letters]

    def later(self, **span: float) -> None:
        self.ledger.clock.advance(timedelta(**span))


@pytest.fixture
def room(ledger: Ledger) -> Room:
    return Room(ledger)


def test_whoever_refuses_is_told_once_and_hears_no_more_until_they_want_to(room: Room):
    room.ledger.hear(a_contact(consent_email=False), received())
    assert len(room.send()) == 1
    room.says("TỪ CHỐI")
    room.later(hours=1)
    room.says("từ chối", name="again")
    assert room.stopped()
    (told,) = room.answers()
    assert "DANG KY" in told
    assert room.send() == [told]
    stopped = [data for kind, data in room.ledger.told() if kind == "citizen.stop_changed"]
    assert [(each["dossier"], each["stopped"]) for each in stopped] == [(DOSSIER, True)]
    room.says("dang ky")
    assert not room.stopped()
    assert len(room.answers()) == 2
    stopped = [data for kind, data in room.ledger.told() if kind == "citizen.stop_changed"]
    assert [each["stopped"] for each in stopped] == [True, False]


def test_a_refused_way_ends_with_a_result_of_its_own_and_the_next_goes(room: Room):
    room.says("STOP")
    room.ledger.hear(a_contact(), received())
    assert [body for body in room.send() if DOSSIER in body] == []
    sms, email = sorted(
        (m for m in room.ledger.messages() if m.role == APPLICANT), key=lambda m: m.rung
    )
    assert (sms.state, sms.reason, sms.tries) == (State.OPTED_OUT, "opted_out", 0)
    assert (email.channel, email.state) == ("email", State.QUEUED)
    room.ledger.hear(sample(ResultConfirmed))
    room.send()
    assert [k for k, _ in room.ledger.told()] == ["citizen.stop_changed"], "the desk hears it once"


def test_where_no_way_is_left_the_desk_is_told(room: Room):
    room.says("STOP")
    room.ledger.hear(a_contact(consent_email=False), received())
    room.send()
    told = dict(room.ledger.told())
    assert told["citizen.unreachable"]["reason"] == "opted_out"


def test_a_number_that_was_mended_is_not_the_refused_one(room: Room):
    room.says("STOP")
    room.ledger.hear(a_contact(consent_email=False), received())
    room.ledger.hear(a_contact(consent_email=False, phone="+84907123999"))
    assert [body for body in room.send() if DOSSIER in body] != []


def test_each_text_is_kept_once_by_its_name_or_for_a_while_by_its_words(room: Room):
    for _ in range(3):
        room.says("xin chao", name="MO-1")
    room.later(days=2)
    room.says("xin chao", name="MO-1")
    with room.ledger.store.read() as connection:
        assert len(connection.execute(table.select()).all()) == 1
    for _ in range(3):
        room.says("chao")
        room.later(minutes=4)
    room.later(minutes=30)
    room.says("chao")
    with room.ledger.store.read() as connection:
        kept = connection.execute(table.select()).all()
    assert len(kept) == 3
    assert {row.text for row in kept} == {""}


def test_a_look_up_is_answered_with_what_intake_says(room: Room):
    values = {"code": DOSSIER, "status": "Đang xử lý", "due": "14:00 16/03/2022", "hotline": "0277"}
    room.look_up.says = [Answer("status", "vi", values)]
    room.says(f"HS {DOSSIER} K7M2QP")
    assert room.look_up.asked == [(DOSSIER, "K7M2QP", PHONE)]
    assert room.answers() == [
        f"Tinh trang ho so {DOSSIER}: Dang xu ly. Hen tra 14:00 16/03/2022. Hoi: 0277"
    ]
    assert room.send() == room.answers()
    assert room.ledger.told() == [], "no citizen was notified of any moment"


def test_intake_that_says_later_is_asked_again_and_given_up_in_the_end(room: Room):
    room.look_up.says = [Later(60.0), *[Later()] * ASKING.max_attempts]
    room.says(f"HS {DOSSIER} K7M2QP")
    assert room.answers() == []
    due = room.answerer.next_due()
    assert due is not None
    assert due >= START + timedelta(seconds=60)
    for _ in range(ASKING.max_attempts + 2):
        room.later(hours=1)
        room.hears()
    assert len(room.look_up.asked) == ASKING.max_attempts
    assert room.answers() == [RULE.words["later"].vi]


def test_a_number_gets_so_many_answers_a_day_and_asks_intake_no_more(room: Room):
    for n in range(30):
        room.says(f"HS {DOSSIER} AAAA{n:02}")
    assert len(room.answers()) == len(room.look_up.asked) == RULE.most_a_day
    room.says("STOP")
    assert room.stopped(), "an order to stop counts at any time"
    assert len(room.answers()) == RULE.most_a_day
    room.later(days=1)
    room.says(f"HS {DOSSIER} BBBBBB")
    assert len(room.answers()) == RULE.most_a_day + 1


def test_two_machines_that_answer_each_other_come_to_rest(room: Room):
    room.says("Cam on quy khach")
    for n in range(20):
        room.says(room.answers()[-1], name=f"echo-{n}")
    assert len(room.answers()) == 1
    room.says("Quy khach da het tien", sender="1900")
    room.says("STOP", sender="VIETTEL")
    assert len(room.answers()) == 1
    assert not room.stopped("VIETTEL")


def test_whether_a_message_is_ours_is_said_to_the_number_that_got_it_alone(room: Room):
    room.ledger.hear(a_contact(consent_email=False, phone=PHONE), received())
    (ours,) = room.ledger.messages()
    room.says(f"THAT {mark_of(ours.id)}", name="before")
    assert room.answers()[-1].startswith("Khong:"), "it has not gone yet"
    room.send()
    room.says(f"thật {mark_of(ours.id).lower()}")
    room.says(f"THAT {DOSSIER}")
    assert [each[:5] for each in room.answers()[1:]] == ["Dung:", "Dung:"]
    assert f"luc 09:00 14/03/2022, ho so {DOSSIER}: Da tiep nhan." in room.answers()[-1]
    room.says(f"THAT {mark_of(ours.id)}", sender="84907123999")
    assert room.answers()[-1].startswith("Khong:")


def test_the_mark_of_a_message_is_a_sentence_of_its_own(room: Room):
    facts = (received(), sample(DossierWithdrawn), sample(ResultConfirmed), sample(DossierExtended))
    room.ledger.hear(a_contact(consent_email=False), *facts)
    marked = [each for each in room.ledger.messages() if mark_of(each.id) in each.body]
    assert marked
    for each in marked:  # else it reads as part of the hotline's number
        assert re.search(rf"[.!?] Tra cuu: HS, kiem: THAT {mark_of(each.id)}$", each.body), (
            each.body
        )


def test_parts_become_one_text_whatever_order_they_come_in(room: Room):
    one, two = f"HS {DOSSIER[:10]}", f"{DOSSIER[10:]} K7M2QP"
    second = Incoming("sms.one", "84907123456", two, reference="07", parts=2, part=2)
    room.hears(second)
    room.hears(second)
    assert room.look_up.asked == []
    room.hears(Incoming("sms.one", "84907123456", one, reference="07", parts=2, part=1))
    assert room.look_up.asked == [(DOSSIER, "K7M2QP", PHONE)]
    room.hears(Incoming("sms.one", "84907123456", "STOP", reference="08", parts=3, part=1))
    assert not room.stopped()
    room.later(minutes=11)
    room.hears()
    assert room.stopped(), "what never came whole counts as it is"


def test_what_was_written_is_let_go_of(room: Room):
    room.says("chao")
    room.later(days=31)
    list(prune(room.ledger.store, Settings.load("notify", {})))
    with room.ledger.store.read() as connection:
        assert rows.next_due(connection) is None
        assert connection.execute(table.select()).all() == []


def test_over_the_line_a_text_is_thanked_for_when_it_is_kept(ledger: Ledger):
    room = Room(ledger)
    with Smsc() as smsc, a_channel(smsc) as channel:
        receiver = Receiver(channel, ledger.store)
        receiver.step(2)
        words = f"HS {DOSSIER} K7M2QP"
        smsc.write("84907123456", words.encode("utf-16-be"), data_coding=8)
        smsc.write("84907123456", b"\x05\x00\x03\x07\x02\x01TU ", esm_class=0x40)
        smsc.write("84907123456", b"\x05\x00\x03\x07\x02\x02CHOI", esm_class=0x40)
        smsc.write("84907123999", b"dai " * 100)
        end = time.monotonic() + 10
        while receiver.counts["texts"] < 4 and time.monotonic() < end:
            receiver.step(0.2)
        eventually(lambda: len(smsc.thanked) == 4)
    room.hears()
    assert room.look_up.asked == [(DOSSIER, "K7M2QP", PHONE)]
    assert room.stopped()
