"""What a citizen is told about papers that are awaited: the date, a reminder, more time, the end."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from shared.events.event import Event
from shared.events.intake import (
    DossierRefused,
    SupplementExtended,
    SupplementReminded,
    SupplementRequested,
)
from shared.events.routing import SupplementDropped
from shared.kernel.text import is_gsm, unaccent
from tests.notify.ledger import (
    DOSSIER,
    OFFICE,
    Ledger,
    a_contact,
    agency,
    received,
    sample,
    the_catalogue,
)

ITEMS = ("Tờ khai thay đổi thông tin cư trú (CT01)",)
ASKED = {
    "agency": agency("cong-an-cao-lanh", "Công an thành phố Cao Lãnh"),
    "items": ITEMS,
    "respond_by": datetime(2022, 3, 15, 10, tzinfo=UTC),
}
REMINDED = sample(SupplementReminded, reason="chưa ký", **ASKED)


@pytest.mark.parametrize(
    "event",
    [
        sample(SupplementRequested, reason="chưa ký", step="check", **ASKED),
        REMINDED,
        sample(SupplementExtended, **ASKED),
    ],
    ids=lambda event: type(event).__name__,
)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_date_and_the_papers_are_in_every_message(ledger: Ledger, event: Event, language: str):
    ledger.hear(a_contact(language=language))
    ledger.hear(received(), event)
    found = {m.channel: m for m in ledger.messages() if m.moment != "received"}
    mail, sms, call = found["email"], found["sms"], found["call"]
    assert ITEMS[0] in call.body
    assert "17:00" in call.body
    joint = "on" if language == "en" else "ngày"
    assert f"17:00 {joint} 15/03/2022" in mail.body
    assert ITEMS[0] in mail.body
    assert "17:00 15/03/2022" in sms.body
    assert "To khai thay doi" in sms.body
    assert (sms.encoding, sms.parts, is_gsm(sms.body)) == ("gsm7", 2, True)
    assert DOSSIER in sms.body


def test_a_message_that_waited_for_its_contact_still_knows_the_date(ledger: Ledger):
    ledger.hear(received(), REMINDED)
    ledger.hear(a_contact())
    sms = [m for m in ledger.messages(channel="sms") if m.moment == "supplement_reminder"]
    assert ["17:00 15/03/2022" in m.body for m in sms] == [True]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_papers_that_are_no_longer_awaited_are_told_with_the_reason(ledger: Ledger, language: str):
    ledger.hear(a_contact(language=language))
    reason = "Công dân không bổ sung giấy tờ trong thời hạn đã nêu."
    ledger.hear(
        received(),
        sample(SupplementDropped, step="check", reason=reason),
    )
    found = {m.channel: m for m in ledger.messages() if m.moment == "supplement_dropped"}
    mail, sms = found["email"], found["sms"]
    assert reason in found["call"].body
    english = language == "en"  # its reader cannot read the officer's words; who calls can
    assert ("in Vietnamese, ask us" if english else reason) in mail.body
    assert ".." not in mail.body + sms.body
    plain = "in Vietnamese, ask us" if english else unaccent(reason)
    assert plain.rstrip(".") in sms.body
    assert (sms.encoding, sms.parts) == ("gsm7", 1 if english else 2)
    assert the_catalogue().agency("ubnd-phuong-1").hotline in sms.body


@pytest.mark.parametrize(
    ("language", "reason", "then"),
    [
        ("vi", "Giay to yeu cau ngay 01/03 chua co den 17:00 09/03/2022", "Nop lai bat cu luc nao"),
        ("en", "No papers by 17:00 09/03/2022 (asked for on 01/03)", "File again at any time"),
    ],
)
def test_the_end_of_an_unanswered_request_is_told_with_reason_and_next_step(
    ledger: Ledger, language: str, reason: str, then: str
):
    rule = the_catalogue().papers_rule(date(2022, 3, 1))
    assert rule is not None
    values = {"asked": "01/03", "respond_by": "17:00 09/03/2022", "office": "UBND Phường 1"}
    words, next_step = getattr(rule.reason, language), getattr(rule.next_step, language)
    told = {"reason": words.format(**values), "next_step": next_step.format(**values)}
    assert unaccent(told["reason"]) == reason
    ledger.hear(a_contact(language=language))
    known = received()
    refused = sample(DossierRefused, procedure=known.procedure, office=agency(OFFICE), **told)
    ledger.hear(known, refused)
    (sms,) = [m for m in ledger.messages(channel="sms") if m.moment == "refused"]
    assert reason in sms.body
    assert then in sms.body
    assert sms.parts == 2
