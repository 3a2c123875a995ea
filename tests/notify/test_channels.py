"""Channels: what they keep, what they answer, and that a mail server is understood rightly."""

import email.policy
import io
import socket
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.notify.channels import open_channels
from services.notify.channels.console import ConsoleChannel
from services.notify.channels.file import FileChannel
from services.notify.channels.null import NullChannel
from services.notify.channels.smtp import SmtpChannel, SmtpServer, parse_smtp_url
from services.notify.domain.delivery import Failed, Letter, Sent, Unknown
from shared.kernel.errors import SettingsError
from shared.settings import Settings
from tests.notify.mailbox import Inbox, mail_server
from tests.ports import free_port

SENDER = '"Một cửa Cao Lãnh" <mot-cua@caolanh.example>'


def a_letter(number: int = 1, to: str = "sau@example.vn") -> Letter:
    return Letter(
        id=f"m-{number}",
        channel="email",
        to=to,
        subject="Hồ sơ đã được tiếp nhận – hẹn trả kết quả",
        body="Kính gửi Ông/Bà,\n.một dòng bắt đầu bằng dấu chấm\nHẹn: 09:00 ngày 14/03/2022\n",
        made_at=datetime(2022, 3, 14, 2, 0, tzinfo=UTC),
    )


# --- file ----------------------------------------------------------------------------------------


def test_a_text_message_becomes_one_file_that_a_person_can_read(tmp_path: Path):
    channel = FileChannel(tmp_path / "sms", "sms", SENDER)
    assert list(channel.send([a_letter()])) == [Sent()]
    assert "Hẹn: 09:00" in (tmp_path / "sms" / "m-1.txt").read_text(encoding="utf-8")


def test_an_email_file_opens_in_a_mail_program_and_reads_as_plain_text(tmp_path: Path):
    channel = FileChannel(tmp_path, "email", SENDER)
    list(channel.send([a_letter()]))
    raw = channel.path_of("m-1").read_bytes()
    assert "Subject: Hồ sơ đã được tiếp nhận" in raw.decode()
    mail = email.message_from_string(raw.decode(), policy=email.policy.default)
    assert mail["Subject"] == a_letter().subject
    assert mail["From"].addresses[0].display_name == "Một cửa Cao Lãnh"
    assert raw.decode().endswith("\n\n" + a_letter().body)


@pytest.mark.parametrize("kind", ["sms", "email"])
def test_the_same_message_twice_leaves_one_file_with_the_same_bytes(tmp_path: Path, kind: str):
    channel = FileChannel(tmp_path, kind, SENDER)
    list(channel.send([a_letter()]))
    first = channel.path_of("m-1").read_bytes()
    list(channel.send([a_letter()]))
    assert channel.path_of("m-1").read_bytes() == first
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_a_failure_to_try_again(tmp_path: Path):
    blocked = tmp_path / "sms"
    blocked.write_text("a file where the folder should be")
    (result,) = FileChannel(blocked, "sms", SENDER).send([a_letter()])
    assert isinstance(result, Failed)
    assert not result.permanent


def test_messages_are_for_their_owner_only_on_disk(tmp_path: Path):
    channel = FileChannel(tmp_path / "sms", "sms", SENDER)
    list(channel.send([a_letter()]))
    assert stat.S_IMODE((tmp_path / "sms").stat().st_mode) == 0o700


# --- console and null ----------------------------------------------------------------------------


def test_the_console_shows_the_message():
    out = io.StringIO()
    assert list(ConsoleChannel("sms", out).send([a_letter()])) == [Sent()]
    assert "Hẹn: 09:00" in out.getvalue()


def test_null_counts():
    channel = NullChannel("sms")
    assert list(channel.send([a_letter(1), a_letter(2)])) == [Sent(), Sent()]
    assert channel.count == 2


def test_a_channel_hands_over_nothing_before_it_is_asked(tmp_path: Path):
    channel = FileChannel(tmp_path, "sms", SENDER)
    answers = iter(channel.send([a_letter(1), a_letter(2)]))
    next(answers)
    assert [path.name for path in tmp_path.iterdir()] == ["m-1.txt"]


# --- settings ------------------------------------------------------------------------------------


def opened(tmp_path: Path, sms: str = "file", mail: str = "file", url: str | None = None) -> object:
    env = {"CHANNEL_SMS": sms, "CHANNEL_EMAIL": mail, "DATA_DIR": str(tmp_path)}
    env |= {} if url is None else {"SMTP_URL": url}
    return open_channels(Settings.load("notify", {f"LIENTHONG_{n}": v for n, v in env.items()}))


def test_an_unknown_channel_or_a_missing_mail_server_is_told_at_the_start(tmp_path: Path):
    for wrong in ({"sms": "smtp"}, {"mail": "pigeon"}, {"mail": "smtp"}):
        with pytest.raises(SettingsError) as refused:
            opened(tmp_path, **wrong)
        assert "pigeon" not in refused.value.en + refused.value.vi, "it may be a secret"


def test_a_mail_url_gives_host_port_user_and_how_to_encrypt():
    assert parse_smtp_url("smtp://a%40b:p%2Fw@mail.example").tls == "starttls"
    server = parse_smtp_url("smtp://a%40b:p%2Fw@mail.example")
    assert (server.port, server.user, server.password) == (587, "a@b", "p/w")
    assert parse_smtp_url("smtps://mail.example").port == 465
    assert parse_smtp_url("smtp://mail:25?starttls=no").tls == "none"
    assert "p/w" not in repr(server)


# --- SMTP ----------------------------------------------------------------------------------------


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, SmtpChannel]]:
    with mail_server() as (handler, port):
        server = SmtpServer("127.0.0.1", port, None, None, "none")
        yield handler, SmtpChannel(server, SENDER, timeout=5)


def test_a_vietnamese_mail_arrives_whole(inbox: tuple[Inbox, SmtpChannel]):
    handler, channel = inbox
    assert list(channel.send([a_letter()])) == [Sent()]
    ((to, raw),) = handler.envelopes
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert to == "sau@example.vn"
    assert mail["Subject"] == a_letter().subject
    assert mail.get_content().replace("\r\n", "\n").rstrip() == a_letter().body.rstrip()
    assert mail["Message-ID"] == "<m-1@caolanh.example>"
    assert raw.isascii()


def test_one_batch_uses_one_connection_and_each_letter_gets_its_own_answer(
    inbox: tuple[Inbox, SmtpChannel],
):
    handler, channel = inbox
    to = ["a@x.vn", "full@x.vn", "nobody@x.vn", "spam@x.vn", "b@x.vn"]
    results = list(channel.send([a_letter(n, address) for n, address in enumerate(to)]))
    assert results == [
        Sent(),
        Failed("smtp recipient: 452"),
        Failed("smtp recipient: 550", permanent=True),
        Failed("smtp text: 554", permanent=True),
        Sent(),
    ]
    assert handler.connections == 1
    assert [address for address, _ in handler.envelopes] == ["a@x.vn", "b@x.vn"]


def test_a_server_that_breaks_off_after_the_text_leaves_the_letter_uncertain(
    inbox: tuple[Inbox, SmtpChannel],
):
    handler, channel = inbox
    results = list(channel.send([a_letter(1, "silent@x.vn"), a_letter(2, "b@x.vn")]))
    assert isinstance(results[0], Unknown)
    assert results[1] == Sent()
    assert handler.connections == 2


def test_a_server_that_is_away_fails_the_whole_batch_after_one_try():
    port = free_port()
    channel = SmtpChannel(SmtpServer("127.0.0.1", port, None, None, "none"), SENDER, timeout=2)
    results = list(channel.send([a_letter(1), a_letter(2)]))
    assert all(isinstance(result, Failed) and not result.permanent for result in results)


def test_a_server_that_says_nothing_is_given_up_after_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        accepted: list[socket.socket] = []
        thread = threading.Thread(target=lambda: accepted.append(mute.accept()[0]))
        thread.start()
        channel = SmtpChannel(
            SmtpServer("127.0.0.1", port, None, None, "none"), SENDER, timeout=0.3
        )
        results = list(channel.send([a_letter(1), a_letter(2), a_letter(3)]))
        thread.join()
        accepted[0].close()
    assert results == [Failed("smtp connect: SMTPServerDisconnected")] * 3


def test_without_encryption_where_it_is_wanted_nothing_is_sent(inbox: tuple[Inbox, SmtpChannel]):
    handler, channel = inbox
    port = channel._server.port
    strict = SmtpChannel(SmtpServer("127.0.0.1", port, None, None, "starttls"), SENDER, timeout=5)
    (result,) = strict.send([a_letter()])
    assert result == Failed("smtp greeting: SMTPNotSupportedError")
    assert handler.envelopes == []


def test_no_answer_names_the_recipient(inbox: tuple[Inbox, SmtpChannel]):
    _, channel = inbox
    results = list(channel.send([a_letter(1, "nobody@x.vn"), a_letter(2, "silent@x.vn")]))
    assert "x.vn" not in repr(results)
