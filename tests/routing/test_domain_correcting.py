"""What a correction of the desk does on the way: later steps get it, and whoever has it is told."""

from __future__ import annotations

from typing import Any

from services.routing.domain.answers import apply_answer
from services.routing.domain.case import Case
from services.routing.domain.correcting import corrected
from services.routing.domain.journey import withdraw
from services.routing.domain.waiting import supplemented
from services.routing.storage.rows import case_row
from shared.events.agencies import (
    AnswerCompleted,
    AnswerSupplementNeeded,
    TaskAssigned,
    TaskChanged,
)
from shared.events.intake import DossierCorrected, DossierSupplemented, DossierWithdrawn
from shared.events.routing import CorrectionOvertaken
from tests.routing.worlds import (
    BIRTH,
    DOSSIER,
    NOW,
    Change,
    after,
    at,
    later,
    opened,
    setting,
    task_of,
)

JUDGED = setting(*BIRTH)
FORM = {"child": "Lê An", "mother": "Lê Bình", "address": "1 Lê Lợi"}


def fact(
    form: dict[str, Any], whole: dict[str, Any] | None = None, number: int = 1
) -> DossierCorrected:
    kept = {n: v for n, v in {**FORM, **form}.items() if v is not None}
    return DossierCorrected(
        dossier=DOSSIER, number=number, mended=1, form=form,
        form_after=kept if whole is None else whole, corrected_at=later(hours=1),
    )  # fmt: skip


def correct(case: Case, form: dict[str, Any], **more: Any) -> Change:
    return after(case, corrected(case, fact(form, **more), at(JUDGED, later(hours=1))))


def answer(case: Case, step: str, now=NOW) -> Change:
    done = AnswerCompleted(task=task_of(case, step), outcome="granted")
    return after(case, apply_answer(case, done, at(JUDGED, now)))


def test_the_agency_that_has_it_gets_the_fields_that_it_shares_and_no_clock_moves():
    case = opened(JUDGED, FORM).case
    change = correct(case, {"child": "Lê Ân", "address": "2 Lê Lợi"})
    (told,) = change.only(TaskChanged)
    assert (told.task, told.form, told.corrected) == (
        task_of(case, "birth"),
        {"child": "Lê Ân"},
        True,
    )
    assert (told.change, told.due_at) == ("due", case.tasks["birth"].due_at)
    assert change.case.tasks == case.tasks
    assert (change.case.due_at, change.case.alarms) == (case.due_at, case.alarms)
    assert change.only(CorrectionOvertaken) == []


def test_what_no_open_step_shares_is_told_to_nobody_and_kept_for_later_steps():
    case = opened(JUDGED, FORM).case
    change = correct(case, {"address": "2 Lê Lợi"})
    assert change.decision.events == ()
    later_on = answer(change.case, "birth", later(hours=2))
    forms = {each.step.code: dict(each.form) for each in later_on.only(TaskAssigned)}
    assert forms["residence"] == {"child": "Lê An", "address": "2 Lê Lợi"}


def test_an_emptied_field_is_gone_and_told_as_nothing():
    change = correct(opened(JUDGED, FORM).case, {"mother": None})
    assert "mother" not in change.case.form
    assert change.only(TaskChanged)[0].form == {"mother": None}


def test_while_the_citizen_is_awaited_the_task_stays_paused():
    case = opened(JUDGED, FORM).case
    asked = AnswerSupplementNeeded(task=task_of(case, "birth"), items=("x",), reason="y")
    paused = after(case, apply_answer(case, asked, JUDGED)).case
    change = correct(paused, {"child": "Lê Ân"})
    (told,) = change.only(TaskChanged)
    assert (told.change, told.due_at) == ("paused", None)
    assert change.case.tasks["birth"].state == "paused"
    assert change.case.waiting_papers


def test_an_answer_that_came_before_stands_and_its_agency_and_the_desk_are_told():
    case = answer(opened(JUDGED, FORM).case, "birth").case
    change = correct(case, {"child": "Lê Ân"})
    late = {
        each.agency: "sau khi cơ quan đã trả lời" in each.note for each in change.only(TaskChanged)
    }
    assert late == {"birth": True, "residence": False, "card": False}
    (overtaken,) = change.only(CorrectionOvertaken)
    assert (overtaken.agency.code, overtaken.task) == ("birth", task_of(case, "birth"))
    assert change.case.tasks == case.tasks, "no answer is undone"
    assert change.case.form["child"] == "Lê Ân"


def test_who_answered_on_nothing_of_it_was_not_overtaken():
    case = answer(opened(JUDGED, FORM).case, "birth").case
    change = correct(case, {"address": "2 Lê Lợi"})
    assert [each.agency for each in change.only(TaskChanged)] == ["residence"]
    assert change.only(CorrectionOvertaken) == []


def test_after_a_withdrawal_the_form_is_what_intake_holds_and_nobody_is_told():
    case = opened(JUDGED, FORM).case
    gone = DossierWithdrawn(dossier=DOSSIER, reason="đổi ý", withdrawn_at=NOW)
    change = correct(after(case, withdraw(case, gone, JUDGED)).case, {"child": "Lê Ân"})
    assert change.decision.events == ()
    assert change.case.form["child"] == "Lê Ân"


def test_a_form_of_two_corrections_and_a_supplement_between_them_is_the_last():
    case = correct(opened(JUDGED, FORM).case, {"child": "Lê Ân"}).case
    brought = DossierSupplemented(
        dossier=DOSSIER, round=1, papers=(), form={"mother": "Lê B"}, supplemented_at=NOW,
        form_after={**FORM, "child": "Lê Ân", "mother": "Lê B"},
    )  # fmt: skip
    case = after(case, supplemented(case, brought, JUDGED)).case
    whole = {**FORM, "child": "Lê Ẩn", "mother": "Lê B"}
    case = correct(case, {"child": "Lê Ẩn"}, whole=whole, number=2).case
    assert case.form == whole
    assert case.corrected == {"child": later(hours=1)}
    assert case_row(case)["corrected"] == {"child": "2022-03-01T03:00:00Z"}
