"""The pure rules of notify: states, retries, recipients, what is remembered, template values."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.cases import Case, learn
from services.notify.domain.composing import Composer
from services.notify.domain.contacts import EMAIL, SMS, choose, masked
from services.notify.domain.correspondence import (
    Circumstances,
    Correspondence,
    learn_deadline,
    release_messages,
    write_messages,
)
from services.notify.domain.delivery import Failed, Sent, Unknown
from services.notify.domain.messages import (
    APPLICANT,
    ORDERED,
    RETRIES,
    SPENT,
    Message,
    after_crash,
    after_try,
    moment_lost,
    resent,
)
from services.notify.domain.moments import MOMENTS
from services.notify.domain.states import MOVES, NAMES_VI, RESENDABLE, State, move
from services.notify.domain.values import Notice, Place, spoken_time, values_for
from shared.events.event import Event, kind_of, write
from shared.events.intake import (
    DeadlineStated,
    DossierPaid,
    DossierRefused,
    DossierSupplemented,
    SupplementRequested,
)
from shared.events.parts import Agency, StepResult
from shared.events.routing import DossierExtended, DossierResolved
from shared.kernel.clock import format_instant
from shared.kernel.errors import NotAllowed
from shared.kernel.ids import SeededIds
from shared.settings import PROJECT
from tests.notify.ledger import DOSSIER, a_contact, received, sample, the_catalogue

NOW = datetime(2022, 3, 14, 2, 0, tzinfo=UTC)


def a_message(state: State = State.SENDING, **changes: object) -> Message:
    base = Message(
        id="m-1",
        fact_id="f-1",
        moment="received",
        role=APPLICANT,
        channel=SMS,
        dossier="D-1",
        state=state,
        made_at=NOW,
        changed_at=NOW,
        tries=1,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


# --- states --------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_every_move_is_either_allowed_or_refused_with_what_is(before: State, after: State):
    if after in MOVES[before]:
        assert move(before, after) is after
        return
    with pytest.raises(NotAllowed) as refused:
        move(before, after)
    assert set(refused.value.allowed) == {state.value for state in MOVES[before]}


def test_every_state_has_its_moves_and_its_vietnamese_name():
    assert set(MOVES) == set(State) == set(NAMES_VI)


def test_a_message_that_was_sent_or_skipped_stays_so():
    ends = (State.DELIVERED, State.SKIPPED, State.CANCELLED, State.RECALLED)
    assert {MOVES[state] for state in ends} == {frozenset()}
    assert MOVES[State.SPARED] == {State.STANDBY}  # what was taken in its place came back
    assert MOVES[State.SENT] == {State.DELIVERED, State.UNDELIVERABLE}


def test_whatever_an_operator_may_resend_can_be_queued():
    assert all(State.QUEUED in MOVES[state] for state in RESENDABLE)


# --- tries ---------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=40))
def test_pauses_grow_to_an_hour_and_the_tries_last_for_most_of_a_day(message_id: str):
    pauses = [RETRIES.pause(made, message_id) for made in range(1, RETRIES.max_attempts)]
    assert all(timedelta(seconds=30) <= pause <= timedelta(hours=1.1) for pause in pauses)
    assert all(earlier <= later * 1.1 for earlier, later in pairwise(pauses))
    assert timedelta(hours=18) <= sum(pauses, timedelta()) <= timedelta(hours=24)


def test_a_channel_that_took_the_letter_makes_it_sent():
    after = after_try(a_message(), Sent(), NOW, RETRIES)
    assert (after.state, after.sent_at, after.next_at) == (State.SENT, NOW, None)


def test_a_failure_is_tried_again_later():
    after = after_try(a_message(), Failed("smtp: 451"), NOW, RETRIES)
    assert after.state is State.FAILED
    assert after.next_at is not None
    assert NOW + timedelta(seconds=30) <= after.next_at <= NOW + timedelta(seconds=33)


def test_a_permanent_failure_is_undeliverable_at_once():
    after = after_try(a_message(), Failed("smtp: 550", permanent=True), NOW, RETRIES)
    assert (after.state, after.reason) == (State.UNDELIVERABLE, "smtp: 550")


def test_a_spent_budget_is_undeliverable():
    after = after_try(a_message(tries=RETRIES.max_attempts), Failed("smtp: 451"), NOW, RETRIES)
    assert (after.state, after.reason) == (State.UNDELIVERABLE, SPENT)


def test_a_letter_that_may_have_gone_is_uncertain_and_waits_for_a_person():
    after = after_try(a_message(), Unknown("smtp text: TimeoutError"), NOW, RETRIES)
    assert (after.state, after.next_at) == (State.UNCERTAIN, None)


def test_after_a_crash_what_may_be_out_is_sent_again_by_an_idempotent_channel_alone():
    claimed, going_out = a_message(), a_message(text_out_at=NOW)
    assert after_crash(claimed, NOW, idempotent=True).state is State.QUEUED
    assert after_crash(claimed, NOW, idempotent=False).state is State.QUEUED
    assert after_crash(going_out, NOW, idempotent=True).state is State.QUEUED
    assert after_crash(going_out, NOW, idempotent=False).state is State.UNCERTAIN
    taken = a_message(text_out_at=NOW, sent_at=NOW)
    assert after_crash(taken, NOW, idempotent=False).state is State.SENT
    assert after_crash(taken, NOW, idempotent=False).sent_at == NOW


def test_an_operators_resend_gives_a_fresh_budget():
    after = resent(a_message(State.UNDELIVERABLE, tries=24, reason=SPENT), NOW)
    assert (after.state, after.tries, after.reason) == (State.QUEUED, 0, ORDERED)


def test_a_moment_is_lost_only_when_every_channel_is_and_only_once():
    lost = a_message(State.UNDELIVERABLE)
    assert moment_lost([lost, lost])
    assert not moment_lost([lost, a_message(State.SENT)])
    assert not moment_lost([lost, a_message(State.UNCERTAIN)])
    assert not moment_lost([lost, replace(lost, told_unreachable=True)])


# --- recipients ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "order", "tried"),
    [
        (None, (SMS, EMAIL), [SMS, EMAIL]),
        (None, (EMAIL, SMS), [EMAIL, SMS]),
        (None, (EMAIL,), [EMAIL]),
        ("email", (SMS, EMAIL), [EMAIL, SMS]),
        ("sms", (EMAIL, SMS), [SMS, EMAIL]),
    ],
)
def test_the_citizens_choice_comes_first_and_then_the_citys_order(
    first: str | None, order: tuple[str, ...], tried: list[str]
):
    chosen = choose(a_contact(first=first), order).addresses
    assert [address.channel for address in chosen] == tried


def test_a_channel_without_consent_is_not_used():
    chosen = choose(a_contact(consent_sms=False))
    assert [address.channel for address in chosen.addresses] == [EMAIL]


def test_no_consent_at_all_says_so():
    chosen = choose(a_contact(consent_sms=False, consent_email=False))
    assert (chosen.addresses, chosen.reason) == ((), "no_consent")


@pytest.mark.parametrize("phone", ["+842773851234", "+14155550123", "0907123456", "", None])
@pytest.mark.parametrize("email", ["nguyễn@example.vn", "a@b", "a b@c.vn", "a@c.vn\nBcc: x", None])
def test_addresses_that_cannot_be_reached_are_no_address(phone: str | None, email: str | None):
    chosen = choose(a_contact(phone=phone, email=email))
    assert (chosen.addresses, chosen.reason) == ((), "no_address")


def test_nothing_personal_shows_in_a_printed_contact_or_message():
    shown = repr(a_contact()) + repr(choose(a_contact()))
    shown += repr(a_message(to="+84907123456", subject="Sáu", body="Sáu")) + repr(
        received(form={"ho_ten": "Sáu"})
    )
    shown += repr(a_message(to="+84907123456", body="Sáu").letter())
    assert "Sáu" not in shown
    assert "907123456" not in shown
    assert "K7M2QP" not in shown
    assert "example.vn" not in shown


def test_operators_see_masked_addresses():
    assert masked(SMS, "+84907123456") == "***456"
    assert masked(EMAIL, "sau.nguyen@example.vn") == "s***@example.vn"


# --- what is remembered --------------------------------------------------------------------------


def test_a_case_learns_what_an_event_states_and_keeps_the_rest():
    first = learn(Case(DOSSIER), received())
    assert (first.short_name, first.office) == (received().procedure.short_name, "ubnd-phuong-1")
    due = datetime(2022, 3, 18, 2, tzinfo=UTC)
    for event in (sample(DossierExtended, due_at=due), sample(DeadlineStated, due_at=due)):
        assert learn(first, event) == replace(first, due_at=due)
    before_reception = sample(DossierSupplemented, promised_at=None, due_at=None)
    assert learn(first, before_reception) == first


def test_the_date_in_force_counts_not_the_first_promise():
    promised, due = datetime(2022, 3, 16, 2, tzinfo=UTC), datetime(2022, 3, 18, 2, tzinfo=UTC)
    assert learn(Case(DOSSIER), received(promised_at=promised, due_at=due)).due_at == due


def test_a_date_stated_anew_is_remembered_and_makes_no_message():
    case, due = learn(Case(DOSSIER), received()), datetime(2022, 3, 18, 2, tzinfo=UTC)
    decision = learn_deadline(Correspondence(case), sample(DeadlineStated, due_at=due), around())
    assert decision.state == Correspondence(replace(case, due_at=due))
    assert decision.events == ()


# --- what is kept while the contact is awaited --------------------------------------------------


def around() -> Circumstances:
    return Circumstances(Composer(the_catalogue()), "f-1", NOW, NOW, SeededIds(3).new)


def waiting_for(event: Event) -> Correspondence:
    known = Correspondence(learn(Case(DOSSIER), received()))
    waiting = write_messages(known, event, around()).state
    assert waiting is not None
    return waiting


def test_what_is_kept_for_later_holds_no_form_and_no_papers():
    told = received(form={"ho_ten": "Sáu"}, papers=sample(DossierSupplemented).papers)
    assert told.papers
    (message,) = waiting_for(told).messages
    assert message.about == {
        "made_at": format_instant(NOW),
        "due_at": format_instant(told.due_at),
        "data": {},
    }
    (message,) = waiting_for(sample(DossierRefused, reason="thiếu")).messages
    assert message.about is not None
    assert message.about["data"]["reason"] == "thiếu"


RELEASED = json.loads((PROJECT / "tests/events/data/released-1.json").read_text("utf-8"))
OLD_NAMES = ("reason", "next_step", "items", "amount_vnd", "step", "results", "agency")
OLD_NAMES += ("respond_by",)


def as_the_version_before_kept(event: Event, due_at: datetime | None) -> dict[str, Any]:
    data = msgspec.json.decode(write(event))
    return {
        "name": kind_of(type(event)).name,
        "made_at": format_instant(NOW),
        "due_at": format_instant(due_at) if due_at else None,
        "data": {name: data[name] for name in OLD_NAMES if data.get(name) is not None},
    }


@pytest.mark.parametrize("cls", MOMENTS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_message_that_waited_says_what_it_would_have_said_at_once(
    cls: type[Event], language: str
):
    """Also one that was kept by the version before, of the events that it knew."""
    event, contact = sample(cls), a_contact(language=language)
    waiting = waiting_for(event)
    (message,) = waiting.messages
    kept = [waiting]
    if kind_of(cls).type in RELEASED:
        old = replace(message, about=as_the_version_before_kept(event, waiting.case.due_at))
        kept.append(replace(waiting, messages=(old,)))
    texts = []
    for known in kept:
        released = release_messages(known, contact, around()).state
        assert released is not None
        texts.append([(m.channel, m.subject, m.body) for m in released.messages])
    before = replace(waiting, case=replace(waiting.case, ended=False), messages=(), contact=contact)
    at_once = write_messages(before, event, around()).state
    assert at_once is not None
    assert [[(m.channel, m.subject, m.body) for m in at_once.messages]] * len(kept) == texts


# --- values --------------------------------------------------------------------------------------

PLACE = Place("UBND Phường 1", "P.1", "100 Nguyễn Huệ, Phường 1", "0277 3851 234")
CASE = Case("D-1", "1.001193", "Đăng ký khai sinh", "Khai sinh", "p1", "UBND Phường 1", NOW)


def notice(event: Event) -> Notice:
    details = MOMENTS[type(event)].details(event)
    agency = "Công an thành phố Cao Lãnh"
    return Notice(CASE, NOW, details, PLACE, agency=agency, agency_short="CA")


def test_an_email_greets_by_name_and_tells_the_place_in_full():
    values = values_for(notice(received()), a_contact(), EMAIL)
    assert values["name"] == "Nguyễn Thị Sáu"
    assert values["place"] == "UBND Phường 1, 100 Nguyễn Huệ, Phường 1"
    assert values["due"] == "09:00 ngày 14/03/2022"


def test_a_text_message_is_short_and_never_holds_the_name():
    values = values_for(notice(received()), a_contact(), SMS)
    assert "name" not in values
    assert (values["place"], values["due"]) == ("P.1", "09:00 14/03/2022")
    assert values["lookup"] == "K7M2QP"


def test_money_is_written_the_way_it_is_read():
    paid = sample(DossierPaid, amount_vnd=1_250_000)
    assert values_for(notice(paid), a_contact(), EMAIL)["amount"] == "1.250.000 đồng"
    english = a_contact(language="en")
    assert values_for(notice(paid), english, EMAIL)["amount"] == "VND 1,250,000"


def test_the_missing_papers_are_listed_in_one_go():
    asked = sample(SupplementRequested, items=("Giấy chứng sinh", "Sổ hộ khẩu"))
    assert values_for(notice(asked), a_contact(), EMAIL)["items"] == "Giấy chứng sinh; Sổ hộ khẩu"


def test_the_results_of_all_branches_are_told_with_their_reasons():
    granted = StepResult(
        step="a", agency=Agency(code="a", name="UBND Phường 1"), outcome="granted", at=NOW
    )
    refused = StepResult(
        step="b",
        agency=Agency(code="b", name="BHXH"),
        outcome="refused",
        reason="thiếu giấy",
        at=NOW,
    )
    done = sample(DossierResolved, results=(granted, refused))
    values = values_for(notice(done), a_contact(), EMAIL)
    assert values["items"] == "UBND Phường 1: đã giải quyết; BHXH: không giải quyết"
    assert values["reason"] == "thiếu giấy"


def test_instants_are_told_in_vietnams_time():
    assert (
        spoken_time(datetime(2022, 3, 31, 20, tzinfo=UTC), "vi", brief=True) == "03:00 01/04/2022"
    )
    assert spoken_time(NOW, "en", brief=False) == "09:00 on 14/03/2022"
