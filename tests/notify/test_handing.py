"""From the unit that writes a message to the sender of the same process, on both back ends."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.notify.domain.delivery import Letter
from services.notify.domain.states import State
from services.notify.messaging.sender import Sender
from services.notify.usecases.handing import LIMIT
from services.notify.usecases.sending import LEASE, ORPHANED_AFTER, claim_due
from services.notify.usecases.telling import tell_citizen
from tests.notify.ledger import Ledger, RecordingChannel, a_contact


def at_work(ledger: Ledger, channel: RecordingChannel, me: str = "host:1") -> Sender:
    """A sender of text messages with its tray open, as after the first step of its process."""
    sender = Sender("sms", channel, ledger.store, me=me, is_dead=lambda name: name == "dead:1")
    sender.step(0)
    ledger.trays = {"sms": sender.tray} if sender.tray is not None else {}
    return sender


def news(ledger: Ledger, *numbers: int) -> None:
    codes = [f"000.00.15.H20-220314-{number:04}" for number in numbers]
    ledger.give(*(a_contact(code, consent_email=False) for code in codes))
    ledger.hear(*(ledger.received(code) for code in codes))


def rest(sender: Sender) -> int:
    total = 0
    while done := sender.step(0):
        total += done
    return total


def dossiers(letters: list[Letter]) -> list[int]:
    return [int(letter.body.partition("220314-")[2][:4]) for letter in letters]


def test_a_message_is_written_as_claimed_and_sent_without_asking_for_it(ledger: Ledger):
    channel = RecordingChannel()
    sender = at_work(ledger, channel)
    news(ledger, 1)
    (message,) = ledger.messages()
    assert (message.state, message.tries) == (State.SENDING, 1)
    heard: list[str] = []
    sa.event.listen(
        ledger.store.engine, "before_cursor_execute", lambda *args: heard.append(args[2])
    )
    assert rest(sender) == 1
    assert not [text for text in heard if "SKIP LOCKED" in text or "min(messages" in text]
    assert ledger.states() == {"sent": 1}
    assert [kind for kind, _ in ledger.told()] == ["citizen.notified"]


def test_a_contact_that_comes_late_hands_over_what_waited(ledger: Ledger):
    channel = RecordingChannel()
    sender = at_work(ledger, channel)
    ledger.hear(ledger.received())
    ledger.give(a_contact())
    assert ledger.states() == {"queued": 1, "sending": 1}  # the e-mail has no tray here
    assert rest(sender) == len(channel.letters) == 1


def test_a_unit_that_is_rolled_back_hands_over_nothing(ledger: Ledger):
    channel = RecordingChannel()
    sender = at_work(ledger, channel)
    ledger.give(a_contact(consent_email=False))
    told = ledger.received()

    def fail() -> None:
        with ledger.store.begin() as uow:
            tell_citizen(uow, ledger.composer, told, ledger.trays)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert rest(sender) == 0
    ledger.hear(told)
    assert rest(sender) == len(channel.letters) == 1


def test_what_lay_in_the_tray_of_a_process_that_was_killed_is_sent_by_the_next(ledger: Ledger):
    at_work(ledger, RecordingChannel(), me="dead:1")
    news(ledger, 1, 2)
    ledger.trays = {}
    channel = RecordingChannel()
    rest(at_work(ledger, channel, me="host:2"))
    assert sorted(dossiers(channel.letters)) == [1, 2]
    assert ledger.states() == {"sent": 2}


def test_what_lies_in_the_tray_when_a_process_stops_is_free_for_others_at_once(ledger: Ledger):
    first, second = RecordingChannel(), RecordingChannel()
    ending = at_work(ledger, first)
    other = Sender("sms", second, ledger.store, me="elsewhere:9", is_dead=lambda _: False)
    other.step(0)
    news(ledger, 1)
    assert rest(other) == 0
    ending.close()
    assert ledger.messages()[0].tries == 0
    assert rest(other) == 1
    assert (len(first.letters), len(second.letters)) == (0, 1)
    news(ledger, 2)  # the closed tray takes nothing more
    assert rest(other) == 1


def test_when_the_tray_is_full_messages_queue_up_and_none_overtakes_them(ledger: Ledger):
    channel = RecordingChannel()
    sender = at_work(ledger, channel)
    news(ledger, *range(LIMIT))
    news(ledger, 7000)
    assert ledger.states() == {"queued": 1, "sending": LIMIT}
    sender.step(0)  # there is room again, but one waits as a row
    news(ledger, 7001)
    assert ledger.states()["queued"] == 2
    rest(sender)
    assert ledger.states() == {"sent": LIMIT + 2}
    order = dossiers(channel.letters)
    assert len(order) == LIMIT + 2
    assert order[-2:] == [7000, 7001]
    news(ledger, 7002)
    assert ledger.states()["sending"] == 1  # it has caught up


def test_a_commit_whose_word_was_lost_leaves_no_message_behind(ledger: Ledger, monkeypatch):  # type: ignore[no-untyped-def]
    channel = RecordingChannel()
    sender = at_work(ledger, channel)
    with monkeypatch.context() as cut:
        cut.setattr("shared.database.unit_of_work.UnitOfWork.committed", lambda _: None)
        news(ledger, 1)
    sender.wake()
    assert rest(sender) == 0
    assert sender.next_due() == ledger.clock.now() + ORPHANED_AFTER
    ledger.clock.advance(ORPHANED_AFTER)
    assert rest(sender) == 2  # freed, then sent
    assert len(channel.letters) == 1
    assert ledger.states() == {"sent": 1}


def test_a_claim_whose_word_was_lost_does_not_make_a_mail_uncertain(ledger: Ledger):
    channel = RecordingChannel(idempotent=False)
    sender = at_work(ledger, channel)
    news(ledger, 1)
    with ledger.store.begin() as uow:
        assert claim_due(uow, "sms", "host:1", 50)
    ledger.clock.advance(ORPHANED_AFTER)
    rest(sender)
    assert len(channel.letters) == 1
    assert ledger.states() == {"sent": 1}


def test_a_message_that_others_may_take_over_is_not_sent_from_the_tray(ledger: Ledger):
    channel = RecordingChannel()
    sender = at_work(ledger, channel)
    news(ledger, 1)
    ledger.clock.advance(LEASE)
    other = RecordingChannel()
    rest(Sender("sms", other, ledger.store, me="elsewhere:9", is_dead=lambda _: False))
    ledger.clock.advance(timedelta(seconds=1))
    rest(sender)
    assert (len(channel.letters), len(other.letters)) == (0, 1)
    assert ledger.states() == {"sent": 1}


def test_a_channel_that_must_not_get_a_letter_twice_has_no_tray(ledger: Ledger):
    assert Sender("email", RecordingChannel(idempotent=False), ledger.store).tray is None


def test_nothing_is_handed_over_before_the_sender_has_looked_for_what_was_left(ledger: Ledger):
    sender = Sender("sms", RecordingChannel(), ledger.store)
    assert sender.tray is not None
    ledger.trays = {"sms": sender.tray}
    news(ledger, 1)
    assert ledger.states() == {"queued": 1}
    rest(sender)
    news(ledger, 2)
    assert ledger.states() == {"sending": 1, "sent": 1}
