"""Ends: told once, from what intake confirmed; facts of the version before are told as they were."""

from __future__ import annotations

import pytest

from shared.events.intake import DossierReturned, DossierWithdrawn, ResultConfirmed, StopConfirmed
from shared.events.routing import (
    DossierResolved,
    DossierStopped,
    PaymentRequested,
    SupplementDropped,
)
from tests.notify.ledger import Ledger, a_contact, received, sample


def told(ledger: Ledger) -> list[str]:
    return [message.moment for message in ledger.messages(channel="sms")]


@pytest.fixture
def begun(ledger: Ledger) -> Ledger:
    ledger.hear(received(), a_contact())
    return ledger


def test_an_end_that_routing_proposes_is_told_when_intake_confirms_it(begun: Ledger) -> None:
    begun.hear(sample(DossierResolved, proposed=True))
    assert told(begun) == ["received"]
    begun.hear(sample(ResultConfirmed))
    assert told(begun) == ["received", "resolved"]


def test_a_proposed_end_after_the_withdrawal_is_told_to_nobody(begun: Ledger) -> None:
    begun.hear(sample(DossierResolved, proposed=True), sample(DossierWithdrawn))
    begun.hear(sample(DossierStopped, proposed=True))
    assert told(begun) == ["received", "withdrawn"]


@pytest.mark.parametrize(
    ("older", "moment"), [(DossierResolved, "resolved"), (DossierStopped, "stopped")]
)
def test_an_end_of_the_version_before_that_is_still_in_flight_is_told_once(
    begun: Ledger, older: type[DossierResolved | DossierStopped], moment: str
) -> None:
    """Nobody confirms it: intake answers only what is proposed."""
    begun.hear(sample(older))
    assert told(begun) == ["received", moment]


def test_what_crossed_with_the_end_is_not_told_but_the_handing_over_is(begun: Ledger) -> None:
    begun.hear(sample(StopConfirmed))
    begun.hear(sample(PaymentRequested), sample(SupplementDropped), sample(DossierResolved))
    assert told(begun) == ["received", "stopped"]
    begun.hear(sample(DossierReturned, method="post"))
    assert told(begun) == ["received", "stopped", "returned"]
