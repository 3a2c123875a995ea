"""`lienthong channels check`: what is wrong with a way out and what to do, in two languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.commands.channels import channels
from services.commands.messages import messages
from services.commands.secrets import command as secrets
from services.notify.delivery.sender import Sender
from services.notify.domain.delivery import Failed, Sent
from services.notify.domain.receipts import Fate, Receipt
from services.notify.usecases.receiving import take_in
from shared.kernel.errors import SettingsError
from shared.testing.smsc import Smsc, Temper
from tests.backends import Backend
from tests.notify.conftest import opened
from tests.notify.ledger import RecordingChannel, a_contact, received
from tests.notify.mail_peer import mail_peer
from tests.notify.test_sms_http import SECRETS, described
from tests.ports import free_port

VIETNAMESE = re.compile("[ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")


def checked(monkeypatch: pytest.MonkeyPatch, **env: object) -> Result:
    for name, value in env.items():
        monkeypatch.setenv(f"LIENTHONG_{name}", str(value))
    return CliRunner().invoke(channels, ["check"])


def test_each_channel_of_the_settings_is_tried_and_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch,
):
    with Smsc() as first, Smsc() as second, mail_peer() as mail:
        found = checked(
            monkeypatch,
            CHANNEL_SMS="smpp:2,smpp-2",
            SMPP_URL=f"smpp://city:secret@127.0.0.1:{first.port}",
            SMPP_URL_2=f"smpp://city:secret@127.0.0.1:{second.port}",
            CHANNEL_EMAIL="smtp",
            SMTP_URL=f"smtp://127.0.0.1:{mail.port}?starttls=no",
        )
        assert found.exit_code == 0, found.output
        for name in ("sms.smpp", "sms.smpp-2", "email.smtp"):
            assert f"{name}: sẵn sàng / ready" in found.output
        assert first.binds == second.binds == [("city", True)]
        assert (first.submits, second.submits, mail.texts) == (0, 0, [])


@pytest.mark.parametrize(
    ("temper", "why", "what"),
    [
        (Temper(password="other"), "smpp bind: 14", "Wrong user or password"),
        (Temper(greeting=b"HTTP/1.1 400 Bad\r\n\r\n"), "speaks no SMPP", "a wrong port"),
        (None, "smpp connect: ConnectionRefusedError", "firewall"),
    ],
)
def test_what_is_wrong_is_said_in_two_languages_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, temper: Temper | None, why: str, what: str
):
    with Smsc(temper) as smsc:
        port = smsc.port if temper else free_port()
        url = f"smpp://city:secret@127.0.0.1:{port}"
        found = checked(monkeypatch, CHANNEL_SMS="smpp", SMPP_URL=url)
    assert found.exit_code == 1
    assert why in found.output
    assert what in found.output
    assert VIETNAMESE.search(found.output)
    assert "secret" not in found.output


def test_a_gateway_that_cannot_be_reached_and_a_setting_that_cannot_be_right(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    path = described(tmp_path, send__url=f"http://127.0.0.1:{free_port()}/sms")
    env = {"CHANNEL_SMS": "http", "SMS_HTTP": path, "SMS_HTTP_SECRETS": SECRETS}
    found = checked(monkeypatch, **env)
    assert found.exit_code == 1
    assert "sms.http: ConnectError" in found.output
    assert "T0ken" not in found.output
    path.write_text("send: 1", encoding="utf-8")
    assert isinstance(checked(monkeypatch).exception, SettingsError)


def test_a_file_is_always_ready(monkeypatch: pytest.MonkeyPatch):
    found = checked(monkeypatch)
    assert (found.exit_code, found.output.count("ready")) == (0, 2)


def test_what_a_provider_gives_is_put_in_as_a_secret(tmp_path: Path):
    for name, text in (
        ("notify/smpp_url", "smpps://a:b@c\n"),
        ("notify/sms_http_secrets", "a=1\nb=2\n"),
    ):
        done = CliRunner().invoke(secrets, ["put", str(tmp_path), name], input=text)
        assert done.exit_code == 0, done.output
        assert (tmp_path / name).read_text(encoding="utf-8").split() == text.split()
    refused = CliRunner().invoke(secrets, ["put", str(tmp_path), "notify/other"], input="x\n")
    assert refused.exit_code != 0


def test_a_message_is_shown_with_each_try_and_each_part(
    embedded: Backend,
    clock,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
):
    with opened(embedded, clock) as ledger:
        ledger.hear(a_contact(consent_email=False), received())
        for answer in (Failed("smpp bind: 14"), Sent(("00A7",))):
            channel = RecordingChannel(idempotent=False, name="sms.smpp", answers=[answer])
            sender = Sender("sms", channel, ledger.store)
            while sender.step(0):
                pass
            sender.close()
            clock.set(clock.now().replace(hour=clock.now().hour + 1))
        with ledger.store.begin() as uow:
            take_in(uow, [Receipt("sms.smpp", ("a7",), Fate.DELIVERED, "DELIVRD 000")])
        (message,) = ledger.messages()
    settings = embedded.settings("notify")
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", settings.database_url)
    shown = CliRunner().invoke(messages, ["show", message.id]).output
    assert "2022-03-14 09:00:00  sms.smpp  failed: smpp bind: 14" in shown
    assert "2022-03-14 10:00:00  sms.smpp  sent" in shown
    assert "sms.smpp 00A7  part 1 of 1: delivered DELIVRD 000" in shown
