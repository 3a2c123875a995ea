"""A dossier's share of SMS and e-mails: beyond it the next way goes, and what needs an act passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.notify.delivery.sender import Sender
from services.notify.domain.courtesy import Around, Barred, Beside, Go, judge
from services.notify.domain.messages import OVER_BUDGET, Message
from services.notify.domain.states import State
from services.notify.storage import queries
from services.notify.usecases.gating import Manners
from services.notify.web import words
from shared.catalogue.model import TellingRule
from shared.events.intake import DossierPaid, SupplementRequested
from tests.notify.ledger import (
    DOSSIER,
    START,
    Ledger,
    RecordingChannel,
    a_contact,
    received,
    sample,
)

RULE = TellingRule(
    START.date(), most_per_dossier={"sms": 3}, needs_act=("resolved",), urgent=("result_code",)
)


def message(moment: str = "paid", parts: int = 1, channel: str = "sms", **more: object) -> Message:
    return Message(
        "m", "f", moment, "applicant", channel, DOSSIER, State.SENDING, START, START,
        to="+84907123456", parts=parts, tries=1, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def sent(*parts: int, channel: str = "sms") -> list[Beside]:
    return [
        Beside(str(n), str(n), "received", "", START, START, channel, count)
        for n, count in enumerate(parts)
    ]


@pytest.mark.parametrize(
    ("one", "beside", "going", "goes"),
    [
        (message(), sent(2), 0, True),
        (message(parts=2), sent(2), 0, False),
        (message(), sent(1, 2), 0, False),
        (message(), sent(1), 2, False),
        (message(channel="email"), sent(9, channel="email"), 0, True),  # no budget is named
        (message(), sent(9, channel="email"), 0, True),
        (message("resolved"), sent(9), 0, True),
        (message("result_code"), sent(9), 0, True),
        (message(reason="ordered"), sent(9), 0, True),
    ],
)
def test_what_is_within_the_budget(one: Message, beside: list[Beside], going: int, goes: bool):
    told = judge(one, Around(beside, None, going=going), RULE, START)
    assert told == (Go(one.to) if goes else Barred(OVER_BUDGET))


def test_beyond_it_the_next_way_goes_and_the_page_says_why(ledger: Ledger):
    def rule(at):  # type: ignore[no-untyped-def]
        whole = ledger.manners.rule(at)
        return replace(whole, together_minutes=0, most_per_dossier={"sms": 2})  # a receipt

    manners = Manners(rule)
    ledger.hear(a_contact(), received())
    sms, email = (RecordingChannel(idempotent=False, name=name) for name in ("sms", "email"))
    loops = [
        Sender("sms", sms, ledger.store, manners=manners),
        Sender("email", email, ledger.store, manners=manners),
    ]

    def rest() -> None:
        while any(loop.step(0) for loop in loops):
            pass

    rest()
    ledger.hear(sample(DossierPaid), sample(SupplementRequested, round=1))
    rest()
    states = {(m.moment, m.channel): (m.state, m.reason) for m in ledger.messages()}
    assert states["paid", "sms"] == (State.SKIPPED, OVER_BUDGET)
    assert states["paid", "email"][0] is State.SENT
    assert states["supplement_requested", "sms"][0] is State.SENT  # needs an act
    assert "thành phố cho phép" in words.reason(OVER_BUDGET)
    assert [kind for kind, _ in ledger.told() if kind != "citizen.notified"] == []
    with ledger.store.read() as connection:
        assert queries.over_budget(connection, START) == 1
