"""One way after the other, the desk's call behind them, on both back ends and under a fixed clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.app import ladder_of
from services.notify.delivery.sender import Sender
from services.notify.domain.delivery import Failed, Result, Sent, Unknown
from services.notify.domain.messages import Message
from services.notify.domain.receipts import Fate, Receipt
from services.notify.domain.states import State
from services.notify.usecases.receiving import take_in
from services.notify.usecases.resending import resend
from shared.events.event import Event
from shared.events.intake import (
    CitizenCalled,
    DossierSupplemented,
    DossierWithdrawn,
    ResultConfirmed,
    SupplementRequested,
)
from shared.kernel.errors import NotAllowed
from shared.messaging.loops.ticker import Ticker
from tests.notify.ledger import (
    DOSSIER,
    START,
    Ledger,
    RecordingChannel,
    a_contact,
    received,
    sample,
)

GONE = Failed("no such number", permanent=True)
AWAY = Failed("gateway: status 503")
BROKE = Unknown("hung up")


class City:
    """The senders of both channels, the clock's loop and what each channel was given."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.sms = RecordingChannel(idempotent=False, name="sms")
        self.email = RecordingChannel(idempotent=False, name="email")
        ways = {"sms": self.sms, "email": self.email}
        self.loops = [
            *(
                Sender(kind, way, ledger.store, manners=ledger.manners)
                for kind, way in ways.items()
            ),
            Ticker("ladder", ledger.store, ladder_of(ledger.manners)),
        ]

    def rest(self) -> None:
        while sum(loop.step(0) for loop in self.loops):
            pass

    def pass_time(self, time: timedelta, step: timedelta = timedelta(minutes=10)) -> None:
        end = self.ledger.clock.now() + time
        while self.ledger.clock.now() < end:
            self.ledger.clock.advance(step)
            self.rest()

    def hear(self, fate: Fate, name: str = "17", provider: str = "sms") -> None:
        with self.ledger.store.begin() as uow:
            take_in(uow, [Receipt(provider, (name,), fate, to="+84907123456")])

    def ladder(self, moment: str = "resolved") -> dict[str, str]:
        found = [m for m in self.ledger.messages() if m.moment == moment]
        return {m.channel: m.state.value for m in sorted(found, key=lambda m: m.rung)}

    def said(self) -> list[str]:
        return [kind for kind, _ in self.ledger.told()]


@pytest.fixture
def city(ledger: Ledger) -> City:
    ledger.hear(a_contact(), received())
    city = City(ledger)
    city.rest()
    ledger.clock.advance(timedelta(hours=1))
    return city


def resolve(city: City, *answers: Result, email: tuple[Result, ...] = ()) -> None:
    city.sms.answers += answers
    city.email.answers += email
    city.ledger.hear(sample(ResultConfirmed))
    city.rest()


def test_what_arrived_by_the_first_way_spares_the_others(city: City):
    resolve(city, Sent())
    assert city.ladder() == {"sms": "sent", "email": "spared", "call": "spared"}
    city.pass_time(timedelta(days=1))
    assert city.email.letters == []


def test_a_final_no_sends_the_next_way_and_never_the_same_again(city: City):
    before = len(city.sms.letters)
    resolve(city, GONE)
    assert city.ladder() == {"sms": "undeliverable", "email": "sent", "call": "spared"}
    city.pass_time(timedelta(days=2), timedelta(hours=1))
    assert len(city.sms.letters) == before + 1
    assert len(city.email.letters) == 1
    assert "citizen.address_failed" in city.said()


def test_no_receipt_in_its_time_sends_the_next_way(city: City):
    resolve(city, Sent(("17",)))
    city.pass_time(timedelta(hours=3, minutes=50))
    assert city.ladder() == {"sms": "sent", "email": "standby", "call": "standby"}
    city.pass_time(timedelta(minutes=20))
    assert city.ladder() == {"sms": "sent", "email": "sent", "call": "spared"}


def test_what_nobody_knows_of_gives_place_sooner_and_stays_uncertain(city: City):
    resolve(city, BROKE)
    city.pass_time(timedelta(minutes=50))
    assert city.ladder()["email"] == "standby"
    city.pass_time(timedelta(minutes=20))
    assert city.ladder() == {"sms": "uncertain", "email": "sent", "call": "spared"}


def test_a_gateway_that_takes_nothing_for_hours_gives_place_but_makes_nobody_call(city: City):
    resolve(city, *[AWAY] * 20)
    city.pass_time(timedelta(hours=5))
    assert city.ladder() == {"sms": "undeliverable", "email": "sent", "call": "spared"}
    city.ledger.hear(a_contact("D-2", email=None), received("D-2"))
    city.sms.answers[:] = [AWAY] * 30
    city.ledger.hear(sample(ResultConfirmed, "D-2"))
    city.pass_time(timedelta(hours=6))
    found = [m for m in city.ledger.messages(dossier="D-2") if m.moment == "resolved"]
    assert {m.channel: m.state for m in found} == {"sms": State.FAILED, "call": State.STANDBY}


def test_a_late_receipt_of_the_first_way_stops_what_has_not_gone_and_moves_nothing_back(city: City):
    resolve(city, Sent(("17",)), email=(AWAY, AWAY))
    city.pass_time(timedelta(hours=4, minutes=10))
    assert city.ladder() == {"sms": "sent", "email": "failed", "call": "standby"}
    city.hear(Fate.DELIVERED)
    assert city.ladder() == {"sms": "delivered", "email": "spared", "call": "spared"}
    city.hear(Fate.LOST)
    city.pass_time(timedelta(days=1))
    assert city.ladder() == {"sms": "delivered", "email": "spared", "call": "spared"}


def test_a_late_receipt_after_the_second_way_went_is_kept_and_sends_nothing(city: City):
    resolve(city, Sent(("17",)), email=(Sent(("e1",)),))
    city.pass_time(timedelta(hours=4, minutes=10))
    assert city.ladder() == {"sms": "sent", "email": "sent", "call": "standby"}
    city.hear(Fate.DELIVERED)
    city.pass_time(timedelta(days=1))
    assert city.ladder() == {"sms": "delivered", "email": "sent", "call": "spared"}


def to_call(city: City) -> Message:
    resolve(city, GONE, email=(GONE,))
    assert city.ladder() == {"sms": "undeliverable", "email": "undeliverable", "call": "to_call"}
    (call,) = [m for m in city.ledger.messages(states=("to_call",)) if m.moment == "resolved"]
    return call


def test_the_last_way_is_a_call_with_words_to_say_and_no_name_or_number(city: City):
    call = to_call(city)
    ((_, told),) = [each for each in city.ledger.told() if each[0] == "citizen.unreachable"]
    assert (told["call"], told["words"], told["reason"]) == (call.id, call.body, "no such number")
    assert DOSSIER in told["words"]
    assert "đã có kết quả" in told["words"]
    assert "Sáu" not in told["words"]
    assert "907123456" not in str(told)
    city.pass_time(timedelta(days=3), timedelta(hours=6))
    assert city.said().count("citizen.unreachable") == 1


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("reached", "delivered"),
        ("called_back", "delivered"),
        ("met", "delivered"),
        ("no_answer", "to_call"),
        ("wrong_number", "undeliverable"),
    ],
)
def test_what_the_officer_says_ends_the_call_but_for_nobody_answering(
    city: City, outcome: str, state: str
):
    call = to_call(city)
    at = city.ledger.clock.now()
    answer = CitizenCalled(dossier=DOSSIER, called_at=at, outcome=outcome, calls=(call.id,))
    city.ledger.hear(answer)
    assert city.ladder()["call"] == state
    told = [data for kind, data in city.ledger.told() if kind == "citizen.notified"]
    assert (told[-1]["channel"] == "call") == (state == "delivered")
    city.ledger.hear(answer)  # the same again, and of a call of another's
    city.ledger.hear(CitizenCalled(dossier="D-9", called_at=at, calls=(call.id,)))
    assert city.ladder()["call"] == state


def test_a_receipt_that_comes_while_the_desk_is_to_call_takes_the_call_back(city: City):
    city.ledger.hear(a_contact("D-2", email=None), received("D-2"))
    city.rest()
    city.sms.answers.append(Sent(("17",)))
    city.ledger.hear(sample(ResultConfirmed, "D-2"))
    city.rest()
    city.pass_time(timedelta(hours=4, minutes=10))
    (call,) = city.ledger.messages(states=("to_call",))
    city.hear(Fate.DELIVERED)
    assert city.ledger.messages(dossier="D-2", states=("to_call",)) == []
    assert ("citizen.call_dropped", call.id) in [
        (kind, data.get("call")) for kind, data in city.ledger.told()
    ]


@pytest.mark.parametrize(
    ("news", "left"),
    [
        (sample(DossierSupplemented, round=1), []),
        (sample(DossierSupplemented, round=2), ["supplement_requested"]),
        (sample(DossierWithdrawn), []),
    ],
    ids=["handed in", "of another round", "withdrawn"],
)
def test_a_call_that_the_news_overtook_is_taken_back(ledger: Ledger, news: Event, left: list[str]):
    ledger.hear(a_contact(consent_sms=False, consent_email=False), received())
    ledger.hear(sample(SupplementRequested, round=1))
    (call,) = ledger.messages(states=("to_call",))
    ledger.hear(news)
    assert [each.moment for each in ledger.messages(states=("to_call",))] == left
    told = [data["call"] for kind, data in ledger.told() if kind == "citizen.call_dropped"]
    assert told == ([] if left else [call.id])
    gone = [(each.id, each.reason) for each in ledger.messages(states=("cancelled",))]
    assert gone == ([] if left else [(call.id, "outdated")])


def test_who_agreed_to_nothing_is_called_where_an_act_is_needed_and_else_not(ledger: Ledger):
    ledger.hear(a_contact(consent_sms=False, consent_email=False), received())
    ledger.hear(sample(ResultConfirmed))
    assert ledger.states() == {"skipped": 1, "to_call": 1}
    assert [data.get("call") is not None for _, data in ledger.told()] == [False, True]


def test_a_person_may_order_the_same_way_again_and_then_the_others_wait_for_it(city: City):
    resolve(city, BROKE)
    (message,) = city.ledger.messages(states=("uncertain",))
    with city.ledger.store.begin() as uow:
        resend(uow, message.id)
    city.rest()
    assert city.ladder() == {"sms": "sent", "email": "spared", "call": "spared"}


def test_letters_of_the_version_before_still_go_both_ways(ledger: Ledger):
    ledger.hear(a_contact(), received())
    with ledger.store.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE messages SET state = 'queued', rung = 1, rungs = 1, next_at = made_at"
        )
    city = City(ledger)
    city.rest()
    assert city.ladder("received") == {"email": "sent", "sms": "sent"}


ANSWERS = st.sampled_from([Sent(), Sent(("17",)), GONE, AWAY, BROKE])
FATES = st.sampled_from([None, Fate.DELIVERED, Fate.LOST])


def _named(answer: Result, name: str) -> Result:
    if not isinstance(answer, Sent):
        return answer
    return Sent((name,)) if name and answer.references else Sent()


def test_the_ladder_never_leaves_anybody_untold(ledger: Ledger):
    """Whatever the peers do: no way twice, and whoever has to act has a message or a call."""
    city = City(ledger)
    codes = iter(range(10_000))

    @given(st.lists(ANSWERS, min_size=1, max_size=4), st.lists(ANSWERS, max_size=3), FATES)
    @settings(max_examples=60)
    def play(sms: list[Result], email: list[Result], fate: Fate | None) -> None:
        number = next(codes)
        code, name = f"D-{number}", f"r{number}"
        ledger.clock.set(START + timedelta(days=3 * number))
        ledger.hear(a_contact(code), received(code))
        city.rest()
        ledger.clock.advance(timedelta(minutes=11))
        before = [len(city.sms.letters), len(city.email.letters)]
        # Mail servers send no receipts.
        given = [[_named(each, name) for each in sms], [_named(each, "") for each in email]]
        city.sms.answers[:], city.email.answers[:] = map(list, given)
        ledger.hear(sample(ResultConfirmed, code))
        city.rest()
        if fate is not None:
            city.hear(fate, name)
        city.pass_time(timedelta(days=2), timedelta(hours=2))
        found = {m.channel: m for m in ledger.messages(dossier=code) if m.moment == "resolved"}
        states = {m.state for m in found.values()}
        assert states & {State.SENT, State.DELIVERED, State.TO_CALL}
        assert not states & {State.QUEUED, State.SENDING, State.FAILED, State.HELD}
        for channel, first, answers in zip((city.sms, city.email), before, given, strict=True):
            times = len(channel.letters) - first
            assert all(each == AWAY for each in answers[: max(0, times - 1)])

    play()


def test_only_a_message_that_has_not_gone_can_be_ordered_or_recalled(city: City):
    (sent,) = city.ledger.messages(states=("sent",))
    with pytest.raises(NotAllowed), city.ledger.store.begin() as uow:
        resend(uow, sent.id)
