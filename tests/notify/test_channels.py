"""Channels: what they keep, what they answer, and that a mail server is understood rightly."""

import email.policy
import io
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.notify.channels import open_channels
from services.notify.channels.console import ConsoleChannel
from services.notify.channels.file import FileChannel
from services.notify.channels.mail import MailFrom, parse_mail_from
from services.notify.channels.null import NullChannel
from services.notify.channels.smtp import parse_smtp_url
from services.notify.domain.delivery import Failed, GoingOut, Letter, Sent
from shared.kernel.errors import SettingsError
from shared.settings import Settings

SENDER = MailFrom("Một cửa, Cao Lãnh", "mot-cua@caolanh.example")


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
    assert mail["From"].addresses[0].display_name == "Một cửa, Cao Lãnh"
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
    assert list(ConsoleChannel("sms", out).send([a_letter()])) == [GoingOut(), Sent()]
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


@pytest.mark.parametrize(
    "url",
    [
        "smtp://",
        "http://mail.example",
        "mail.example:25",
        "smtp://mail.example:mail",
        "smtp://mail.example:70000",
        "smtp://mail.example:0",
        "smtp://user:pa#ss@mail.example",
        "smtp://user:pa?ss@mail.example",
        "smtp://user:pa/ss@mail.example",
        "smtp://user:mật%khẩu%ff@mail.example",
        "smtp://user:%00@mail.example",
        "smtp://user@mail.example",
        "smtp://:secret@mail.example",
        "smtp://mail.example?starttls=nein",
        "smtp://mail.example?tls=no",
        "smtps://mail.example?starttls=no",
        "smtp://mail.example/inbox",
        "smtp://[::1",
        "smtp://mail..example",
        "smtp://mail example",
        "smtp://user:sec\nret@mail.example",
    ],
)
def test_a_mail_url_that_no_letter_could_go_by_is_told_at_the_start(tmp_path: Path, url: str):
    with pytest.raises(SettingsError) as refused:
        opened(tmp_path, mail="smtp", url=url)
    for said in (refused.value.en, refused.value.vi):
        assert "LIENTHONG_SMTP_URL" in said
        for secret in ("pa#", "pa?", "mật%", "sec\n", "nein"):
            assert secret not in said


def test_accents_in_a_sign_in_are_no_trouble():
    server = parse_smtp_url("smtp://một-cửa:mật khẩu@mail.example".replace(" ", "%20"))
    assert (server.user, server.password) == ("một-cửa", "mật khẩu")
    server = parse_smtp_url("smtp://u:m%E1%BA%ADt@mail.example:2525?starttls=yes")
    assert (server.password, server.port, server.tls) == ("mật", 2525, "starttls")


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("mot-cua@localhost", "", "mot-cua@localhost"),
        ("<mot-cua@x.vn>", "", "mot-cua@x.vn"),
        ("Một cửa, Cao Lãnh <mot-cua@x.vn>", "Một cửa, Cao Lãnh", "mot-cua@x.vn"),
        ('"Một cửa, Cao Lãnh" <mot-cua@x.vn>', "Một cửa, Cao Lãnh", "mot-cua@x.vn"),
        ('"So 1 \\"A\\"" <a@x.vn>', 'So 1 "A"', "a@x.vn"),
        ("UBND (Phường 1) @ Cao Lãnh <a@x.vn>", "UBND (Phường 1) @ Cao Lãnh", "a@x.vn"),
    ],
)
def test_a_sender_may_have_any_name(text: str, name: str, address: str):
    assert parse_mail_from(text) == MailFrom(name, address)


@pytest.mark.parametrize(
    "text",
    ["", "Một cửa", "một-cửa@x.vn", "a@", "@x.vn", "a b@x.vn", "A <a@x.vn> B", "a@x.vn, b@x.vn",
     "A\r\nBcc: b@x.vn <a@x.vn>", "a@-x.vn", "x" * 200 + " <a@x.vn>", "A <một@x.vn>"],
)  # fmt: skip
def test_a_sender_that_no_server_takes_is_told_at_the_start(tmp_path: Path, text: str):
    with pytest.raises(SettingsError, match="LIENTHONG_MAIL_FROM"):
        open_channels(
            Settings.load(
                "notify", {"LIENTHONG_DATA_DIR": str(tmp_path), "LIENTHONG_MAIL_FROM": text}
            )
        )
