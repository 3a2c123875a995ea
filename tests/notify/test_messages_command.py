"""`lienthong messages` as an operator types it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.commands.messages import messages
from services.notify.delivery.sender import Sender
from services.notify.domain.delivery import Unknown
from shared.kernel.errors import InvalidInput, NotAllowed, SettingsError
from tests.backends import Backend
from tests.notify.conftest import opened
from tests.notify.ledger import Ledger, RecordingChannel, a_contact, received
from tests.notify.mail_peer import mail_peer


@pytest.fixture
def told(embedded: Backend, clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("LIENTHONG_DATA_DIR", str(Path(embedded.data_dir)))
    with opened(embedded, clock) as ledger:
        ledger.hear(a_contact(first="email"), a_contact("D-2", consent_email=False))
        ledger.hear(received(), received("D-2"))
        Sender("email", RecordingChannel(), ledger.store).step(0)
        uncertain = RecordingChannel(idempotent=False, answers=[Unknown("broke off")])
        Sender("sms", uncertain, ledger.store).step(0)
        yield ledger


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(messages, arguments)


def test_the_list_is_masked_and_filtered(told: Ledger):
    everything = typed("list")
    assert everything.exit_code == 0
    assert "3 shown; not finished: uncertain 1" in everything.output
    assert "in all: sent 1, spared 1, uncertain 1" in typed("list", "--count").output
    assert "907123456" not in everything.output
    assert "sau.nguyen" not in everything.output
    (uncertain,) = told.messages(states=("uncertain",))
    only = typed("list", "--state", "uncertain").output
    assert uncertain.id in only
    assert only.count(uncertain.dossier) == 1


def test_a_state_that_does_not_exist_names_those_that_do(told: Ledger):
    wrong = typed("list", "--state", "lost")
    assert wrong.exit_code == 2
    assert "undeliverable" in wrong.output


def test_show_prints_the_text_for_a_reason_alone(told: Ledger):
    (uncertain,) = told.messages(states=("uncertain",))
    shown = typed("show", uncertain.id).output
    assert uncertain.body.strip() not in shown
    assert "reason: broke off" in shown
    assert isinstance(typed("show", uncertain.id, "--reveal").exception, InvalidInput)
    told_why = typed("show", uncertain.id, "--reveal", "--reason", "công dân gọi hỏi").output
    assert uncertain.body.strip() in told_why


def test_resend_queues_an_uncertain_message_and_refuses_one_that_was_sent(told: Ledger):
    (uncertain,) = told.messages(states=("uncertain",))
    assert "1 queued" in typed("resend", uncertain.id, "--who", "lan", "--why", "hỏi rồi").output
    assert told.states() == {"queued": 1, "sent": 1, "spared": 1}
    (sent,) = told.messages(states=("sent",))
    assert isinstance(typed("resend", sent.id, "--who", "lan", "--why", "x").exception, NotAllowed)


def test_recall_takes_back_what_has_not_gone_with_the_ways_behind_it(told: Ledger):
    told.hear(a_contact("D-3"), received("D-3"))
    (waiting,) = told.messages(states=("queued",))
    order = ("recall", waiting.id, "--who", "lan", "--why", "nhập nhầm")
    assert "1 recalled" in typed(*order).output
    assert {m.state.value for m in told.messages(dossier="D-3")} == {"recalled"}
    assert isinstance(typed(*order).exception, NotAllowed)
    (sent,) = told.messages(states=("sent",))
    refused = typed("recall", sent.id, "--who", "lan", "--why", "x").exception
    assert isinstance(refused, NotAllowed)
    assert "held" in refused.allowed


def test_check_says_at_which_step_a_mail_server_refuses_and_sends_nothing(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("LIENTHONG_CHANNEL_EMAIL", "smtp")
    with mail_peer() as peer:
        monkeypatch.setenv("LIENTHONG_SMTP_URL", f"smtp://127.0.0.1:{peer.port}?starttls=no")
        assert "email.smtp: sẵn sàng / ready" in typed("check").output
        for turn, words in (("MAIL", "smtp sender: 553"), ("greeting", "smtp greeting: 553")):
            peer.temper[turn] = "553 not you"
            refused = typed("check")
            assert refused.exit_code == 1
            assert words in refused.output
        assert peer.texts == []
    monkeypatch.setenv("LIENTHONG_SMTP_URL", "smtp://user:mật%khẩu@")
    assert isinstance(typed("check").exception, SettingsError)
