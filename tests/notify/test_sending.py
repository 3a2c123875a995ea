"""The sending loop on both back ends: once, in order of trouble, and across crashes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from services.notify.delivery.processes import BEAT_SECONDS, SILENT_BEATS, Heartbeat, Presence
from services.notify.delivery.sender import Sender
from services.notify.domain.delivery import Failed, GoingOut, Letter, Sent, Unknown, Waiting, Word
from services.notify.domain.messages import RETRIES
from services.notify.domain.states import State
from services.notify.usecases.resending import resend
from services.notify.usecases.sending import (
    LEASE,
    ORPHANED_AFTER,
    Tried,
    claim_due,
    go_out,
    record_tries,
)
from shared.database import Store
from shared.kernel.clock import RealClock
from shared.kernel.errors import Conflict, DatabaseAway, NotAllowed, NotFound
from tests.notify.ledger import DOSSIER, Ledger, RecordingChannel, a_contact, received


def sms_only(ledger: Ledger, count: int = 1, first: int = 1) -> None:
    codes = [f"000.00.15.H20-220314-{number:04}" for number in range(first, first + count)]
    ledger.hear(*(a_contact(code, consent_email=False) for code in codes))
    ledger.hear(*(received(code) for code in codes))


def rest(sender: Sender) -> int:
    total = 0
    while done := sender.step(0):
        total += done
    return total


def dossiers(letters: list[Letter]) -> list[int]:
    return [int(letter.body.partition("220314-")[2][:4]) for letter in letters]


def statements(ledger: Ledger) -> list[str]:
    """What is asked of the database from now on."""
    heard: list[str] = []
    sa.event.listen(
        ledger.store.engine, "before_cursor_execute", lambda *args: heard.append(args[2])
    )
    return heard


def always(answer: bool) -> Callable[[str], bool]:
    return lambda _: answer


def test_what_is_queued_is_sent_once_and_told(ledger: Ledger):
    sms_only(ledger)
    (message,) = ledger.messages()
    assert (message.state, message.tries) == (State.QUEUED, 0)
    channel = RecordingChannel()
    assert rest(Sender("sms", channel, ledger.store)) == 1
    (message,) = ledger.messages()
    assert (message.state, message.sent_at, message.tries) == (State.SENT, ledger.clock.now(), 1)
    assert [letter.id for letter in channel.letters] == [message.id]
    (fact,) = ledger.told()
    assert fact == (
        "citizen.notified",
        {
            "dossier": DOSSIER,
            "moment": "received",
            "channel": "sms",
            "message": message.id,
            "sent_at": "2022-03-14T02:00:00Z",
            "party": None,
        },
    )


def test_a_sender_takes_only_its_own_kind(ledger: Ledger):
    ledger.hear(a_contact())
    ledger.hear(received())
    rest(Sender("email", RecordingChannel(), ledger.store))
    assert [m.state for m in ledger.messages(channel="sms")] == [State.QUEUED]


def test_many_go_in_batches_and_nothing_goes_twice(ledger: Ledger):
    sms_only(ledger, 120)
    channel = RecordingChannel()
    assert rest(Sender("sms", channel, ledger.store, batch=50)) == 120
    assert len({letter.id for letter in channel.letters}) == len(channel.letters) == 120


def test_a_batch_is_claimed_in_one_statement(ledger: Ledger):
    sender = Sender("sms", RecordingChannel(), ledger.store)
    sender.step(0)
    sms_only(ledger, 50)
    heard = statements(ledger)
    assert sender.step(0) == 50
    writes = [text for text in heard if text.lstrip().startswith(("WITH", "UPDATE messages"))]
    assert len(writes) == 3  # what was held until now, the claim, and the record
    assert not [text for text in heard if text.lstrip().startswith("SELECT messages.")]


def test_at_rest_a_sender_asks_nothing(ledger: Ledger):
    sender = Sender("sms", RecordingChannel(), ledger.store)
    sms_only(ledger)
    rest(sender)
    heard = statements(ledger)
    assert [sender.step(0) for _ in range(5)] == [0] * 5
    assert heard == []


def test_two_senders_at_once_take_different_messages(ledger: Ledger):
    sms_only(ledger, 80)
    with ledger.store.begin() as uow:
        first = claim_due(uow, "sms", "host:1", 50)
        if ledger.store.engine.dialect.name == "postgresql":  # SQLite has one writer at a time
            with ledger.store.begin() as beside:
                second = claim_due(beside, "sms", "host:2", 50)
    if ledger.store.engine.dialect.name == "sqlite":
        with ledger.store.begin() as uow:
            second = claim_due(uow, "sms", "host:2", 50)
    assert (len(first), len(second)) == (50, 30)
    assert not {message.id for message in first} & {message.id for message in second}
    assert {(message.state, message.tries) for message in first} == {(State.SENDING, 1)}
    assert ledger.states() == {"sending": 80}


def test_the_oldest_goes_first_and_nothing_overtakes_what_waits(ledger: Ledger):
    sms_only(ledger, 70)
    channel = RecordingChannel()
    sender = Sender("sms", channel, ledger.store, batch=50)
    sender.step(0)
    ledger.clock.advance(timedelta(seconds=1))
    sms_only(ledger, first=7000)
    rest(sender)
    order = dossiers(channel.letters)
    assert len(order) == 71
    assert order[-1] == 7000


def test_the_commit_of_a_message_wakes_its_sender_and_a_roll_back_leaves_it_nothing(
    ledger: Ledger,
):
    channel = RecordingChannel()
    sender = Sender("sms", channel, ledger.store)
    sender.step(0)
    ledger.hear(a_contact(consent_email=False))
    told = ledger.fact(received())

    def fail() -> None:
        with ledger.store.begin() as uow:
            ledger.handle(uow, told)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert rest(sender) == 0
    ledger.hear(told)
    assert rest(sender) == len(channel.letters) == 1


def test_a_contact_that_comes_late_wakes_the_sender_of_what_waited(ledger: Ledger):
    channel = RecordingChannel()
    sender = Sender("sms", channel, ledger.store)
    sender.step(0)
    ledger.hear(received())
    assert rest(sender) == 0
    ledger.hear(a_contact())
    assert rest(sender) == len(channel.letters) == 1


def test_a_failure_is_tried_again_at_its_time_and_not_before(ledger: Ledger):
    sms_only(ledger)
    channel = RecordingChannel(answers=[Failed("smtp: 451"), Failed("smtp: 451")])
    sender = Sender("sms", channel, ledger.store)
    rest(sender)
    (message,) = ledger.messages()
    assert (message.state, message.reason) == (State.FAILED, "smtp: 451")
    assert sender.next_due() == message.next_at
    ledger.clock.advance(timedelta(seconds=29))
    assert rest(sender) == 0
    ledger.clock.advance(timedelta(seconds=5))
    assert rest(sender) == 1
    ledger.clock.advance(timedelta(minutes=5))
    assert rest(sender) == 1
    assert ledger.states() == {"sent": 1}
    assert ledger.messages()[0].tries == 3


def test_a_spent_budget_makes_the_citizen_unreachable(ledger: Ledger):
    sms_only(ledger)
    channel = RecordingChannel(answers=[Failed("away")] * 3)
    sender = Sender("sms", channel, ledger.store, policy=replace(RETRIES, max_attempts=3))
    for _ in range(5):
        rest(sender)
        ledger.clock.advance(timedelta(hours=2))
    assert len(channel.letters) == 3
    assert ledger.states() == {"undeliverable": 1}
    assert [(kind, data["reason"]) for kind, data in ledger.told()] == [
        ("citizen.unreachable", "retries_spent")
    ]


def test_a_citizen_is_unreachable_only_when_the_last_channel_is_lost(ledger: Ledger):
    ledger.hear(a_contact())
    ledger.hear(received())
    gone = Failed("no such number", permanent=True)
    rest(Sender("sms", RecordingChannel(answers=[gone]), ledger.store))
    assert [kind for kind, _ in ledger.told()] == ["citizen.address_failed"]
    rest(Sender("email", RecordingChannel(answers=[gone]), ledger.store))
    assert [kind for kind, _ in ledger.told()][1:] == [
        "citizen.address_failed",
        "citizen.unreachable",
    ]


def test_an_uncertain_letter_is_sent_again_only_by_an_operators_order(ledger: Ledger):
    sms_only(ledger)
    channel = RecordingChannel(idempotent=False, answers=[Unknown("smtp text: TimeoutError")])
    sender = Sender("sms", channel, ledger.store)
    rest(sender)
    ledger.clock.advance(timedelta(days=3))
    assert rest(sender) == 0
    (message,) = ledger.messages(states=("uncertain",))
    with ledger.store.begin() as uow:
        resend(uow, message.id)
    assert rest(sender) == 1
    assert ledger.states() == {"sent": 1}


def test_a_letter_on_which_the_channel_breaks_does_not_stop_the_others(ledger: Ledger):
    sms_only(ledger, 3)
    channel = RecordingChannel(answers=[ValueError("header")])
    sender = Sender("sms", channel, ledger.store)
    rest(sender)
    assert ledger.states() == {"failed": 1, "sent": 2}


def test_a_letter_that_was_not_handed_over_keeps_its_place_and_its_tries(ledger: Ledger):
    sms_only(ledger, 3)
    channel = RecordingChannel(answers=[ValueError("header")])
    sender = Sender("sms", channel, ledger.store)
    sender.step(0)
    assert ledger.states() == {"failed": 1, "queued": 2}
    assert {m.tries for m in ledger.messages(states=("queued",))} == {0}


def test_a_letter_taken_up_by_a_clock_that_was_put_back_is_due_for_every_clock(ledger: Ledger):
    sms_only(ledger)
    channel = RecordingChannel(answers=[Failed("smtp: 451"), Failed("smtp: 451")])
    rest(Sender("sms", channel, ledger.store))  # tried again in half a minute, by its own clock
    now = ledger.clock.now()
    ledger.clock.set(now - timedelta(hours=2))
    sender = Sender("sms", RecordingChannel(remote=True), ledger.store, step_seconds=0)
    with ledger.store.begin() as uow:  # too far off to be believed, so it counts as come
        (claimed,) = claim_due(uow, "sms", sender.name, 50)
    assert claimed.next_at is not None
    with ledger.store.begin() as uow:  # its text did not go out before the process stopped
        record_tries(uow, [Tried(claimed, None)], sender.name, RETRIES)
    ledger.clock.set(now)
    assert rest(Sender("sms", channel, ledger.store)) >= 1
    assert len(channel.letters) == 2


def test_a_slow_server_does_not_hold_a_step_up_for_the_whole_batch(ledger: Ledger):
    sms_only(ledger, 3)
    channel = RecordingChannel(remote=True)
    sender = Sender("sms", channel, ledger.store, step_seconds=0)
    assert sender.step(0) == 3
    assert ledger.states() == {"queued": 2, "sent": 1}
    rest(sender)
    assert ledger.states() == {"sent": 3}
    assert len(channel.letters) == 3


# --- crashes -------------------------------------------------------------------------------------


def died_while_sending(ledger: Ledger) -> None:
    """A sender that claimed and, before it could record, was killed."""
    with ledger.store.begin() as uow:
        assert claim_due(uow, "sms", "old:1", 50)


def test_after_a_crash_an_idempotent_channel_sends_again_at_the_start(ledger: Ledger):
    sms_only(ledger)
    died_while_sending(ledger)
    channel = RecordingChannel()
    rest(Sender("sms", channel, ledger.store, is_dead=always(True)))
    assert len(channel.letters) == 1
    assert ledger.states() == {"sent": 1}
    assert [kind for kind, _ in ledger.told()] == ["citizen.notified"]


def test_after_a_crash_any_other_channel_leaves_only_what_was_going_out_uncertain(ledger: Ledger):
    sms_only(ledger, 11)
    with ledger.store.begin() as uow:
        claimed = claim_due(uow, "sms", "old:1", 50)
        assert go_out(uow, claimed[:1], "old:1", [])
    ledger.clock.advance(timedelta(seconds=1))
    with ledger.store.begin() as uow:
        assert go_out(uow, claimed[1:2], "old:1", claimed[:1])
    taken_at = ledger.clock.now()
    ledger.clock.advance(timedelta(minutes=1))
    channel = RecordingChannel(idempotent=False)
    rest(Sender("sms", channel, ledger.store, is_dead=always(True)))
    assert ledger.states() == {"sent": 10, "uncertain": 1}
    assert [message.id for message in ledger.messages(states=("uncertain",))] == [claimed[1].id]
    assert {letter.id for letter in channel.letters} == {message.id for message in claimed[2:]}
    told = {data["message"]: data["sent_at"] for _, data in ledger.told()}
    assert len(told) == 10
    assert told[claimed[0].id] == f"{taken_at:%Y-%m-%dT%H:%M:%SZ}"


class Dead(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("out", [True, False])
def test_a_death_at_any_letter_makes_that_one_alone_uncertain(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, at: int, out: bool
):
    sms_only(ledger, 5)

    class Dying(RecordingChannel):
        def send(self, letters):  # type: ignore[no-untyped-def]
            for number, letter in enumerate(letters):
                if number == at and not out:
                    raise Dead
                yield GoingOut()
                self.letters.append(letter)
                if number == at:
                    raise Dead
                # What a server refuses is written down before the next text goes out, too.
                yield Failed("smtp text: 554", permanent=True) if number == 1 else Sent()

    dying = Dying(idempotent=False)
    first = Sender("sms", dying, ledger.store, me="old:1")
    monkeypatch.setattr(first, "_leave", lambda _: None)  # a dead process writes nothing
    with pytest.raises(Dead):
        first.step(0)
    channel = RecordingChannel(idempotent=False)
    rest(Sender("sms", channel, ledger.store, is_dead=always(True)))
    # Without an answer to the one before it is not known either: nothing was noted after its text.
    before = {letter.id for letter in dying.letters}
    again = before & {letter.id for letter in channel.letters}
    assert again == set()
    assert ledger.states().get("uncertain", 0) <= 1
    assert sum(ledger.states().values()) == 5
    assert ledger.states().get("undeliverable", 0) == (at > 1 and (out or at > 2))


def test_a_server_that_takes_its_time_is_waited_for_over_many_steps(ledger: Ledger):
    sms_only(ledger, 3)
    channel = RecordingChannel(idempotent=False, remote=True, before=[Waiting()] * 5)
    sender = Sender("sms", channel, ledger.store, step_seconds=0, is_dead=always(False))
    assert sender.step(0) == 2  # the others are let go at once
    assert ledger.states() == {"queued": 2, "sending": 1}
    other = RecordingChannel(idempotent=False)
    assert rest(Sender("sms", other, ledger.store, me="other:2", is_dead=always(False))) == 2
    assert [sender.step(0) for _ in range(4)] == [0] * 4
    assert sender.step(0) == 1
    assert ledger.states() == {"sent": 3}
    assert len({letter.id for letter in [*channel.letters, *other.letters]}) == 3


def test_what_is_waited_for_is_nobody_elses_however_long_it_takes(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.notify.delivery.sender.RENEW_SECONDS", 0)
    sms_only(ledger)
    channel = RecordingChannel(idempotent=False, remote=True, before=[Waiting()] * 9)
    sender = Sender("sms", channel, ledger.store, step_seconds=0, is_dead=always(False))
    other = Sender("sms", RecordingChannel(), ledger.store, me="other:2", is_dead=always(False))
    for _ in range(8):
        sender.step(0)
        ledger.clock.advance(LEASE * 0.7)
        assert other.step(0) == 0
    assert [sender.step(0) for _ in range(2)] == [0, 1]
    assert ledger.states() == {"sent": 1}


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ([Waiting()] * 1_000_000, {"uncertain": 1, "queued": 2}),
        ([Waiting()] * 3, {"sent": 1, "queued": 2}),
    ],
)
def test_a_stop_waits_some_seconds_for_the_one_text_that_is_out(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, before: list[Word], expected: dict[str, int]
):
    monkeypatch.setattr("services.notify.delivery.sender.CLOSE_SECONDS", 0.2)
    sms_only(ledger, 3)
    channel = RecordingChannel(idempotent=False, remote=True, before=before)
    sender = Sender("sms", channel, ledger.store, step_seconds=0)
    sender.step(0)
    sender.close()
    assert ledger.states() == expected
    assert {m.tries for m in ledger.messages(states=("queued",))} == {0}


def test_a_stop_before_the_text_is_out_lets_every_letter_go(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.notify.delivery.sender.CLOSE_SECONDS", 0.2)
    sms_only(ledger, 3)

    class Slow(RecordingChannel):
        def send(self, letters):  # type: ignore[no-untyped-def]
            next(iter(letters))
            while True:
                yield Waiting()

    sender = Sender("sms", Slow(idempotent=False, remote=True), ledger.store, step_seconds=0)
    sender.step(0)
    assert sender._handing is not None
    sender.close()
    assert ledger.states() == {"queued": 3}


def test_a_text_does_not_go_out_that_could_not_be_noted(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
):
    sms_only(ledger, 2)
    channel = RecordingChannel(idempotent=False)
    sender = Sender("sms", channel, ledger.store)
    away = DatabaseAway("gone")

    def no_note(*_: object) -> bool:
        raise away

    with monkeypatch.context() as patched:
        patched.setattr("services.notify.delivery.sender.go_out", no_note)
        with pytest.raises(DatabaseAway):
            sender.step(0)
    assert channel.letters == []
    rest(sender)
    assert ledger.states() == {"sent": 2}
    assert {m.tries for m in ledger.messages()} == {1}


def test_a_text_does_not_go_out_of_a_letter_that_another_took(ledger: Ledger):
    sms_only(ledger, 2)

    class Late(RecordingChannel):
        def send(self, letters):  # type: ignore[no-untyped-def]
            for letter in letters:
                ledger.clock.advance(LEASE)
                rest(Sender("sms", RecordingChannel(), ledger.store, me="other:2"))
                yield GoingOut()
                self.letters.append(letter)
                yield Sent()

    late = Late(idempotent=False)
    rest(Sender("sms", late, ledger.store, me="slow:1", is_dead=always(False)))
    assert late.letters == []
    assert ledger.states() == {"sent": 2}


def test_what_breaks_before_its_text_goes_out_is_not_uncertain(ledger: Ledger):
    sms_only(ledger)

    class Breaking(RecordingChannel):
        def send(self, letters):  # type: ignore[no-untyped-def]
            for letter in letters:
                yield Waiting()
                f"mật khẩu {letter.id}".encode("ascii")

    rest(Sender("sms", Breaking(idempotent=False), ledger.store))
    assert ledger.states() == {"failed": 1}


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_claim_whose_word_was_lost_is_freed_and_makes_nothing_uncertain(
    ledger: Ledger, idempotent: bool
):
    channel = RecordingChannel(idempotent=idempotent)
    sender = Sender("sms", channel, ledger.store, me="host:1", is_dead=always(False))
    sender.step(0)
    sms_only(ledger)
    with ledger.store.begin() as uow:  # the line broke during its COMMIT
        assert claim_due(uow, "sms", "host:1", 50)
    sender.wake()
    assert rest(sender) == 0
    assert sender.next_due() == ledger.clock.now() + ORPHANED_AFTER
    ledger.clock.advance(ORPHANED_AFTER)
    assert rest(sender) == 2  # freed, then sent
    assert len(channel.letters) == 1
    assert ledger.states() == {"sent": 1}


def test_a_sender_that_stops_leaves_nothing_in_its_name(ledger: Ledger):
    sms_only(ledger, 60)
    first, second = RecordingChannel(), RecordingChannel()
    ending = Sender("sms", first, ledger.store, batch=50)
    ending.step(0)
    ending.close()
    assert ledger.states() == {"queued": 10, "sent": 50}
    other = Sender("sms", second, ledger.store, me="elsewhere:9", is_dead=always(False))
    assert rest(other) == len(second.letters) == 10


def test_messages_of_a_living_sender_are_left_alone_until_its_lease_ends(ledger: Ledger):
    sms_only(ledger)
    died_while_sending(ledger)
    channel = RecordingChannel()
    sender = Sender("sms", channel, ledger.store, is_dead=always(False))
    assert rest(sender) == 0
    assert sender.next_due() == ledger.clock.now() + LEASE
    ledger.clock.advance(LEASE)
    rest(sender)
    assert ledger.states() == {"sent": 1}


def test_a_sender_whose_messages_were_taken_over_records_nothing_more(ledger: Ledger):
    sms_only(ledger)

    class SlowChannel(RecordingChannel):
        """While it hands over, its lease ends and another sender sends the same message."""

        def send(self, letters):  # type: ignore[no-untyped-def]
            handed = list(letters)
            ledger.clock.advance(LEASE)
            rest(Sender("sms", RecordingChannel(), ledger.store, me="other:2"))
            self.letters.extend(handed)
            yield from (Failed("too late") for _ in handed)

    rest(Sender("sms", SlowChannel(), ledger.store, me="slow:1", is_dead=always(False)))
    assert ledger.states() == {"sent": 1}
    assert [kind for kind, _ in ledger.told()] == ["citizen.notified"]


def test_a_database_that_goes_away_before_the_record_makes_nothing_go_twice(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
):
    sms_only(ledger)
    channel = RecordingChannel()
    sender = Sender("sms", channel, ledger.store)
    begin, calls = ledger.store.begin, []

    def sometimes(*by):  # type: ignore[no-untyped-def]
        calls.append(1)
        if channel.letters and len(calls) < 6:
            raise DatabaseAway("gone")
        return begin(*by)

    monkeypatch.setattr(ledger.store, "begin", sometimes)
    for _ in range(8):
        try:
            sender.step(0)
        except DatabaseAway:
            continue
    assert len(channel.letters) == 1
    assert ledger.states() == {"sent": 1}


# --- who lives, and whose clock -------------------------------------------------------------------


def test_a_sender_that_beats_is_left_alone_and_one_that_stands_still_is_dead(ledger: Ledger):
    sms_only(ledger)
    first, second = Presence(ledger.store), Presence(ledger.store)
    assert first.name != second.name
    first.enter("sms")
    with ledger.store.begin() as uow:
        (claimed,) = claim_due(uow, "sms", first.name, 50)
        assert go_out(uow, [claimed], first.name, ())  # so only a person can know what became of it
    channel = RecordingChannel(idempotent=False)
    sender = Sender("sms", channel, ledger.store, presence=second)
    assert rest(sender) == 0
    for _ in range(2 * SILENT_BEATS):
        first.beat()
        second.beat()
        assert rest(sender) == 0, "it lives"
    for _ in range(SILENT_BEATS):
        assert ledger.states() == {"sending": 1}
        second.beat()
        rest(sender)
    assert ledger.states() == {"uncertain": 1}


def test_a_process_that_left_in_order_or_never_was_is_gone_at_once(ledger: Ledger):
    left, other = Presence(ledger.store), Presence(ledger.store)
    left.enter("sms")
    left.enter("email")
    assert not other.is_gone(left.name)
    left.leave("sms")
    assert not other.is_gone(left.name), "its other half still sends"
    left.leave("email")
    assert other.is_gone(left.name)
    assert other.is_gone("host:4194305")


def test_one_that_was_taken_for_dead_and_lives_is_back_with_its_next_beat(ledger: Ledger):
    slow, other = Presence(ledger.store), Presence(ledger.store)
    slow.enter("sms")
    for _ in range(SILENT_BEATS + 1):
        other.beat()
    assert other.is_gone(slow.name)
    slow.beat()
    assert not other.is_gone(slow.name)


def test_the_heart_beats_by_a_steady_clock(ledger: Ledger):
    presence = Presence(ledger.store)
    heart = Heartbeat(presence, ledger.store)
    ledger.clock.advance(timedelta(hours=1))
    heart.step(0)
    assert not presence.entered, "nothing is sent: nobody need know"
    presence.enter("sms")
    watched = Presence(ledger.store)
    for _ in range(SILENT_BEATS + 2):
        ledger.clock.advance(timedelta(seconds=BEAT_SECONDS))
        heart.step(0)
        watched.beat()
    assert not watched.is_gone(presence.name)


class Ahead(RealClock):
    """The clock of a machine that is wrong by so much."""

    def __init__(self, by: timedelta) -> None:
        self.by = by

    def now(self) -> datetime:
        return super().now() + self.by


@pytest.mark.parametrize("minutes", [11, -11])
def test_a_second_host_whose_clock_is_wrong_leaves_the_first_ones_letters_alone(
    ledger_on_postgresql: Ledger, minutes: int
):
    ledger = ledger_on_postgresql
    ledger.clock.set(RealClock().now())
    sms_only(ledger)
    engine, log, ids = ledger.store.engine, ledger.store.log, ledger.store.ids
    right = Store(engine, log, clock=RealClock(), ids=ids)
    wrong = Store(engine, log, clock=Ahead(timedelta(minutes=minutes)), ids=ids)
    with right.begin() as uow:
        assert claim_due(uow, "sms", "first", 50)
    channel = RecordingChannel(idempotent=False)
    sender = Sender("sms", channel, wrong, is_dead=always(False))
    asked = statements(ledger)
    for _ in range(20):
        sender.step(0)
    assert ledger.states() == {"sending": 1}
    assert len(asked) < 20, "nor does it ask again and again"


def test_a_letter_that_failed_does_not_rest_for_hours_when_the_clock_is_put_back(ledger: Ledger):
    sms_only(ledger)
    channel = RecordingChannel(answers=[Failed("smtp: 451")])
    sender = Sender("sms", channel, ledger.store)
    rest(sender)
    ledger.clock.advance(timedelta(hours=-7))
    sender.wake()
    assert rest(sender) == 1
    assert ledger.states() == {"sent": 1}


# --- an operator's order -------------------------------------------------------------------------


def test_a_message_that_was_sent_is_not_sent_again(ledger: Ledger):
    sms_only(ledger)
    rest(Sender("sms", RecordingChannel(), ledger.store))
    with pytest.raises(NotAllowed), ledger.store.begin() as uow:
        resend(uow, ledger.messages()[0].id)


def test_a_message_without_an_address_cannot_be_sent_again(ledger: Ledger):
    ledger.hear(a_contact(phone=None, email=None))
    ledger.hear(received())
    with pytest.raises(Conflict), ledger.store.begin() as uow:
        resend(uow, ledger.messages()[0].id)


def test_there_is_no_resending_what_is_not_there(ledger: Ledger):
    with pytest.raises(NotFound), ledger.store.begin() as uow:
        resend(uow, "m-0")
