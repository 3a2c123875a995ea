"""Fork, join, failure, payment and the end of a journey."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.routing.domain import facts as f
from services.routing.domain import words
from services.routing.domain.answers import (
    Completed,
    MoreTimeNeeded,
    Refused,
    SupplementNeeded,
    apply_answer,
)
from services.routing.domain.case import Case, Setting, fates
from services.routing.domain.journey import withdraw
from services.routing.domain.move import Change
from services.routing.domain.plan import Plan, route
from services.routing.domain.standstill import dated, paid
from shared.kernel.errors import BrokenCatalogue
from tests.routing.worlds import (
    BIRTH,
    CALENDAR,
    LAND,
    NOW,
    OFFICE,
    later,
    opened,
    setting,
    step,
    task_of,
)


def grant(case: Case, judged: Setting, code: str, **fields: object) -> Change:
    answer = Completed(task_of(case, code), "granted", **fields)  # type: ignore[arg-type]
    return apply_answer(case, answer, judged, later(hours=3))


def refuse(case: Case, judged: Setting, code: str) -> Change:
    return apply_answer(case, Refused(task_of(case, code), "không đủ"), judged, later(hours=3))


def only(change: Change, kind: type) -> list[object]:
    return [fact for fact in (*change.facts, *change.orders) if isinstance(fact, kind)]


def test_reception_starts_the_dossier_and_hands_over_the_first_step_alone() -> None:
    change = opened(setting(*BIRTH), {"child": "Bé An", "address": "12 Lê Lợi"})
    assert [type(fact) for fact in change.facts] == [f.DossierStarted, f.StepOpened]
    assert set(change.case.tasks) == {"birth"}
    (order,) = change.orders
    assert isinstance(order, f.TaskAssigned)
    assert order.due_at == CALENDAR.add_days(NOW, 2)


def test_an_agency_gets_the_fields_its_step_shares_and_no_others() -> None:
    judged = setting(*BIRTH)
    form = {"child": "Bé An", "mother": "Lê Thị Hoa", "address": "12 Lê Lợi", "phone": "0907123456"}
    case = opened(judged, form).case
    assert "phone" not in case.form
    fork = grant(case, judged, "birth")
    shared = {o.agency: dict(o.form) for o in fork.orders if isinstance(o, f.TaskAssigned)}
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
    (resolved,) = only(end, f.DossierResolved)
    assert isinstance(resolved, f.DossierResolved)
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
    (resolved,) = only(end, f.DossierResolved)
    assert isinstance(resolved, f.DossierResolved)
    outcome = {r.step: (r.outcome, r.reason) for r in resolved.results}
    assert outcome["birth"] == ("granted", None)
    assert outcome["card"] == ("refused", "không đủ")


def test_what_comes_after_a_failed_step_is_never_opened() -> None:
    judged = setting(*BIRTH)
    case = opened(judged).case
    refused = Completed(task_of(case, "birth"), "refused", reason="sai thẩm quyền")
    end = apply_answer(case, refused, judged, later(hours=1))
    assert fates(end.case, judged.route)["card"] == "unreachable"
    assert end.case.state == "resolved", "a decision to refuse is a result"


def test_where_no_agency_would_take_it_the_dossier_is_given_back_with_a_next_step() -> None:
    judged = setting(*BIRTH)
    end = refuse(opened(judged).case, judged, "birth")
    (stopped,) = only(end, f.DossierStopped)
    assert isinstance(stopped, f.DossierStopped)
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
    (fact,) = only(asked, f.PaymentRequested)
    assert isinstance(fact, f.PaymentRequested)
    assert (fact.amount_vnd, fact.agency.code, fact.step) == (1_250_000, "tax", "pay")
    assert asked.case.standing
    assert asked.case.next_at is None
    assert "sign" not in asked.case.tasks
    new_due = asked.case.due_at + timedelta(days=3)
    now = later(days=5)
    went_on = paid(asked.case, judged, now, step="pay", amount_vnd=1_250_000, due_at=new_due)
    assert went_on.case.tasks["sign"].opened_at == now
    assert went_on.case.due_at == new_due
    again = paid(went_on.case, judged, now, step="pay", amount_vnd=1, due_at=new_due)
    assert not again.changed
    assert again.note == words.NO_SUCH_PAYMENT


def test_a_duty_of_nothing_asks_nobody() -> None:
    judged = setting(*LAND)
    case = grant(opened(judged).case, judged, "check").case
    change = grant(case, judged, "tax", amount_vnd=0)
    assert not only(change, f.PaymentRequested)
    assert change.case.tasks["sign"].is_open


def test_steps_after_the_result_follow_it_and_do_not_hold_it_up() -> None:
    judged = setting(step("sign", results=("KQ.4",)), step("cadastre", "sign", after_result=True))
    end = grant(opened(judged).case, judged, "sign")
    assert end.case.state == "resolved"
    assert end.case.tasks["cadastre"].is_open
    kinds = [type(fact) for fact in end.facts]
    assert kinds.index(f.DossierResolved) > kinds.index(f.StepAnswered)
    last = grant(end.case, judged, "cadastre")
    assert not only(last, f.DossierResolved)


def test_time_of_a_step_outside_the_legal_clock_is_not_counted_against_the_dossier() -> None:
    judged = setting(*LAND)
    case = opened(judged).case
    check = Completed(task_of(case, "check"), "granted")
    change = apply_answer(case, check, judged, later(hours=1))
    assert [fact.step.code for fact in only(change, f.ClockStopped)] == ["tax"]
    case = change.case
    assert case.next_at is None, "no dossier deadline runs while the tax office works"
    end = CALENDAR.add_days(later(hours=1), 3)
    tax = Completed(task_of(case, "tax"), "granted", amount_vnd=0)
    change = apply_answer(case, tax, judged, end)
    assert change.facts[-1] == f.ClockResumed(case.dossier, end), "after the payment is asked for"
    assert change.case.due_at == case.due_at, "the date is intake's to compute"


def test_no_deadline_of_the_dossier_rings_until_intake_has_stated_the_new_date() -> None:
    judged = setting(step("check"), step("tax", outside_clock=True), step("sign", "tax"))
    case = opened(judged).case
    tax = Completed(task_of(case, "tax"), "granted")
    case = apply_answer(case, tax, judged, case.due_at).case
    assert case.next_at is None
    new = CALENDAR.add_days(case.due_at, 20)
    case = dated(case, judged, case.due_at, due_at=new, owed=True).case
    assert case.alarms is not None
    assert (case.due_at, case.alarms.due_at, case.dates_owed) == (new, new, 0)
    assert case.next_at is not None


def test_a_step_without_time_of_its_own_follows_the_dossiers_date() -> None:
    judged = setting(step("sign", budget=None))
    case = opened(judged).case
    new = CALENDAR.add_days(case.due_at, 2)
    change = dated(case, judged, later(hours=1), due_at=new, owed=False)
    assert change.case.tasks["sign"].due_at == new
    assert [(o.change, o.due_at) for o in change.orders] == [("due", new)]  # type: ignore[union-attr]


def test_an_agency_that_decides_without_the_papers_frees_the_dossier() -> None:
    judged = setting(step("a"), step("b", "a"))
    case = opened(judged).case
    asked = SupplementNeeded(task_of(case, "a"), ("Sổ",), "thiếu")
    case = apply_answer(case, asked, judged, later(hours=1)).case
    change = grant(case, judged, "a")
    (dropped,) = only(change, f.SupplementDropped)
    assert (dropped.round, dropped.step) == (1, "a")  # type: ignore[union-attr]
    assert change.case.tasks["b"].is_open
    assert not change.case.standing


def test_withdrawing_cancels_what_is_open_and_keeps_what_is_done() -> None:
    judged = setting(*BIRTH)
    case = grant(opened(judged).case, judged, "birth").case
    change = withdraw(case, judged, "đổi ý", later(days=1))
    assert sorted(o.agency for o in change.orders) == ["card", "residence"]
    assert change.case.tasks["birth"].state == "answered"
    late = grant(change.case, judged, "card")
    assert not late.changed
    assert late.note == words.ALREADY_CANCELLED
    assert not withdraw(change.case, judged, "lần nữa", later(days=2)).changed


def test_a_role_that_nobody_holds_comes_to_the_receiving_office_and_says_so() -> None:
    change = opened(setting(step("survey", role="nobody")))
    assert change.case.tasks["survey"].agency == OFFICE.ref
    assigned, note = change.orders
    assert assigned.agency == OFFICE.code
    assert isinstance(note, f.TaskChanged)
    assert note.note == words.NO_AGENCY


def test_a_repeat_changes_nothing_and_says_so() -> None:
    judged = setting(*BIRTH)
    case = grant(opened(judged).case, judged, "birth").case
    again = grant(case, judged, "birth")
    assert again.case is case
    assert (again.changed, again.note) == (False, words.ALREADY_ANSWERED)


def test_an_unknown_result_code_is_sent_back_to_the_agency_and_the_step_stays_open() -> None:
    judged = setting(*BIRTH)
    change = grant(opened(judged).case, judged, "birth", result_code="KQ.999")
    assert change.case.tasks["birth"].is_open
    (order,) = change.orders
    assert isinstance(order, f.TaskChanged)
    assert order.note == words.UNKNOWN_RESULT
    (fact,) = change.facts
    assert isinstance(fact, f.StepAnswered)
    assert fact.outcome is None


def test_a_refusal_without_a_reason_is_not_taken() -> None:
    judged = setting(*BIRTH)
    case = opened(judged).case
    change = apply_answer(case, Completed(task_of(case, "birth"), "refused"), judged, NOW)
    assert change.case.tasks["birth"].is_open
    assert change.note == words.REASON_MISSING


def test_more_time_within_the_promise_moves_the_step_and_nothing_else() -> None:
    judged = setting(*BIRTH)
    case = opened(judged).case
    until = CALENDAR.add_days(NOW, 4)
    change = apply_answer(case, MoreTimeNeeded(task_of(case, "birth"), "đông", until), judged, NOW)
    assert change.case.tasks["birth"].due_at == until
    assert not only(change, f.DossierExtended)
    again = MoreTimeNeeded(task_of(case, "birth"), "vẫn đông", CALENDAR.add_days(NOW, 6))
    second = apply_answer(change.case, again, judged, NOW)
    assert second.case.tasks["birth"].due_at == until, "one extension is the limit"
    assert second.note == words.EXTENSIONS_USED.format(limit=1)


def test_more_time_past_the_promise_apologises_and_leaves_time_for_the_steps_to_come() -> None:
    judged = setting(*BIRTH)
    case = opened(judged).case
    until = CALENDAR.add_days(NOW, 22)
    change = apply_answer(case, MoreTimeNeeded(task_of(case, "birth"), "đông", until), judged, NOW)
    (fact,) = only(change, f.DossierExtended)
    assert isinstance(fact, f.DossierExtended)
    assert fact.promised_at == case.promised_at, "the first promise is kept"
    assert fact.due_at == CALENDAR.add_days(until, 4)
    assert (fact.number, fact.agency.code) == (1, "birth")
    assert change.case.due_at == fact.due_at


def test_an_earlier_deadline_is_no_extension() -> None:
    judged = setting(*BIRTH)
    case = opened(judged).case
    answer = MoreTimeNeeded(task_of(case, "birth"), "đông", CALENDAR.add_days(NOW, 1))
    assert apply_answer(case, answer, judged, NOW).note == words.UNTIL_TOO_EARLY


def test_a_procedure_whose_steps_go_round_in_a_circle_is_refused() -> None:
    with pytest.raises(BrokenCatalogue):
        route(Plan("1.000001", 1, "Vòng", (step("a", "b"), step("b", "a"))), ())


def test_a_deadline_in_a_year_without_a_calendar_is_not_given() -> None:
    judged = setting(*BIRTH)
    case = opened(judged).case
    answer = MoreTimeNeeded(task_of(case, "birth"), "đông", later(days=365 * 20))
    change = apply_answer(case, answer, judged, NOW)
    assert change.note == words.NO_CALENDAR
    assert change.case.tasks["birth"].due_at == case.tasks["birth"].due_at
