"""Fork, join, failure, payment and the end of a journey."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.routing.domain import words
from services.routing.domain.answers import apply_answer
from services.routing.domain.case import Case, Circumstances, step_states
from services.routing.domain.extensions import granted
from services.routing.domain.journey import withdraw
from services.routing.domain.plan import Plan, route
from services.routing.domain.waiting import dated, paid
from shared.events.agencies import (
    Answer,
    AnswerCompleted,
    AnswerMoreTimeNeeded,
    AnswerRefused,
    AnswerSupplementNeeded,
    TaskAssigned,
    TaskChanged,
)
from shared.events.intake import (
    Because,
    DeadlineStated,
    DossierPaid,
    DossierWithdrawn,
    ExtensionGranted,
)
from shared.events.routing import (
    ClockResumed,
    ClockStopped,
    DossierExtended,
    DossierResolved,
    DossierStarted,
    DossierStopped,
    ExtensionRequested,
    PaymentRequested,
    StepAnswered,
    StepOpened,
    SupplementDropped,
)
from shared.kernel.errors import BrokenCatalogue
from tests.routing.worlds import (
    BIRTH,
    CALENDAR,
    LAND,
    NOW,
    OFFICE,
    Change,
    after,
    at,
    later,
    opened,
    setting,
    step,
    task_of,
)


def answer(case: Case, judged: Circumstances, given: Answer, now: datetime) -> Change:
    return after(case, apply_answer(case, given, at(judged, now)))


def grant(
    case: Case, judged: Circumstances, code: str, now: datetime | None = None, **fields: Any
) -> Change:
    given = AnswerCompleted(task=task_of(case, code), outcome="granted", **fields)
    return answer(case, judged, given, now or later(hours=3))


def refuse(case: Case, judged: Circumstances, code: str) -> Change:
    given = AnswerRefused(task=task_of(case, code), reason="không đủ")
    return answer(case, judged, given, later(hours=3))


def pay(
    case: Case, judged: Circumstances, now: datetime, *, amount_vnd: int, due_at: datetime
) -> Change:
    payment = DossierPaid(
        dossier=case.dossier,
        step="pay",
        reference="x",
        amount_vnd=amount_vnd,
        paid_at=now,
        promised_at=case.promised_at,
        due_at=due_at,
    )
    return after(case, paid(case, payment, at(judged, now)))


def state(
    case: Case, judged: Circumstances, now: datetime, due_at: datetime, because: Because
) -> Change:
    stated = DeadlineStated(
        dossier=case.dossier,
        because=because,
        clock="runs",
        promised_at=case.promised_at,
        due_at=due_at,
        stated_at=now,
    )
    return after(case, dated(case, stated, at(judged, now)))


def take_back(case: Case, judged: Circumstances, reason: str, now: datetime) -> Change:
    withdrawn = DossierWithdrawn(dossier=case.dossier, reason=reason, withdrawn_at=now)
    return after(case, withdraw(case, withdrawn, at(judged, now)))


def more_time(case: Case, until: datetime, reason: str = "đông") -> AnswerMoreTimeNeeded:
    return AnswerMoreTimeNeeded(task=task_of(case, "birth"), reason=reason, until=until)


def test_reception_starts_the_dossier_and_hands_over_the_first_step_alone() -> None:
    change = opened(setting(*BIRTH), {"child": "Bé An", "address": "12 Lê Lợi"})
    assert [type(fact) for fact in change.facts] == [DossierStarted, StepOpened]
    assert set(change.case.tasks) == {"birth"}
    (order,) = change.orders
    assert isinstance(order, TaskAssigned)
    assert order.due_at == CALENDAR.add_days(NOW, 2)


def test_an_agency_gets_the_fields_its_step_shares_and_no_others() -> None:
    judged = setting(*BIRTH)
    form = {"child": "Bé An", "mother": "Lê Thị Hoa", "address": "12 Lê Lợi", "phone": "0907123456"}
    case = opened(judged, form).case
    assert "phone" not in case.form
    fork = grant(case, judged, "birth")
    shared = {o.agency: dict(o.form) for o in fork.orders if isinstance(o, TaskAssigned)}
    assert shared == {
        "residence": {"child": "Bé An", "address": "12 Lê Lợi"},
        "card": {"child": "Bé An"},
    }


def test_values_that_hold_form_data_do_not_print_them() -> None:
    change = opened(setting(*BIRTH), {"child": "Bé An", "mother": "Lê Thị Hoa"})
    assert "Bé An" not in repr(change)


def test_a_join_waits_for_both_branches_and_every_result_is_in_the_end() -> None:
    judged = setting(*BIRTH)
    case = grant(opened(judged).case, judged, "birth", document="01/2022").case
    half = grant(case, judged, "residence")
    assert "gather" not in half.case.tasks
    joined = grant(half.case, judged, "card", result_code="KQ.3")
    end = grant(joined.case, judged, "gather")
    (resolved,) = end.only(DossierResolved)
    assert {r.step: (r.outcome, r.result_code) for r in resolved.results} == {
        "birth": ("granted", "KQ.1"),
        "residence": ("granted", "KQ.2"),
        "card": ("granted", "KQ.3"),
        "gather": ("granted", None),
    }


def test_a_failed_branch_never_undoes_a_finished_one() -> None:
    judged = setting(*BIRTH)
    case = grant(opened(judged).case, judged, "birth").case
    case = refuse(case, judged, "card").case
    case = grant(case, judged, "residence").case
    assert case.tasks["gather"].is_open, "what was granted is gathered all the same"
    end = grant(case, judged, "gather")
    (resolved,) = end.only(DossierResolved)
    outcome = {r.step: (r.outcome, r.reason) for r in resolved.results}
    assert outcome["birth"] == ("granted", None)
    assert outcome["card"] == ("refused", "không đủ")


def test_what_comes_after_a_failed_step_is_never_opened() -> None:
    judged = setting(*BIRTH)
    case = opened(judged).case
    birth = task_of(case, "birth")
    refused = AnswerCompleted(task=birth, outcome="refused", reason="sai thẩm quyền")
    end = answer(case, judged, refused, later(hours=1))
    assert step_states(end.case, judged.route)["card"] == "unreachable"
    assert end.case.state == "resolved", "a decision to refuse is a result"


def test_where_no_agency_would_take_it_the_dossier_is_given_back_with_a_next_step() -> None:
    judged = setting(*BIRTH)
    end = refuse(opened(judged).case, judged, "birth")
    (stopped,) = end.only(DossierStopped)
    assert stopped.reason == "không đủ"
    assert OFFICE.name in stopped.next_step
    assert end.case.state == "stopped"


def test_a_branch_that_nobody_chose_is_looked_through() -> None:
    steps = (
        step("death"),
        step("allowance", "death", branch="allowance"),
        step("close", "allowance"),
    )
    judged = setting(*steps, branches=())
    case = opened(judged).case
    assert set(case.tasks) == {"death"}, "close still waits for death"
    assert set(grant(case, judged, "death").case.tasks) == {"death", "close"}
    chosen = setting(*steps, branches=("allowance",))
    case = opened(chosen).case
    assert set(grant(case, chosen, "death").case.tasks) == {"death", "allowance"}


def test_the_citizen_is_asked_to_pay_what_the_agency_worked_out_and_the_clock_stands() -> None:
    judged = setting(*LAND)
    case = grant(opened(judged).case, judged, "check").case
    asked = grant(case, judged, "tax", amount_vnd=1_250_000)
    (fact,) = asked.only(PaymentRequested)
    assert (fact.amount_vnd, fact.agency.code, fact.step) == (1_250_000, "tax", "pay")
    assert asked.case.waiting_for_citizen
    assert asked.case.next_at is None
    assert "sign" not in asked.case.tasks
    new_due = asked.case.due_at + timedelta(days=3)
    now = later(days=5)
    went_on = pay(asked.case, judged, now, amount_vnd=1_250_000, due_at=new_due)
    assert went_on.case.tasks["sign"].opened_at == now
    assert went_on.case.due_at == new_due
    again = pay(went_on.case, judged, now, amount_vnd=1, due_at=new_due)
    assert not again.changed
    assert again.note == words.NO_SUCH_PAYMENT


def test_a_duty_of_nothing_asks_nobody() -> None:
    judged = setting(*LAND)
    case = grant(opened(judged).case, judged, "check").case
    change = grant(case, judged, "tax", amount_vnd=0)
    assert not change.only(PaymentRequested)
    assert change.case.tasks["sign"].is_open


def test_steps_after_the_result_follow_it_and_do_not_hold_it_up() -> None:
    judged = setting(step("sign", results=("KQ.4",)), step("cadastre", "sign", after_result=True))
    end = grant(opened(judged).case, judged, "sign")
    assert end.case.state == "resolved"
    assert end.case.tasks["cadastre"].is_open
    kinds = [type(fact) for fact in end.facts]
    assert kinds.index(DossierResolved) > kinds.index(StepAnswered)
    last = grant(end.case, judged, "cadastre")
    assert not last.only(DossierResolved)


def test_time_of_a_step_outside_the_legal_clock_is_not_counted_against_the_dossier() -> None:
    judged = setting(*LAND)
    case = opened(judged).case
    change = grant(case, judged, "check", later(hours=1))
    assert [fact.step.code for fact in change.only(ClockStopped)] == ["tax"]
    case = change.case
    assert case.next_at is None, "no dossier deadline runs while the tax office works"
    end = CALENDAR.add_days(later(hours=1), 3)
    change = grant(case, judged, "tax", end, amount_vnd=0)
    resumed = ClockResumed(dossier=case.dossier, resumed_at=end)
    assert change.facts[-1] == resumed, "after the payment is asked for"
    assert change.case.due_at == case.due_at, "the date is intake's to compute"


def test_no_deadline_of_the_dossier_rings_until_intake_has_stated_the_new_date() -> None:
    judged = setting(step("check"), step("tax", pauses_clock=True), step("sign", "tax"))
    case = opened(judged).case
    case = grant(case, judged, "tax", case.due_at).case
    assert case.next_at is None
    new = CALENDAR.add_days(case.due_at, 20)
    case = state(case, judged, case.due_at, new, "clock_resumed").case
    assert case.alarms is not None
    assert (case.due_at, case.alarms.due_at, case.dates_awaited) == (new, new, 0)
    assert case.next_at is not None


def test_a_step_without_time_of_its_own_follows_the_dossiers_date() -> None:
    judged = setting(step("sign", budget=None))
    case = opened(judged).case
    new = CALENDAR.add_days(case.due_at, 2)
    change = state(case, judged, later(hours=1), new, "extended")
    assert change.case.tasks["sign"].due_at == new
    assert [(o.change, o.due_at) for o in change.orders] == [("due", new)]


def test_an_agency_that_decides_without_the_papers_frees_the_dossier() -> None:
    judged = setting(step("a"), step("b", "a"))
    case = opened(judged).case
    asked = AnswerSupplementNeeded(task=task_of(case, "a"), items=("Sổ",), reason="thiếu")
    case = answer(case, judged, asked, later(hours=1)).case
    change = grant(case, judged, "a")
    (dropped,) = change.only(SupplementDropped)
    assert (dropped.round, dropped.step) == (1, "a")
    assert change.case.tasks["b"].is_open
    assert not change.case.waiting_for_citizen


def test_withdrawing_cancels_what_is_open_and_keeps_what_is_done() -> None:
    judged = setting(*BIRTH)
    case = grant(opened(judged).case, judged, "birth").case
    change = take_back(case, judged, "đổi ý", later(days=1))
    assert sorted(o.agency for o in change.orders) == ["card", "residence"]
    assert change.case.tasks["birth"].state == "answered"
    late = grant(change.case, judged, "card")
    assert not late.changed
    assert late.rule == "already_cancelled"
    assert not take_back(change.case, judged, "lần nữa", later(days=2)).changed


def test_a_role_that_nobody_holds_comes_to_the_receiving_office_and_says_so() -> None:
    change = opened(setting(step("survey", role="nobody")))
    assert change.case.tasks["survey"].agency == change.case.desk
    assigned, note = change.orders
    assert assigned.agency == OFFICE.code
    assert isinstance(note, TaskChanged)
    assert note.note == words.NO_AGENCY


def test_a_repeat_changes_nothing_and_says_so() -> None:
    judged = setting(*BIRTH)
    case = grant(opened(judged).case, judged, "birth").case
    again = grant(case, judged, "birth")
    assert again.case is case
    assert (again.changed, again.rule) == (False, "already_answered")


def test_an_unknown_result_code_is_sent_back_to_the_agency_and_the_step_stays_open() -> None:
    judged = setting(*BIRTH)
    change = grant(opened(judged).case, judged, "birth", result_code="KQ.999")
    assert change.case.tasks["birth"].is_open
    assert change.rule == "result_code_unknown"
    assert "KQ.1" in str(change.refusal), "the words name those that it has"


def test_a_refusal_without_a_reason_is_not_taken() -> None:
    judged = setting(*BIRTH)
    case = opened(judged).case
    refused = AnswerCompleted(task=task_of(case, "birth"), outcome="refused")
    change = answer(case, judged, refused, NOW)
    assert change.case.tasks["birth"].is_open
    assert (change.rule, change.refusal and change.refusal.place) == ("missing_field", "reason")


def granted_by_head(change: Change, judged: Circumstances) -> Change:
    """What follows once the head of the office has granted what was just asked for."""
    (asked,) = change.only(ExtensionRequested)
    verdict = ExtensionGranted(
        dossier=asked.dossier, task=asked.task, until=asked.until, reason=asked.reason,
        granted_at=NOW,
    )  # fmt: skip
    return after(change.case, granted(change.case, verdict, judged))


def test_more_time_within_the_promise_moves_the_step_and_nothing_else() -> None:
    judged = setting(*BIRTH)
    case = opened(judged).case
    until = CALENDAR.add_days(NOW, 4)
    change = granted_by_head(answer(case, judged, more_time(case, until), NOW), judged)
    assert change.case.tasks["birth"].due_at == until
    assert not change.only(DossierExtended)
    again = more_time(case, CALENDAR.add_days(NOW, 6), "vẫn đông")
    second = answer(change.case, judged, again, NOW)
    assert second.case.tasks["birth"].due_at == until, "one extension is the limit"
    assert second.rule == "extensions_used"


def test_more_time_past_the_promise_apologises_and_leaves_time_for_the_steps_to_come() -> None:
    judged = setting(*BIRTH)
    case = opened(judged).case
    until = CALENDAR.add_days(NOW, 22)
    change = granted_by_head(answer(case, judged, more_time(case, until), NOW), judged)
    (fact,) = change.only(DossierExtended)
    assert fact.promised_at == case.promised_at, "the first promise is kept"
    assert fact.due_at == CALENDAR.add_days(until, 4)
    assert (fact.number, fact.agency.code) == (1, "birth")
    assert change.case.due_at == fact.due_at


def test_an_earlier_deadline_is_no_extension() -> None:
    judged = setting(*BIRTH)
    case = opened(judged).case
    early = more_time(case, CALENDAR.add_days(NOW, 1))
    assert answer(case, judged, early, NOW).rule == "until_too_early"


def test_a_procedure_whose_steps_go_round_in_a_circle_is_refused() -> None:
    with pytest.raises(BrokenCatalogue):
        route(Plan("1.000001", 1, "Vòng", (step("a", "b"), step("b", "a"))), ())


def test_a_deadline_in_a_year_without_a_calendar_is_not_given() -> None:
    judged = setting(*BIRTH)
    case = opened(judged).case
    change = answer(case, judged, more_time(case, later(days=365 * 20)), NOW)
    assert change.rule == "no_calendar"
    assert change.case.tasks["birth"].due_at == case.tasks["birth"].due_at
