"""Receipts and tries in the ledger: whatever order they come in, a message never goes back."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.notify.delivery.sender import Sender
from services.notify.domain.delivery import Failed, Result, Sent, Unknown
from services.notify.domain.messages import Message
from services.notify.domain.receipts import KEEP_STRAYS, Fate, Receipt, number_of
from services.notify.domain.states import State
from services.notify.storage import receipts as rows
from services.notify.storage.tables import strays
from services.notify.usecases.receiving import asked, due_looks, look_again, next_look, take_in
from services.notify.usecases.resending import resend
from tests.notify.ledger import START, Ledger, RecordingChannel, a_contact, received

PHONE = "84907123456"
LATER = (Fate.UNDERWAY, Fate.LOST, Fate.DELIVERED)


def handed_over(ledger: Ledger, *results: Result) -> Message:
    """One SMS, whose channel answers this."""
    ledger.hear(a_contact(consent_email=False), received(due_at=START))  # of one part
    hand_over(ledger, *results)
    (message,) = ledger.messages()
    return message


def hand_over(ledger: Ledger, *results: Result) -> None:
    channel = RecordingChannel(idempotent=False, name="sms.smpp", answers=list(results))
    sender = Sender("sms", channel, ledger.store)
    while sender.step(0):
        pass
    sender.close()


def told(fate: Fate, *names: str, to: str = PHONE, number: int | None = None) -> Receipt:
    return Receipt("sms.smpp", names or ("17",), fate, "DELIVRD 000", to, number)


def hear(ledger: Ledger, *receipts: Receipt) -> Counter[str]:
    with ledger.store.begin() as uow:
        return take_in(uow, receipts)


def look(ledger: Ledger) -> int:
    """Whatever is due of what was kept."""
    with ledger.store.begin() as uow:
        return look_again(uow, due_looks(uow, ()))


def state(ledger: Ledger) -> State:
    (message,) = ledger.messages()
    return message.state


# --- a message and its receipt -------------------------------------------------------------------


def test_a_receipt_says_that_it_arrived_and_nobody_is_told_twice(ledger: Ledger):
    message = handed_over(ledger, Sent(("017",)))
    assert message.state is State.SENT
    assert message.provider == "sms.smpp"
    ledger.clock.advance(timedelta(seconds=9))
    assert hear(ledger, told(Fate.DELIVERED)) == {"matched": 1, "kept": 0}
    (message,) = ledger.messages()
    assert message.state is State.DELIVERED
    assert message.delivered_at == ledger.clock.now()
    assert [kind for kind, _ in ledger.told()] == ["citizen.notified"]


@pytest.mark.parametrize("order", list(itertools.permutations(LATER)))
def test_whatever_order_receipts_come_in_and_however_often_the_highest_stays(
    ledger: Ledger, order: tuple[Fate, ...]
):
    handed_over(ledger, Sent(("17",)))
    seen = []
    for fate in (*order, *order):
        hear(ledger, told(fate))
        seen.append(state(ledger))
    assert seen[-1] is State.DELIVERED
    assert State.SENT not in seen[seen.index(State.DELIVERED) :]
    assert sum(kind == "citizen.notified" for kind, _ in ledger.told()) == 1


def test_lost_on_the_way_is_undeliverable_and_the_desk_hears_of_it_once(ledger: Ledger):
    handed_over(ledger, Sent(("17",)))
    hear(ledger, told(Fate.LOST), told(Fate.LOST))
    hear(ledger, told(Fate.LOST))
    (message,) = ledger.messages()
    assert message.state is State.UNDELIVERABLE
    assert message.reason == "not_delivered DELIVRD 000"
    assert [kind for kind, _ in ledger.told()] == [
        "citizen.notified",
        "citizen.address_failed",
        "citizen.unreachable",
    ]


def test_a_text_in_parts_arrived_only_when_each_part_did(ledger: Ledger):
    handed_over(ledger, Sent(("17", "18", "19")))
    for name in ("19", "17", "17"):
        hear(ledger, told(Fate.DELIVERED, name))
    assert state(ledger) is State.SENT
    hear(ledger, told(Fate.DELIVERED, "18"))
    assert state(ledger) is State.DELIVERED


def test_a_receipt_for_another_phone_or_provider_is_not_this_messages(ledger: Ledger):
    handed_over(ledger, Sent(("17",)))
    hear(ledger, told(Fate.DELIVERED, to="84907999999"))
    hear(ledger, Receipt("sms.http", ("17",), Fate.DELIVERED))
    assert state(ledger) is State.SENT


def test_a_name_that_comes_again_means_the_last_that_had_it(ledger: Ledger):
    handed_over(ledger, Sent(("17",)))
    second = "000.00.15.H20-220314-0002"
    ledger.hear(a_contact(second, consent_email=False), received(second))
    hand_over(ledger, Sent(("17",)))
    hear(ledger, told(Fate.DELIVERED))
    assert [each.state for each in ledger.messages()] == [State.SENT, State.DELIVERED]


# --- before, and never ---------------------------------------------------------------------------


def test_a_receipt_that_comes_before_our_own_commit_is_kept_and_fits_then(ledger: Ledger):
    assert hear(ledger, told(Fate.DELIVERED)) == {"matched": 0, "kept": 1}
    handed_over(ledger, Sent(("17",)))
    ledger.clock.advance(timedelta(seconds=10))
    assert look(ledger) == 1
    assert state(ledger) is State.DELIVERED
    with ledger.store.read() as connection:
        assert next_look(connection, ()) is None


def test_a_receipt_of_nobody_is_dropped_after_its_time(ledger: Ledger):
    handed_over(ledger, Sent(("17",)))
    hear(ledger, told(Fate.DELIVERED, "99"))
    looks, began = 0, ledger.clock.now()
    while True:
        with ledger.store.read() as connection:
            at = next_look(connection, ())
            phone = connection.scalar(sa.select(strays.c.recipient))
        if at is None:
            break
        assert phone == PHONE
        ledger.clock.set(at)
        looks += look(ledger)
    assert KEEP_STRAYS <= ledger.clock.now() - began <= KEEP_STRAYS + timedelta(hours=8)
    assert looks < 40
    assert state(ledger) is State.SENT


def test_a_provider_that_never_tells_is_asked_with_growing_pauses(ledger: Ledger):
    handed_over(ledger, Sent(("00A7",)))
    with ledger.store.read() as connection:
        assert rows.to_ask(connection, "sms.smpp", ledger.clock.now(), 9) == []
    pauses = []
    for _ in range(4):
        before = ledger.clock.now()
        while True:
            ledger.clock.advance(timedelta(minutes=10))
            with ledger.store.read() as connection:
                due = rows.to_ask(connection, "sms.smpp", ledger.clock.now(), 9)
            if due:
                break
        assert [ticket.given for ticket in due] == ["00A7"]
        pauses.append(ledger.clock.now() - before)
        with ledger.store.begin() as uow:
            asked(uow, due, [Receipt("sms.smpp", ("a7",), Fate.UNDERWAY)])
    assert pauses == sorted(pauses)
    with ledger.store.begin() as uow:
        asked(uow, due, [Receipt("sms.smpp", ("a7",), Fate.DELIVERED)])
    assert state(ledger) is State.DELIVERED
    with ledger.store.read() as connection:
        later = ledger.clock.now() + timedelta(days=30)
        assert rows.to_ask(connection, "sms.smpp", later, 9) == []


# --- of which nobody knew ------------------------------------------------------------------------


def test_our_own_number_in_a_receipt_settles_what_was_uncertain(ledger: Ledger):
    message = handed_over(ledger, Unknown("smpp: no answer", ("",)))
    assert message.state is State.UNCERTAIN
    number = number_of(message.id, 1, 1)
    hear(ledger, told(Fate.DELIVERED, "4711", to="84907000000", number=number))
    hear(ledger, told(Fate.DELIVERED, "4711", number=number % 65535 + 1))
    assert state(ledger) is State.UNCERTAIN
    hear(ledger, told(Fate.UNDERWAY, "4711", number=number))
    assert state(ledger) is State.SENT
    hear(ledger, told(Fate.DELIVERED, "4711"))
    assert state(ledger) is State.DELIVERED
    assert [kind for kind, _ in ledger.told()] == ["citizen.notified"]


def test_of_a_text_in_parts_every_part_must_be_heard_of(ledger: Ledger):
    ledger.hear(a_contact(consent_email=False), received())
    with ledger.store.begin() as uow:
        uow.connection.execute(sa.text("UPDATE messages SET parts = 2"))
    hand_over(ledger, Unknown("smpp: Broken", ("17", "")))
    (message,) = ledger.messages()
    hear(ledger, told(Fate.DELIVERED, "17"))
    assert state(ledger) is State.UNCERTAIN
    hear(ledger, told(Fate.DELIVERED, "18", number=number_of(message.id, 1, 2)))
    assert state(ledger) is State.DELIVERED


def test_a_receipt_stops_what_an_operator_ordered_again(ledger: Ledger):
    message = handed_over(ledger, Sent(("17",)))
    hear(ledger, told(Fate.LOST))
    with ledger.store.begin() as uow:
        resend(uow, message.id)
    hear(ledger, told(Fate.DELIVERED))
    assert state(ledger) is State.DELIVERED
    hand_over(ledger)
    assert state(ledger) is State.DELIVERED


def test_each_try_is_written_down_with_who_and_why(ledger: Ledger):
    message = handed_over(ledger, Failed("smpp bind: 14"))
    ledger.clock.advance(timedelta(minutes=5))
    hand_over(ledger, Sent(("17",)))
    with ledger.store.read() as connection:
        tries = rows.tries_of(connection, message.id)
        shares = rows.shares(connection, ledger.clock.now() - timedelta(hours=1))
    assert [(each.provider, each.number, each.outcome, each.reason) for each in tries] == [
        ("sms.smpp", 1, "failed", "smpp bind: 14"),
        ("sms.smpp", 2, "sent", None),
    ]
    assert shares == {("sms.smpp", "failed"): 1, ("sms.smpp", "sent"): 1}
