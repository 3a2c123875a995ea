"""A mail server of any temper, on a real socket: each letter gets an honest answer.

`uncertain` only where the text went out with its final dot and no clear word came back.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.notify.channels.mail import MailFrom
from services.notify.channels.smtp import SmtpChannel, SmtpServer, Times
from services.notify.domain.delivery import Failed, Letter, Result, Sent, Unknown, Waiting
from tests.notify.mail_peer import CLOSE, HANG, HOLD, Peer, by_name, mail_peer
from tests.ports import free_port
from tests.tls import Authority

QUICK = Times(connect=5, reply=0.3, text=5, verdict=0.3)
CITY = MailFrom("Một cửa, Cao Lãnh", "mot-cua@caolanh.example")


def a_letter(to: str = "sau@example.vn", body: str = "Kính gửi Ông/Bà") -> Letter:
    at = datetime(2022, 3, 14, 2, 0, tzinfo=UTC)
    return Letter(f"m-{to}", "email", to, "Hồ sơ đã được tiếp nhận", body, at)


def channel_to(
    peer: Peer,
    times: Times = QUICK,
    *,
    host: str = "127.0.0.1",
    sign_in: tuple[str, str] | None = None,
    tls: str = "none",
    context: ssl.SSLContext | None = None,
) -> SmtpChannel:
    user, password = sign_in or (None, None)
    server = SmtpServer(host, peer.port, user, password, tls)
    return SmtpChannel(server, CITY, times=times, tls_context=context)


def results(channel: SmtpChannel, letters: Iterable[Letter]) -> list[Result]:
    words = channel.send(letters)
    return [word for word in words if isinstance(word, Sent | Failed | Unknown)]


def told(temper: dict[str, object]) -> Result:
    """What is told of one letter, and that the one behind it is not harmed."""
    with mail_peer(temper) as peer:
        first, second = results(channel_to(peer), [a_letter("odd@x.vn"), a_letter("b@x.vn")])
        came = [to for to, _ in peer.texts]
    assert second == Sent()
    assert came[-1] == "b@x.vn"
    if isinstance(first, Unknown):
        assert "odd@x.vn" in came, "uncertain, and no text ever came whole"
    return first


# --- before the text: never uncertain ------------------------------------------------------------

EARLY = {
    "closed": (CLOSE, Failed("smtp: closed by the server")),
    "nothing": (HANG, Failed("smtp: no answer in time")),
    "garbage": ("hello there", Failed("smtp: no reply of SMTP")),
    "half a line": (["25|", CLOSE], Failed("smtp: closed by the server")),
    "two codes in one reply": ("250-ok\r\n550 no", Failed("smtp: no reply of SMTP")),
    "a line without end": ("250 " + "x" * 9000, Failed("smtp: no reply of SMTP")),
    "lines without end": ("250-x\r\n" * 300 + "250 x", Failed("smtp: no reply of SMTP")),
}


@pytest.mark.parametrize("turn", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("oddity", EARLY)
def test_before_the_text_an_odd_server_makes_nothing_uncertain(turn: str, oddity: str):
    answer, expected = EARLY[oddity]
    once = [answer]
    assert told({turn: lambda _: once.pop() if once else None}) == expected


@pytest.mark.parametrize(
    ("temper", "expected"),
    [
        ({"MAIL": "451 later"}, Failed("smtp sender: 451")),
        # The operator's fault and not the letter's: mended, it can go.
        ({"MAIL": "553 not from here"}, Failed("smtp sender: 553")),
        ({"MAIL": "530 sign in first"}, Failed("smtp sender: 530")),
        ({"RCPT": "452 full"}, Failed("smtp recipient: 452")),
        ({"RCPT": "503 out of turn"}, Failed("smtp recipient: 503")),
        ({"RCPT": "550 nobody"}, Failed("smtp recipient: 550", permanent=True)),
        (
            {"RCPT": ["550-nobody", "550 of that name"]},
            Failed("smtp recipient: 550", permanent=True),
        ),
        ({"RCPT": ["550 nobody", CLOSE]}, Failed("smtp recipient: 550", permanent=True)),
        ({"RCPT": ["421 going down", CLOSE]}, Failed("smtp recipient: 421")),
        ({"RCPT": "354 what"}, Failed("smtp: recipient 354")),
        ({"DATA": "554 no"}, Failed("smtp data: 554", permanent=True)),
        ({"DATA": ["554 no", CLOSE]}, Failed("smtp data: 554", permanent=True)),
        ({"DATA": "250 ok"}, Failed("smtp: data 250")),
        ({"DATA": "334 more"}, Failed("smtp: data 334")),
    ],
)
def test_a_clear_no_is_understood(temper: dict[str, object], expected: Failed):
    (turn, answer), *_ = temper.items()
    once = [answer]
    assert told({turn: lambda _: once.pop() if once else None}) == expected


# --- the text ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("250 taken", Sent()),
        ("250-taken\r\n250 and kept", Sent()),
        ("250", Sent()),
        ("252 taken, perhaps", Sent()),
        ("250 taken\n|", Sent()),
        (["354 go on", "250 taken"], Sent()),
        ([0.05, "2|", 0.05, "50 tak|", 0.05, "en"], Sent()),
        ("451 not now", Failed("smtp text: 451")),
        ("554 not wanted", Failed("smtp text: 554", permanent=True)),
        (["554 not wanted", CLOSE], Failed("smtp text: 554", permanent=True)),
        (["421 going down", CLOSE], Failed("smtp text: 421")),
        ("334 go on", Unknown("smtp text: text 334")),
        ("150 soon", Unknown("smtp text: text 150")),
        ("got it", Unknown("smtp text: no reply of SMTP")),
        (["25|", CLOSE], Unknown("smtp text: closed by the server")),
        (["250-taken", CLOSE], Unknown("smtp text: closed by the server")),
        (CLOSE, Unknown("smtp text: closed by the server")),
        (HANG, Unknown("smtp text: no answer in time")),
        (["354 go on", HANG], Unknown("smtp text: no answer in time")),
    ],
)
def test_after_the_text_only_a_clear_word_counts(answer: object, expected: Result):
    assert told({"text": by_name(odd=answer)}) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (["354 go on", 0.1, CLOSE], Failed("smtp text: closed by the server")),
        (
            ["354 go on", "554 changed my mind", 0.1, CLOSE],
            Failed("smtp text: 554", permanent=True),
        ),
        ("354 go on\r\n354 go on", Failed("smtp text: more than was asked for")),
    ],
)
def test_a_line_that_is_over_before_the_text_carries_none(answer: object, expected: Result):
    with mail_peer({"DATA": answer}) as peer:
        words = []
        for word in channel_to(peer).send([a_letter()]):
            words.append(word)
            time.sleep(0.3)  # the ledger is slow
        assert peer.texts == []
    assert words[-1] == expected


def test_a_text_that_the_server_does_not_read_to_its_end_was_not_sent():
    long = "dài " * 2_000_000
    with mail_peer({"DATA": ["354 go on", HANG]}) as peer:
        quick = Times(connect=5, reply=5, text=0.5, verdict=5)
        (result,) = results(channel_to(peer, quick), [a_letter(body=long)])
    assert result == Failed("smtp text: no answer in time")


def test_a_server_that_drips_has_the_time_of_one_reply_and_no_more():
    drip = [part for _ in range(100) for part in ("250-x|", 0.1)]
    with mail_peer({"MAIL": drip}) as peer:
        began = time.monotonic()
        (result,) = results(channel_to(peer), [a_letter()])
        assert time.monotonic() - began < 5
    assert result == Failed("smtp: no answer in time")


def test_minutes_are_allowed_after_the_dot_and_few_seconds_before():
    usual = Times()
    assert usual.verdict >= 600
    assert max(usual.connect, usual.reply) <= 60
    with mail_peer({"text": [1.0, None]}) as peer:
        slow = Times(connect=5, reply=0.3, text=5, verdict=30)
        assert results(channel_to(peer, slow), [a_letter()]) == [Sent()]


def test_while_it_waits_the_channel_says_so_and_can_be_left():
    with mail_peer({"text": HOLD}) as peer:
        words = channel_to(peer, Times()).send([a_letter()])
        while not peer.at.is_set():
            next(words)
        assert [type(next(words)) for _ in range(3)] == [Waiting] * 3
        began = time.monotonic()
        words.close()
        assert time.monotonic() - began < 1


# --- opening -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("temper", "reason"),
    [
        ({"greeting": "554 not you"}, "smtp greeting: 554"),
        ({"greeting": ["421 busy", CLOSE]}, "smtp greeting: 421"),
        ({"greeting": CLOSE}, "smtp greeting: closed by the server"),
        ({"greeting": HANG}, "smtp greeting: no answer in time"),
        ({"greeting": "HTTP/1.1 400 Bad Request"}, "smtp greeting: no reply of SMTP"),
        ({"EHLO": "502 what", "HELO": "550 no"}, "smtp greeting: 550"),
    ],
)
def test_a_server_that_will_not_have_us_is_asked_once_per_batch(
    temper: dict[str, object], reason: str
):
    with mail_peer(temper) as peer:
        told = results(channel_to(peer), [a_letter("a@x.vn"), a_letter("b@x.vn")])
        assert peer.connections == 1
    assert told == [Failed(reason)] * 2


def test_a_server_that_knows_only_the_old_greeting_is_good_enough():
    with mail_peer({"EHLO": "502 what"}) as peer:
        assert results(channel_to(peer), [a_letter()]) == [Sent()]


def test_nobody_there_and_a_name_that_nobody_has():
    away = SmtpChannel(SmtpServer("127.0.0.1", free_port(), None, None, "none"), CITY, times=QUICK)
    assert results(away, [a_letter()] * 2) == [Failed("smtp connect: ECONNREFUSED")] * 2
    nowhere = SmtpServer("mail.nowhere.invalid", 25, None, None, "none")
    (told,) = results(SmtpChannel(nowhere, CITY, times=QUICK), [a_letter()])
    assert isinstance(told, Failed)


@pytest.mark.parametrize("way", ["PLAIN", "LOGIN"])
def test_a_user_and_a_password_with_accents_sign_in(way: str):
    with mail_peer({"EHLO": f"250-peer\r\n250 AUTH {way} XOAUTH2"}) as peer:
        channel = channel_to(peer, sign_in=("một-cửa", "mật khẩu: ổ@#%"))
        assert results(channel, [a_letter()]) == [Sent()]
        assert peer.passwords == [("một-cửa", "mật khẩu: ổ@#%")]


def test_a_sign_in_that_is_refused_says_so_and_keeps_the_letters():
    temper = {"EHLO": "250-peer\r\n250 AUTH PLAIN", "AUTH": "535 wrong"}
    with mail_peer(temper) as peer:
        told = results(channel_to(peer, sign_in=("user", "no")), [a_letter()])
    assert told == [Failed("smtp sign-in: 535")]
    with mail_peer() as peer:
        (told,) = results(channel_to(peer, sign_in=("user", "no")), [a_letter()])
    assert isinstance(told, Failed)
    assert told.reason.startswith("smtp sign-in: the server offers no way")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("mail") / "ca", "Mail Root")


def contexts(authority: Authority) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    pair = authority.server("localhost")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pair.certificate, pair.key)
    return server, ssl.create_default_context(cafile=str(authority.root))


def test_encrypted_from_the_middle_of_the_talk(authority: Authority):
    server, client = contexts(authority)
    temper = {"EHLO": "250-peer\r\n250 STARTTLS", "text": [0.6, None]}
    with mail_peer(temper, tls=server) as peer:
        channel = channel_to(peer, Times(), host="localhost", tls="starttls", context=client)
        letters = [a_letter("a@x.vn"), a_letter("b@x.vn", body="dài " * 200_000)]
        assert results(channel, letters) == [Sent(), Sent()]
        assert peer.connections == 1
        stranger = channel_to(peer, host="localhost", tls="starttls")
        told = results(stranger, [a_letter()])
    assert told == [Failed("smtp starttls: SSLCertVerificationError")]


def test_nothing_is_said_in_the_clear_where_encryption_is_wanted(authority: Authority):
    server, client = contexts(authority)
    options = {
        "host": "localhost",
        "tls": "starttls",
        "sign_in": ("u", "secret"),
        "context": client,
    }
    with mail_peer() as peer:
        told = results(channel_to(peer, **options), [a_letter()])
        assert told == [Failed("smtp starttls: the server does not offer it")]
    # Words slipped in behind the go-ahead, to be believed as if they had come by TLS.
    slipped = {"EHLO": "250-peer\r\n250 STARTTLS", "STARTTLS": "220 go\r\n250 AUTH PLAIN"}
    with mail_peer(slipped, tls=server) as peer:
        told = results(channel_to(peer, **options), [a_letter()])
        assert told == [Failed("smtp starttls: more than was asked for before TLS")]
        assert not [line for line in peer.heard if line.startswith("AUTH")]


# --- what is on the wire -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "to",
    ["sáu@example.vn", "a@b\r\nRCPT TO:<x@y>", "a b@x.vn", "<a@x.vn>", "", "a" * 300 + "@x.vn"],
)
def test_an_address_that_no_server_takes_is_not_said_to_one(to: str):
    with mail_peer() as peer:
        told = results(channel_to(peer), [a_letter(to), a_letter("b@x.vn")])
        assert [line for line in peer.heard if line.startswith("RCPT")] == ["RCPT TO:<b@x.vn>"]
    assert isinstance(told[0], Failed)
    assert told[0].permanent
    assert told[1] == Sent()


def test_no_reason_repeats_what_a_server_said_or_who_was_to_be_reached():
    said = "says sau@example.vn is not known"
    for temper in ({"RCPT": f"550 {said}"}, {"text": f"554 {said}"}, {"text": said}):
        with mail_peer(temper) as peer:
            told = repr(results(channel_to(peer), [a_letter()]))
        assert "example.vn" not in told
        assert "not known" not in told


def test_one_batch_uses_one_connection(tmp_path: Path):
    with mail_peer() as peer:
        letters = [a_letter(f"c{number}@x.vn") for number in range(30)]
        began = time.monotonic()
        assert results(channel_to(peer), letters) == [Sent()] * 30
        assert time.monotonic() - began < 5, "no letter waits for a slice of time"
        assert peer.connections == 1
        assert peer.heard[-1] == "QUIT"
