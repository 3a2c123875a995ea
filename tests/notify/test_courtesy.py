"""At a decent hour, not too often, still true: under a fixed clock, on both back ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.delivery.sender import Sender
from services.notify.domain.courtesy import Around, Beside, Drop, Go, Hold, judge, quiet_until
from services.notify.domain.moments import MOMENTS
from services.notify.domain.states import State
from services.notify.storage.beside import forget_days
from services.notify.usecases.gating import Manners, without_hours
from services.notify.usecases.resending import resend
from shared.catalogue.model import TellingRule
from shared.events.event import Event
from shared.events.intake import (
    DossierApologised,
    DossierPaid,
    DossierRegistered,
    DossierReturned,
    DossierSupplemented,
    DropConfirmed,
    ResultCodeGiven,
    ResultConfirmed,
    SupplementRequested,
)
from shared.events.routing import PaymentRequested
from shared.kernel.clock import VN, to_vn
from tests.notify.ledger import (
    START,
    Ledger,
    RecordingChannel,
    a_contact,
    received,
    sample,
    the_catalogue,
)
from tests.notify.test_notify_domain import a_message

RULE = the_catalogue().telling_rule(START.date())


def at(hour: int, minute: int = 0, day: int = 14) -> datetime:
    """On that day of March 2022, by Viet Nam's clock."""
    return datetime(2022, 3, day, hour, minute, tzinfo=VN)


class Line:
    """One sender of text messages, and what left by it."""

    def __init__(self, ledger: Ledger, manners: Manners | None = None) -> None:
        self.ledger = ledger
        self.channel = RecordingChannel()
        self.sender = Sender("sms", self.channel, ledger.store, manners=manners or ledger.manners)

    def hear(self, when: datetime, *events: Event) -> None:
        self.ledger.clock.set(when)
        self.ledger.hear(*events)
        self.rest()

    def rest(self) -> None:
        while self.sender.step(0):
            pass

    def until(self, when: datetime) -> None:
        """Move the clock from one due instant to the next, as a city in hand does."""
        while (due := self.sender.next_due()) is not None and due <= when:
            self.ledger.clock.set(max(due, self.ledger.clock.now()))
            self.rest()
        self.ledger.clock.set(when)
        self.rest()

    def left(self) -> list[str]:
        sent = {letter.id for letter in self.channel.letters}
        return [m.moment for m in self.ledger.messages(channel="sms") if m.id in sent]

    def states(self) -> dict[str, tuple[str, str | None]]:
        return {m.moment: (m.state.value, m.reason) for m in self.ledger.messages(channel="sms")}


@pytest.fixture
def line(ledger: Ledger) -> Line:
    line = Line(ledger)
    line.hear(at(8), a_contact(consent_email=False), received(channel="online"))
    assert line.left() == ["received"]
    return line


# --- quiet hours -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at(20, 59), None),
        (at(21), at(7, day=15)),
        (at(23, 59), at(7, day=15)),
        (at(0), at(7)),
        (at(6, 59), at(7)),
        (at(7), None),
    ],
)
def test_quiet_hours_are_those_of_the_citys_clock(now: datetime, until: datetime | None):
    assert quiet_until(RULE, now) == until
    noon = replace(RULE, quiet_from=time(11), quiet_to=time(13))
    assert quiet_until(noon, at(12)) == at(13)
    assert quiet_until(TellingRule(START.date()), now) is None


def test_what_comes_at_night_goes_in_the_morning_and_a_code_goes_at_once(line: Line):
    line.hear(at(3, 57, day=15), sample(ResultConfirmed))
    assert line.states()["resolved"] == ("held", "quiet_hours")
    code = sample(ResultCodeGiven, until=at(4, 10, day=15))
    line.hear(at(4, day=15), code)
    assert line.left() == ["received", "result_code"]
    line.until(at(6, 59, day=15))
    assert "resolved" not in line.left()
    line.until(at(7, day=15))
    (held,) = [m for m in line.ledger.messages(channel="sms") if m.moment == "resolved"]
    assert (held.state, held.tries, to_vn(held.sent_at or START)) == (State.SENT, 1, at(7, day=15))


def test_nothing_waits_where_the_city_says_so(ledger: Ledger):
    manners = ledger.manners
    line = Line(ledger, Manners(lambda now: without_hours(manners.rule(now))))
    line.hear(at(2), a_contact(consent_email=False), received(), sample(ResultConfirmed))
    assert line.left() == ["resolved"]
    assert line.states()["received"] == ("cancelled", "outdated")


def test_an_operator_sends_what_is_held_and_the_hour_does_not_matter(line: Line):
    line.hear(at(23), sample(ResultConfirmed))
    (held,) = line.ledger.messages(states=("held",))
    with line.ledger.store.begin() as uow:
        resend(uow, held.id)
    line.rest()
    assert line.left() == ["received", "resolved"]


def test_a_clock_put_back_leaves_nothing_held_for_days(line: Line):
    line.hear(at(23, day=20), sample(ResultConfirmed))
    line.ledger.clock.set(at(9, day=16))
    sender = Sender("sms", line.channel, line.ledger.store, manners=line.ledger.manners)
    assert sender.next_due() is not None
    while sender.step(0):
        pass
    assert line.left() == ["received", "resolved"]


# --- still true --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "after", "state"),
    [
        (sample(SupplementRequested, round=1), sample(DossierSupplemented, round=1), "cancelled"),
        (sample(SupplementRequested, round=1), sample(DropConfirmed, round=1), "cancelled"),
        (sample(SupplementRequested, round=2), sample(DossierSupplemented, round=1), "sent"),
        (sample(PaymentRequested, step="thue"), sample(DossierPaid, step="thue"), "cancelled"),
        (sample(PaymentRequested, step="phi"), sample(DossierPaid, step="thue"), "sent"),
        (sample(ResultConfirmed), sample(DossierReturned, method="desk", taker=None), "cancelled"),
        (sample(DossierApologised, due_at=at(9, day=29)), sample(ResultConfirmed), "sent"),
    ],
)
def test_what_is_outdated_by_the_morning_is_never_sent(
    line: Line, asked: Event, after: Event, state: str
):
    line.hear(at(22), asked)
    line.hear(at(5, day=15), after)
    line.until(at(9, day=15))
    moment = MOMENTS[type(asked)].code
    assert line.states()[moment][0] == state


def test_only_the_newest_of_what_takes_its_predecessors_place_goes(line: Line):
    first, second = (sample(PaymentRequested, step="thue", amount_vnd=n) for n in (100, 200))
    line.hear(at(22), first)
    line.hear(at(22, 30), second)
    line.until(at(9, day=15))
    (_, letter) = line.channel.letters
    assert "200" in letter.body


def test_a_code_that_waited_longer_than_it_lives_is_not_sent(line: Line):
    line.ledger.clock.set(at(9))
    line.ledger.hear(sample(ResultCodeGiven, until=at(9, 10)))
    line.ledger.clock.set(at(9, 10))
    line.rest()
    assert line.states()["result_code"] == ("cancelled", "expired")
    assert line.left() == ["received"]


def test_a_number_that_was_mended_meanwhile_gets_what_waited_for_the_old_one(line: Line):
    line.hear(at(22), sample(ResultConfirmed))
    line.hear(at(23), a_contact(consent_email=False, phone="+84912345678"))
    line.until(at(9, day=15))
    told = [(m.moment, m.to) for m in line.ledger.messages(states=("sent",))]
    assert ("resolved", "+84912345678") in told
    assert line.channel.letters[-1].to == "+84912345678"


def test_a_consent_that_was_taken_back_meanwhile_leaves_a_call(line: Line):
    line.hear(at(22), sample(ResultConfirmed))
    line.hear(at(23), a_contact(consent_email=False, consent_sms=False))
    line.until(at(9, day=15))
    assert line.left() == ["received"]
    assert line.states()["resolved"] == ("undeliverable", "no_consent")
    (call,) = line.ledger.messages(states=("to_call",))
    assert call.moment == "resolved"


# --- bursts and the cap ------------------------------------------------------------------------


def test_a_burst_of_one_dossier_is_told_as_what_is_true_when_it_is_over(ledger: Ledger):
    line = Line(ledger)
    registered = sample(DossierRegistered, procedure=received().procedure, channel="online")
    line.hear(at(9), a_contact(consent_email=False), registered)
    line.hear(at(9, 2), received(channel="online"))
    line.hear(at(9, 4), sample(DossierPaid))
    assert line.left() == ["registered"]
    line.hear(at(9, 6), sample(ResultConfirmed))  # the citizen has to act: at once
    assert line.left() == ["registered", "resolved"]
    line.until(at(12))
    assert line.left() == ["registered", "resolved"]
    assert line.states()["received"] == line.states()["paid"] == ("cancelled", "outdated")


def test_what_is_over_the_days_cap_goes_the_next_morning_once_and_is_not_lost(ledger: Ledger):
    line = Line(ledger)
    codes = [f"D-{number:02}" for number in range(20)]
    for code in codes:
        line.hear(at(9), a_contact(code, consent_email=False), received(code))
    assert len(line.channel.letters) == RULE.most_a_day == 6
    assert {m.reason for m in ledger.messages(states=("held",))} == {"day_is_full"}
    line.hear(at(9, 30), a_contact("D-x", phone="+84912345678"), received("D-x"))
    assert len(line.channel.letters) == 7, "another's day is not full"
    line.until(at(6, 59, day=15))
    assert len(line.channel.letters) == 7
    line.until(at(7, day=15))
    assert len(line.channel.letters) == 21


def test_counts_of_days_that_are_over_are_let_go_of(line: Line):
    with line.ledger.store.transaction() as connection:
        assert forget_days(connection, START.date()) == 0
        assert forget_days(connection, START.date() + timedelta(days=1)) == 1


# --- nobody who has to act goes untold ---------------------------------------------------------

ACTS: tuple[Callable[[int], Event], ...] = (
    lambda n: sample(SupplementRequested, round=n),
    lambda n: sample(DossierSupplemented, round=n),
    lambda n: sample(PaymentRequested, step=f"s{n}"),
    lambda n: sample(DossierPaid, step=f"s{n}"),
    lambda _: sample(DossierApologised, due_at=at(9, day=30)),
)


@given(
    st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 2), st.integers(1, 600)), max_size=8),
    st.sampled_from([None, ResultConfirmed]),
    st.integers(0, 23),
)
def test_what_needs_an_act_is_told_or_was_settled(
    story: list[tuple[Callable[[int], Event], int, int]], end: type[Event] | None, hour: int
):
    """The rules alone, message by message: told in the end, or overtaken by what settles it."""
    now, beside, waiting = at(hour), [], []
    happened = [(make(number), minutes) for make, number, minutes in story]
    happened += [(sample(end), 1)] if end else []
    for number, (event, minutes) in enumerate(happened):
        now += timedelta(minutes=minutes)
        moment = MOMENTS[type(event)]
        message = a_message(
            State.SENDING, id=f"m{number}", fact_id=f"f{number}", moment=moment.code,
            matter=moment.matter(event), made_at=now, to="+84907123456",
        )  # fmt: skip
        beside.append(
            Beside(message.id, message.fact_id, message.moment, message.matter, now, None)
        )
        waiting.append(message)
    for message in waiting:
        if message.moment not in RULE.needs_act:
            continue
        verdict = judge(message, Around(beside, None, today=99), RULE, now)
        if isinstance(verdict, Hold):
            again = replace(message, reason=verdict.reason)
            verdict = judge(again, Around(beside, None, today=99), RULE, verdict.until)
            if isinstance(verdict, Hold):  # by night first, and the day's cap then
                again = replace(again, reason=verdict.reason)
                verdict = judge(again, Around(beside, None, today=99), RULE, verdict.until)
        if isinstance(verdict, Drop):
            assert _settled(message, beside)
        else:
            assert isinstance(verdict, Go)


def _settled(message: object, beside: list[Beside]) -> bool:
    moment, matter = message.moment, message.matter  # type: ignore[attr-defined]
    if moment != "extended" and any(each.moment == "resolved" for each in beside):
        return True
    answers = {"supplement_requested": "supplemented", "payment_requested": "paid"}
    same = [each for each in beside if each.matter == matter]
    newer = [each for each in same if each.moment == moment and each.made_at > message.made_at]  # type: ignore[attr-defined]
    return bool(newer) or any(each.moment == answers.get(moment) for each in same)
