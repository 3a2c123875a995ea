"""The pure rules of notify: states, retries, recipients, what is remembered, template values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.cases import Case, learn
from services.notify.domain.contacts import EMAIL, SMS, Contact, choose, masked
from services.notify.domain.delivery import Failed, Sent, Unknown
from services.notify.domain.messages import (
    APPLICANT,
    SPENT,
    Message,
    after_crash,
    after_try,
    moment_lost,
    resent,
)
from services.notify.domain.news import News
from services.notify.domain.retrying import RetryBudget
from services.notify.domain.states import MOVES, NAMES_VI, RESENDABLE, State, move
from services.notify.domain.values import Place, Subject, kept, spoken_time, values_for
from shared.kernel.errors import NotAllowed

NOW = datetime(2022, 3, 14, 2, 0, tzinfo=UTC)
BUDGET = RetryBudget()


def a_contact(**changes: object) -> Contact:
    base = Contact(
        dossier="D-1",
        name="Nguyễn Thị Sáu",
        phone="+84907123456",
        email="sau.nguyen@example.vn",
        language="vi",
        consent_sms=True,
        consent_email=True,
        lookup_word="K7M2QP",
        given_at=NOW,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def a_message(state: State = State.SENDING, **changes: object) -> Message:
    base = Message(
        id="m-1",
        fact_id="f-1",
        moment="received",
        person=APPLICANT,
        channel=SMS,
        dossier="D-1",
        state=state,
        made_at=NOW,
        changed_at=NOW,
        tries=1,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def news(name: str = "dossier.received", **data: object) -> News:
    return News("f-1", name, "D-1", NOW, data)


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
    assert MOVES[State.SENT] == MOVES[State.SKIPPED] == frozenset()


def test_whatever_an_operator_may_resend_can_be_queued():
    assert all(State.QUEUED in MOVES[state] for state in RESENDABLE)


# --- tries ---------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=40))
def test_waits_grow_up_to_a_cap_and_end_with_the_budget(message_id: str):
    waits = [BUDGET.wait_after(made, message_id) for made in range(1, BUDGET.tries)]
    plain = [wait for wait in waits if wait is not None]
    assert len(plain) == BUDGET.tries - 1
    assert all(BUDGET.first <= wait <= BUDGET.cap * 1.1 for wait in plain)
    assert all(earlier <= later * 1.1 for earlier, later in pairwise(plain))
    assert BUDGET.wait_after(BUDGET.tries, message_id) is None


def test_the_wait_of_a_message_is_the_same_whenever_it_is_asked_for():
    assert BUDGET.wait_after(3, "m-1") == BUDGET.wait_after(3, "m-1")
    assert BUDGET.wait_after(3, "m-1") != BUDGET.wait_after(3, "m-2")


def test_a_channel_that_took_the_letter_makes_it_sent():
    after = after_try(a_message(), Sent(), NOW, BUDGET)
    assert (after.state, after.sent_at, after.next_at) == (State.SENT, NOW, None)


def test_a_failure_is_tried_again_later():
    after = after_try(a_message(), Failed("smtp: 451"), NOW, BUDGET)
    assert after.state is State.FAILED
    assert after.next_at is not None
    assert NOW + timedelta(seconds=30) <= after.next_at <= NOW + timedelta(seconds=33)


def test_a_permanent_failure_is_undeliverable_at_once():
    after = after_try(a_message(), Failed("smtp: 550", permanent=True), NOW, BUDGET)
    assert (after.state, after.reason) == (State.UNDELIVERABLE, "smtp: 550")


def test_a_spent_budget_is_undeliverable():
    after = after_try(a_message(tries=BUDGET.tries), Failed("smtp: 451"), NOW, BUDGET)
    assert (after.state, after.reason) == (State.UNDELIVERABLE, SPENT)


def test_a_letter_that_may_have_gone_is_uncertain_and_waits_for_a_person():
    after = after_try(a_message(), Unknown("smtp text: TimeoutError"), NOW, BUDGET)
    assert (after.state, after.next_at) == (State.UNCERTAIN, None)


def test_after_a_crash_only_an_idempotent_channel_sends_again_by_itself():
    assert after_crash(a_message(), NOW, idempotent=True).state is State.QUEUED
    assert after_crash(a_message(), NOW, idempotent=False).state is State.UNCERTAIN


def test_an_operators_resend_gives_a_fresh_budget():
    after = resent(a_message(State.UNDELIVERABLE, tries=24, reason=SPENT), NOW)
    assert (after.state, after.tries, after.reason) == (State.QUEUED, 0, None)


def test_a_moment_is_lost_only_when_every_channel_is_and_only_once():
    lost = a_message(State.UNDELIVERABLE)
    assert moment_lost([lost, lost])
    assert not moment_lost([lost, a_message(State.SENT)])
    assert not moment_lost([lost, a_message(State.UNCERTAIN)])
    assert not moment_lost([lost, replace(lost, told_unreachable=True)])


# --- recipients ----------------------------------------------------------------------------------


def test_both_channels_where_both_are_agreed_to():
    assert [address.channel for address in choose(a_contact()).addresses] == [EMAIL, SMS]


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
    shown += repr(a_message(to="+84907123456", subject="Sáu", body="Sáu")) + repr(news(form="Sáu"))
    shown += repr(a_message(to="+84907123456", body="Sáu").letter())
    assert "Sáu" not in shown
    assert "907123456" not in shown
    assert "K7M2QP" not in shown
    assert "example.vn" not in shown


def test_operators_see_masked_addresses():
    assert masked(SMS, "+84907123456") == "***456"
    assert masked(EMAIL, "sau.nguyen@example.vn") == "s***@example.vn"


# --- what is remembered --------------------------------------------------------------------------


def test_a_case_learns_what_a_fact_states_and_keeps_the_rest():
    first = learn(
        None,
        news(
            procedure={"code": "1.001193", "name": "Đăng ký khai sinh", "short_name": "Khai sinh"},
            office={"code": "ubnd-phuong-1", "name": "UBND Phường 1"},
            promised_at="2022-03-16T02:00:00Z",
            due_at="2022-03-16T02:00:00Z",
        ),
    )
    later = learn(first, news("dossier.extended", due_at="2022-03-18T02:00:00Z"))
    assert later == replace(first, due_at=datetime(2022, 3, 18, 2, tzinfo=UTC))


def test_the_date_in_force_counts_not_the_first_promise():
    case = learn(None, news(promised_at="2022-03-16T02:00:00Z", due_at="2022-03-18T02:00:00Z"))
    assert case.due_at == datetime(2022, 3, 18, 2, tzinfo=UTC)


def test_what_is_kept_for_later_holds_no_form_and_no_papers():
    about = kept(news(reason="thiếu", form={"ho_ten": "Sáu"}, papers=[{"code": "a"}]))
    assert about == {"reason": "thiếu"}


# --- values --------------------------------------------------------------------------------------

PLACE = Place("UBND Phường 1", "P.1", "100 Nguyễn Huệ, Phường 1", "0277 3851 234")
CASE = Case("D-1", "1.001193", "Đăng ký khai sinh", "Khai sinh", "p1", "UBND Phường 1", NOW)


def subject(given_news: News) -> Subject:
    return Subject(given_news, CASE, PLACE, agency="Công an thành phố Cao Lãnh", agency_short="CA")


def test_an_email_greets_by_name_and_tells_the_place_in_full():
    values = values_for(subject(news()), a_contact(), EMAIL)
    assert values["name"] == "Nguyễn Thị Sáu"
    assert values["place"] == "UBND Phường 1, 100 Nguyễn Huệ, Phường 1"
    assert values["due"] == "09:00 ngày 14/03/2022"


def test_a_text_message_is_short_and_never_holds_the_name():
    values = values_for(subject(news()), a_contact(), SMS)
    assert "name" not in values
    assert (values["place"], values["due"]) == ("P.1", "09:00 14/03/2022")
    assert values["lookup"] == "K7M2QP"


def test_money_is_written_the_way_it_is_read():
    paid = news("dossier.paid", amount_vnd=1_250_000)
    assert values_for(subject(paid), a_contact(), EMAIL)["amount"] == "1.250.000 đồng"
    english = a_contact(language="en")
    assert values_for(subject(paid), english, EMAIL)["amount"] == "VND 1,250,000"


def test_the_missing_papers_are_listed_in_one_go():
    asked = news("dossier.supplement_requested", items=["Giấy chứng sinh", "Sổ hộ khẩu"])
    assert values_for(subject(asked), a_contact(), EMAIL)["items"] == "Giấy chứng sinh; Sổ hộ khẩu"


def test_the_results_of_all_branches_are_told_with_their_reasons():
    done = news(
        "dossier.resolved",
        results=[
            {
                "agency": {"code": "a", "name": "UBND Phường 1"},
                "outcome": "granted",
                "reason": None,
            },
            {"agency": {"code": "b", "name": "BHXH"}, "outcome": "refused", "reason": "thiếu giấy"},
        ],
    )
    values = values_for(subject(done), a_contact(), EMAIL)
    assert values["items"] == "UBND Phường 1: đã giải quyết; BHXH: không giải quyết"
    assert values["reason"] == "thiếu giấy"


def test_instants_are_told_in_vietnams_time():
    assert (
        spoken_time(datetime(2022, 3, 31, 20, tzinfo=UTC), "vi", brief=True) == "03:00 01/04/2022"
    )
    assert spoken_time(NOW, "en", brief=False) == "09:00 on 14/03/2022"
