"""Letters that come back: the return path, what mails say, what it does to a message; both back ends."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.channels.bounces import Reader, ReturnPath, return_path
from services.notify.channels.mail import MailFrom
from services.notify.channels.smtp import SmtpChannel, SmtpServer
from services.notify.delivery.sender import Sender
from services.notify.domain.bounces import Bounce, Fate, Other
from services.notify.domain.delivery import Letter, Sent
from services.notify.domain.messages import Message
from services.notify.domain.states import State
from services.notify.storage import bounces, receipts
from services.notify.usecases.bouncing import take_back
from services.notify.usecases.resending import resend
from services.notify.web import words
from shared.events.intake import DossierSupplemented, SupplementRequested
from shared.kernel.errors import SettingsError
from shared.settings import Settings
from tests.notify.ledger import START, Ledger, RecordingChannel, a_contact, received, sample
from tests.notify.mail_peer import mail_peer
from tests.notify.returned import AWAY, DSN, PERSON, QMAIL, TO, written

PATH = ReturnPath("tra-lai@example.vn", "s" * 40)
READER = Reader(PATH, "example.vn")
ID = "0195c3a1-7c1e-7f00-8000-0123456789ab"


def letter(name: str = ID) -> Letter:
    return Letter(name, "email", TO, "S", "B", START)


def fate(told: Bounce | Other) -> Fate | None:
    return told.fate if isinstance(told, Other) else None


# --- the return path -----------------------------------------------------------------------------


@given(st.uuids(), st.booleans())
def test_a_letters_return_path_names_it_and_is_written_by_us_alone(name: uuid.UUID, upper: bool):
    made = PATH.of(letter(str(name)))
    assert len(made.partition("@")[0]) <= 64
    assert TO not in made
    told = made.upper() if upper else made
    assert list(PATH.found(f"Delivered-To: <{told}>")) == [str(name)]
    other = ReturnPath("tra-lai@example.vn", "t" * 40).of(letter(str(name)))
    assert list(PATH.found(other)) == [None]
    assert list(PATH.found(made.replace("+", "+a"))) == [None]


def test_a_letter_whose_name_is_no_id_comes_back_to_the_mailbox_itself():
    assert PATH.of(letter("m-1")) == "tra-lai@example.vn"


@pytest.mark.parametrize("address", ["x", "a+b@c.vn", f"{'a' * 22}@c.vn", "thư@c.vn"])
def test_a_return_path_that_no_letter_could_have_is_told_at_the_start(address: str):
    told = Settings.load("notify", {"LIENTHONG_NOTIFY_BOUNCE_ADDRESS": address})
    with pytest.raises(SettingsError, match="LIENTHONG_BOUNCE_ADDRESS"):
        return_path(told, "s" * 40)


def test_a_mailbox_without_an_address_is_told_at_the_start():
    told = Settings.load("notify", {"LIENTHONG_BOUNCE_MAILBOX": "imaps://a:b@c.vn"})
    with pytest.raises(SettingsError, match="LIENTHONG_BOUNCE_ADDRESS"):
        return_path(told, "s" * 40)


def test_the_mail_server_is_told_the_return_path_and_the_citizen_the_city():
    with mail_peer() as peer:
        server = SmtpServer("127.0.0.1", peer.port, None, None, "none")
        channel = SmtpChannel(server, MailFrom("", "mot-cua@example.vn"))
        channel.returning = PATH
        assert list(channel.send([letter()]))[-1] == Sent()
    (asked,) = (line for line in peer.heard if line.startswith("MAIL"))
    assert asked == f"MAIL FROM:<{PATH.of(letter())}>"
    ((_, text),) = peer.texts
    assert b"From: mot-cua@example.vn" in text
    assert b"tra-lai" not in text


# --- reading -------------------------------------------------------------------------------------


def test_a_report_by_our_return_path_is_proved():
    told = READER.read(written(DSN, "x", PATH.of(letter())))
    assert told == Bounce(told.id, ID, proved=True, final=True, status="5.1.1",
                          addresses=frozenset({TO}))  # fmt: skip
    assert told.blames_address


@pytest.mark.parametrize("words_", [DSN, QMAIL], ids=["rfc3464", "qmail"])
def test_our_message_id_names_the_letter_and_the_address_must_be_told(words_: str):
    told = READER.read(written(words_, ID))
    assert isinstance(told, Bounce)
    assert (told.letter, told.proved, told.final) == (ID, False, True)
    assert told.addresses == {TO}


@pytest.mark.parametrize(
    ("action", "status", "final", "blames"),
    [
        ("failed", "5.1.1", True, True),
        ("failed", "4.4.7", True, False),  # gave up waiting: lost, and no fault of the address
        ("delayed", "4.4.1", False, False),
        ("", "5.2.2", True, True),
        ("", "4.2.2", False, False),
    ],
)
def test_what_is_final(action: str, status: str, final: bool, blames: bool):
    told = READER.read(written(DSN, ID, action=action, status=status))
    assert isinstance(told, Bounce)
    assert (told.final, told.blames_address, told.status) == (final, blames, status)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (written(AWAY, ID), Fate.AUTO_REPLY),
        (written(AWAY, ID, PATH.of(letter())), Fate.AUTO_REPLY),
        (written(PERSON, ID), Fate.SET_ASIDE),
        (written(DSN, ID, action="delivered", status="2.0.0"), Fate.ARRIVED),
        (written(DSN, "somebody-elses"), Fate.UNKNOWN),
        (written(DSN, ID, f"tra-lai+{'a' * 42}@example.vn"), Fate.FORGED),
        (b"", Fate.SET_ASIDE),
        (b"\x00\xff" * 5000, Fate.SET_ASIDE),
        (
            b"Content-Type: text/plain; charset=x\xff\r\nSubject: =?x?b?a?=\r\n\r\n\xff",
            Fate.SET_ASIDE,
        ),
    ],
)
def test_what_is_no_bounce_of_ours(raw: bytes, expected: Fate):
    assert fate(READER.read(raw)) is expected


def test_a_mail_nested_a_thousand_deep_or_without_an_end_is_only_set_aside():
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
        for n in range(3000)
    )
    assert fate(READER.read(deep)) is Fate.SET_ASIDE
    whole = written(DSN, "x", PATH.of(letter())) + b"x" * 3_000_000
    assert isinstance(READER.read(whole), Bounce)


@settings(max_examples=40)
@given(st.binary(max_size=600))
def test_no_bytes_bring_it_to_fall(raw: bytes):
    READER.read(raw)
    READER.read(written(DSN, ID)[:200] + raw)


def test_the_same_mail_by_another_server_is_the_same():
    mail = written(DSN, ID)
    assert READER.read(b"Received: by x\r\n" + mail).id == READER.read(mail).id
    assert READER.read(written(DSN, ID, name="n-2")).id != READER.read(mail).id


# --- what it does --------------------------------------------------------------------------------


class Post:
    """A ledger whose e-mails are taken, and the mails that come back."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.sender = Sender(
            "email", RecordingChannel(idempotent=False), ledger.store, manners=ledger.manners
        )

    def send(self) -> Message:
        while self.sender.step(0):
            pass
        return self.mail()

    def mail(self) -> Message:
        return next(m for m in self.ledger.messages() if m.channel == "email")

    def back(self, raw: bytes) -> Fate:
        with self.ledger.store.begin() as uow:
            return take_back(uow, READER.read(raw))

    def states(self) -> dict[str, State]:
        return {m.channel: m.state for m in self.ledger.messages()}

    def said(self) -> list[str]:
        return [kind for kind, _ in self.ledger.told() if kind != "citizen.notified"]


@pytest.fixture
def post(ledger: Ledger) -> Post:
    ledger.hear(a_contact(first="email"), received(), sample(SupplementRequested, round=1))
    made = Post(ledger)
    made.send()
    return made


def asked(post: Post) -> Message:
    return next(
        m for m in post.ledger.messages()
        if m.channel == "email" and m.moment == "supplement_requested"
    )  # fmt: skip


def ways(post: Post) -> dict[str, State]:
    mine = (m for m in post.ledger.messages() if m.moment == "supplement_requested")
    return {m.channel: m.state for m in mine}


def test_a_letter_that_comes_back_makes_room_for_the_next_way_and_the_desk_sees_it(post: Post):
    mail = asked(post)
    assert ways(post) == {"email": State.SENT, "sms": State.SPARED, "call": State.SPARED}
    raw = written(DSN, "x", PATH.of(mail.letter()))
    assert post.back(raw) is Fate.BOUNCED
    assert ways(post) == {
        "email": State.UNDELIVERABLE, "sms": State.QUEUED, "call": State.STANDBY,
    }  # fmt: skip
    assert asked(post).reason == "bounced 5.1.1"
    assert "trả lại" in words.reason(asked(post).reason)
    assert post.said() == ["citizen.address_failed"]
    before = post.ledger.messages()
    assert post.back(b"Received: again\r\n" + raw) is Fate.REPEATED
    assert post.ledger.messages() == before
    with post.ledger.store.read() as connection:
        tries = receipts.tries_of(connection, mail.id)
        assert [t.outcome for t in tries] == ["sent", "bounced"]
        assert bounces.counts(connection, START) == {"bounced": 1, "repeated": 1}
    story = words.story(asked(post), tries, ())
    assert any("thư bị trả lại" in each.title for each in story)


def test_a_letter_that_is_only_late_is_noted(post: Post):
    mail = asked(post)
    raw = written(DSN, mail.id, action="delayed", status="4.4.1")
    assert post.back(raw) is Fate.DELAYED
    assert ways(post)["email"] is State.SENT
    assert post.said() == []
    # And lost in the end.
    gone = written(DSN, mail.id, action="failed", status="4.4.7", name="n-2")
    assert post.back(gone) is Fate.BOUNCED
    assert ways(post)["sms"] is State.QUEUED
    assert post.said() == []  # nobody says that the address is wrong


def test_an_address_alone_or_another_address_is_nobodys_word(post: Post):
    mail = asked(post)
    assert post.back(written(DSN, mail.id, to="other@example.vn")) is Fate.FORGED
    assert post.back(written(DSN, ID)) is Fate.UNKNOWN
    assert post.back(written(DSN, "x")) is Fate.UNKNOWN
    sms = next(m for m in post.ledger.messages() if m.channel == "sms")
    assert post.back(written(DSN, sms.id, PATH.of(letter(sms.id)), name="n-3")) is Fate.UNKNOWN
    assert ways(post)["email"] is State.SENT


def test_a_letter_in_a_senders_hands_waits_for_its_word(post: Post):
    mail = asked(post)
    post.back(written(DSN, mail.id))
    with post.ledger.store.begin() as uow:
        resend(uow, mail.id)
    channel = RecordingChannel(idempotent=False)
    late = written(DSN, mail.id, name="n-9")

    def during(letters):  # type: ignore[no-untyped-def]
        for each in letters:
            channel.letters.append(each)
            assert post.back(late) is Fate.LATER
            yield Sent()

    channel.send = during  # type: ignore[method-assign]
    sender = Sender("email", channel, post.ledger.store, manners=post.ledger.manners)
    while sender.step(0):
        pass
    assert channel.letters
    assert asked(post).state is State.SENT
    assert post.back(late) is Fate.BOUNCED


def test_what_news_have_overtaken_is_said_to_nobody(post: Post):
    mail = asked(post)
    post.ledger.hear(sample(DossierSupplemented, round=1))
    assert post.back(written(DSN, mail.id)) is Fate.BOUNCED
    assert ways(post) == {
        "email": State.UNDELIVERABLE, "sms": State.SPARED, "call": State.SPARED,
    }  # fmt: skip
    assert post.said() == ["citizen.address_failed"]


def test_an_address_that_was_mended_meanwhile_is_not_blamed(post: Post):
    mail = asked(post)
    post.ledger.hear(a_contact(first="email", email="dung@example.vn"))
    assert post.back(written(DSN, mail.id)) is Fate.BOUNCED
    assert post.said() == []


def test_without_another_way_the_desk_is_asked_to_call(ledger: Ledger):
    ledger.hear(a_contact(consent_sms=False), received(), sample(SupplementRequested, round=1))
    post = Post(ledger)
    post.send()
    assert post.back(written(DSN, asked(post).id)) is Fate.BOUNCED
    assert ways(post) == {"email": State.UNDELIVERABLE, "call": State.TO_CALL}
    assert post.said() == ["citizen.address_failed", "citizen.unreachable"]


def test_a_mail_after_a_month_changes_nothing(post: Post):
    mail = asked(post)
    post.ledger.clock.set(START + timedelta(days=31))
    assert post.back(written(DSN, mail.id)) is Fate.LATE
    assert ways(post)["email"] is State.SENT
