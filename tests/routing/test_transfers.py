"""A step handed on: by the rules, by what its agency names, by the head; and what goes on meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.routing.domain import words
from services.routing.domain.answers import apply_answer
from services.routing.domain.case import Case, Circumstances
from services.routing.domain.correcting import corrected
from services.routing.domain.deadlines import lapsed, time_passed
from services.routing.domain.extensions import granted
from services.routing.domain.journey import withdraw
from services.routing.domain.refusals import Refusal
from services.routing.domain.transfers import place
from services.routing.domain.waiting import supplemented
from shared.events.agencies import (
    AnswerCompleted,
    AnswerMoreTimeNeeded,
    AnswerNotOurs,
    AnswerSupplementNeeded,
    AnswerTaken,
    TaskAssigned,
    TaskCancelled,
    TaskChanged,
)
from shared.events.intake import (
    DossierCorrected,
    DossierSupplemented,
    DossierWithdrawn,
    ExtensionGranted,
    SupplementLapsed,
)
from shared.events.routing import (
    ClockStopped,
    DeadlineMissed,
    DossierResolved,
    DossierStopped,
    ExtensionDropped,
    StepOpened,
    StepTransferred,
)
from tests.routing.worlds import (
    CALENDAR,
    DOSSIER,
    NOW,
    OFFICE,
    Change,
    after,
    at,
    opened,
    setting,
    step,
    task_of,
)

JUDGED = setting(step("birth", shares=("child",)), step("card", "birth"))
FORM = {"child": "Bé An", "mother": "Lê Thị Hoa"}
DUE = CALENDAR.add_days(NOW, 2)
SOON = NOW + timedelta(hours=1)


def no(
    case: Case,
    agency: str | None = None,
    now: datetime = SOON,
    judged: Circumstances = JUDGED,
    of: str = "birth",
) -> Change:
    said = AnswerNotOurs(task=task_of(case, of), reason="khác địa bàn", agency=agency)
    return after(case, apply_answer(case, said, at(judged, now)))


def listed(now: datetime = SOON, judged: Circumstances = JUDGED) -> Case:
    """A case whose first step waits on the coordination list."""
    change = no(opened(judged, FORM).case, now=now, judged=judged)
    assert change.case.tasks["birth"].kind == "placing"
    return change.case


def decide(case: Case, agency: str = "birth-2", now: datetime = SOON, word: str = "nhờ") -> Change:
    return after(case, place(case, task_of(case, "birth"), agency, word, at(JUDGED, now)))


def test_it_goes_to_the_agency_that_is_named_where_that_has_this_work():
    case = opened(JUDGED, FORM).case
    old = task_of(case, "birth")
    change = no(case, "birth-2")
    new = change.case.tasks["birth"]
    assert (new.agency.code, new.state, new.number) == ("birth-2", "assigned", 2)
    assert new.due_at == DUE, "the time runs on"
    (told,) = change.only(StepTransferred)
    assert (told.task, told.agency.code, told.reason) == (old, "birth", "khác địa bàn")
    assert told.to is not None
    assert (told.to.code, told.next_task, told.late) == ("birth-2", new.id, False)
    (given,) = change.only(TaskAssigned)
    assert (given.task, given.agency, given.form) == (new.id, "birth-2", {"child": "Bé An"})
    (gone,) = change.only(TaskCancelled)
    assert (gone.task, gone.agency) == (old, "birth")
    assert gone.reason == change.note == words.HANDED_ON.format(agency="Cơ quan birth-2")
    (why,) = change.only(TaskChanged)
    assert (why.task, why.note) == (
        new.id,
        words.HANDED_ON_BY.format(agency="Cơ quan birth", reason="khác địa bàn"),
    )
    assert [each.task for each in change.only(StepOpened)] == [new.id]


def test_whoever_is_named_without_this_work_is_passed_over_and_the_rules_name_another():
    judged = setting(step("twin"))
    first = no(opened(judged).case, "tax", judged=judged, of="twin")
    (told,) = first.only(StepTransferred)
    assert (told.named and told.named.code, told.to and told.to.code) == ("tax", "twin-deputy")
    second = no(first.case, "tax", judged=judged, of="twin")
    (told,) = second.only(StepTransferred)
    assert (told.named and told.named.code, told.to) == ("tax", None), "nobody is left"


def test_nobody_is_asked_twice_but_by_the_head():
    case = no(opened(JUDGED).case, "birth-2").case
    assert no(case, "birth").case.tasks["birth"].kind == "placing"
    elsewhere = decide(listed(), "tax").case
    assert no(elsewhere, "birth").case.tasks["birth"].kind == "placing"


def test_after_three_agencies_the_head_decides_whomever_the_fourth_names():
    case = opened(JUDGED).case
    for name in ("birth-2", "birth-3", "birth-4"):
        case = no(case, name).case
        assert case.tasks["birth"].agency.code == name
    assert no(case, "birth-5").case.tasks["birth"].kind == "placing"
    again = decide(no(case, "birth-5").case, "birth-5").case
    assert no(again, "birth-6").case.tasks["birth"].kind == "placing", "from then on always"


@pytest.mark.parametrize(
    ("agency", "rule"), [("no-such", "agency_unknown"), ("birth", "agency_is_sender")]
)
def test_a_slip_in_the_agency_is_refused_at_its_place(agency: str, rule: str):
    change = no(opened(JUDGED).case, agency)
    assert change.rule == rule
    assert change.refusal is not None
    assert change.refusal.place == "agency"


def test_on_the_list_its_office_has_it_and_no_agency_is_told_anything():
    change = no(opened(JUDGED).case)
    task = change.case.tasks["birth"]
    assert (task.kind, task.agency.code, task.due_at) == ("placing", OFFICE.code, DUE)
    assert not change.only(TaskAssigned)
    assert not change.only(TaskChanged)
    assert change.note == words.TO_BE_PLACED
    assert [each.agency.code for each in change.only(StepOpened)] == [OFFICE.code]
    taken = AnswerTaken(task=task.id)
    assert after(change.case, apply_answer(change.case, taken, JUDGED)).rule == "unknown_task"


def test_the_head_places_it_anywhere_with_a_word_also_back_to_who_said_no():
    case = listed()
    for agency in ("birth", "tax", "birth-2"):
        change = decide(case, agency, word="đúng việc của cơ quan")
        task = change.case.tasks["birth"]
        assert (task.kind, task.agency.code, task.due_at) == ("task", agency, DUE)
        (note,) = change.only(TaskChanged)
        assert note.note == words.PLACED.format(word="đúng việc của cơ quan")
        (told,) = change.only(StepTransferred)
        assert (told.agency.code, told.to and told.to.code) == (OFFICE.code, agency)
        assert change.only(TaskAssigned)[0].form == {"child": "Bé An"}


def test_the_heads_decision_twice_is_harmless_and_another_one_comes_too_late():
    case = listed()
    entry = task_of(case, "birth")
    placed = decide(case).case

    def again(agency: str, case: Case = placed) -> Any:
        return place(case, entry, agency, "nhờ", at(JUDGED, SOON))

    same = again("birth-2")
    assert not isinstance(same, Refusal)
    assert same.state is None
    assert again("tax").rule == "already_placed"
    assert again("no-such", case).rule == "agency_unknown"
    assert place(case, "khong-co", "tax", "x", JUDGED).rule == "unknown_task"  # type: ignore[union-attr]
    assert place(placed, task_of(placed, "birth"), "tax", "x", JUDGED).rule == "unknown_task"  # type: ignore[union-attr]


def test_an_answer_to_the_old_task_comes_too_late_whatever_it_says():
    case = opened(JUDGED).case
    old = task_of(case, "birth")
    gone = no(case, "birth-2").case
    for answer in (
        AnswerTaken(task=old),
        AnswerCompleted(task=old, outcome="granted"),
        AnswerNotOurs(task=old, reason="x"),
        AnswerMoreTimeNeeded(task=old, reason="x", until=DUE + timedelta(days=3)),
    ):
        assert after(gone, apply_answer(gone, answer, at(JUDGED, SOON))).rule == (
            "already_transferred"
        )


def test_a_wish_for_more_time_falls_and_the_next_agency_may_ask_anew():
    case = opened(JUDGED).case
    until = CALENDAR.add_days(NOW, 4)
    old = task_of(case, "birth")
    wish = AnswerMoreTimeNeeded(task=old, reason="đông", until=until)
    asked = after(case, apply_answer(case, wish, at(JUDGED, NOW))).case
    change = no(asked, "birth-2")
    assert [each.task for each in change.only(ExtensionDropped)] == [old]
    verdict = ExtensionGranted(
        dossier=DOSSIER, task=old, until=until, reason="đông", granted_at=SOON
    )
    assert not after(change.case, granted(change.case, verdict, at(JUDGED, SOON))).changed
    own = AnswerMoreTimeNeeded(task=task_of(change.case, "birth"), reason="đông", until=until)
    assert after(change.case, apply_answer(change.case, own, at(JUDGED, SOON))).rule is None


def test_the_papers_that_were_asked_for_stay_with_the_step_and_the_clock_stands():
    case = opened(JUDGED).case
    ask = AnswerSupplementNeeded(task=task_of(case, "birth"), items=("ảnh",), reason="thiếu")
    waiting = after(case, apply_answer(case, ask, at(JUDGED, SOON))).case
    change = no(waiting, "birth-2", now=SOON + timedelta(hours=1))
    (given,) = change.only(TaskAssigned)
    assert given.due_at is None
    assert [each.change for each in change.only(TaskChanged)] == ["paused"]
    brought = DossierSupplemented(
        dossier=DOSSIER, round=1, papers=(), form={}, supplemented_at=SOON + timedelta(hours=4)
    )
    back = after(
        change.case, supplemented(change.case, brought, at(JUDGED, SOON + timedelta(hours=4)))
    )
    task = back.case.tasks["birth"]
    assert (task.state, task.agency.code) == ("assigned", "birth-2")
    stood = CALENDAR.minutes_between(SOON, SOON + timedelta(hours=4))
    assert task.due_at == CALENDAR.add_minutes(DUE, stood), "paused once, as ever"
    assert [each.change for each in back.only(TaskChanged)] == ["supplemented"]


def test_papers_that_never_come_end_the_branch_also_on_the_list():
    judged = setting(step("birth", shares=("child",)))
    case = opened(judged).case
    ask = AnswerSupplementNeeded(task=task_of(case, "birth"), items=("ảnh",), reason="thiếu")
    waiting = after(case, apply_answer(case, ask, at(judged, SOON))).case
    on_list = no(waiting, judged=judged).case
    lapse = SupplementLapsed(
        dossier=DOSSIER,
        round=1,
        step="birth",
        reason="không bổ sung",
        promised_at=on_list.promised_at,
        due_at=on_list.due_at,
        lapsed_at=SOON + timedelta(days=3),
    )
    change = after(on_list, lapsed(on_list, lapse, at(judged, SOON + timedelta(days=3))))
    assert change.case.state == "stopped"
    assert not change.orders, "no agency has it"


def test_a_correction_reaches_the_next_agency_and_not_the_one_before():
    case = listed()
    mended = DossierCorrected(
        dossier=DOSSIER,
        number=1,
        mended=1,
        form={"child": "Bé Anh"},
        form_after={**FORM, "child": "Bé Anh"},
        corrected_at=SOON,
    )
    change = after(case, corrected(case, mended, at(JUDGED, SOON)))
    assert not change.orders
    assert decide(change.case).only(TaskAssigned)[0].form == {"child": "Bé Anh"}


def test_withdrawn_while_it_waits_it_is_off_the_list():
    case = listed()
    back = DossierWithdrawn(dossier=DOSSIER, reason="thôi", withdrawn_at=SOON)
    change = after(case, withdraw(case, back, at(JUDGED, SOON)))
    assert change.case.tasks["birth"].state == "cancelled"
    assert not change.orders
    assert decide(change.case).rule == "already_placed"


def test_its_dates_are_rung_on_the_list_too_and_the_office_is_at_fault():
    judged = setting(step("birth", budget=None))
    case = no(opened(judged).case, judged=judged).case
    when = case.due_at + timedelta(minutes=1)
    change = after(case, time_passed(case, at(judged, when)))
    of_step, of_dossier = change.only(DeadlineMissed)
    assert (of_step.scope, of_step.agency and of_step.agency.code) == ("step", OFFICE.code)
    assert of_dossier.agency is not None
    assert of_dossier.agency.code == OFFICE.code
    assert of_dossier.cause == words.NOT_PLACED.format(step="Bước birth")
    assert not change.orders
    late = decide(change.case, now=when)
    assert late.only(StepTransferred)[0].late
    again = after(late.case, time_passed(late.case, at(judged, when + timedelta(minutes=1))))
    assert not [each for each in again.only(DeadlineMissed) if each.scope == "step"], "once"


def test_nobodys_silence_is_consent_while_it_waits_for_the_head():
    judged = setting(step("birth", consent_by_silence=True))
    case = no(opened(judged).case, judged=judged).case
    change = after(case, time_passed(case, at(judged, DUE)))
    (missed,) = change.only(DeadlineMissed)
    assert missed.consent is None
    asked = setting(step("birth", consent_by_silence=True))
    other = no(opened(asked).case, "birth-2", judged=asked).case
    assert after(other, time_passed(other, at(asked, DUE))).only(DeadlineMissed)[0].consent


def test_a_step_outside_the_legal_time_stays_outside_it():
    judged = setting(step("tax", pauses_clock=True), step("sign", "tax"))
    case = opened(judged).case
    change = no(case, judged=judged, of="tax")
    assert change.case.clock_stopped_at == case.clock_stopped_at
    assert not change.only(ClockStopped)


def test_the_dossier_ends_as_ever_when_the_next_agency_has_answered():
    case = no(opened(JUDGED).case, "birth-2").case
    for code in ("birth", "card"):
        done = AnswerCompleted(task=task_of(case, code), outcome="granted")
        change = after(case, apply_answer(case, done, at(JUDGED, SOON)))
        case = change.case
    assert case.state == "resolved"
    assert len(change.only(DossierResolved)) == 1
    assert not change.only(DossierStopped)
