"""Offices and agencies were reorganised: what becomes of a case and its tasks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from services.routing.domain import words
from services.routing.domain.answers import apply_answer
from services.routing.domain.case import Case
from services.routing.domain.moving import reorganised
from services.routing.domain.transfers import MOST
from shared.events.agencies import AnswerCompleted, AnswerNotOurs, TaskAssigned, TaskCancelled
from shared.events.intake import DossierMoved
from shared.events.parts import Agency, Office, Successor
from shared.events.routing import StepOpened, StepTransferred
from tests.routing.worlds import NOW, OFFICE, Change, after, at, opened, setting, step, task_of

JUDGED = setting(step("birth"), step("card"), step("end", "birth", "card"))
NEW = Office(code="phuong-moi", name="UBND Phường Mới", territory="29869")
HEIR = Agency(code="birth-moi", name="Cơ quan birth-moi")
SOON = NOW + timedelta(hours=1)


def move(case: Case, *successors: Successor) -> Change:
    event = DossierMoved(
        dossier=case.dossier,
        plan="sap-xep",
        reason="Nghị quyết về sắp xếp",
        from_office=case.office,
        office=NEW,
        successors=successors,
        moved_at=SOON,
    )
    return after(case, reorganised(case, event, at(JUDGED, SOON)))


def test_the_task_goes_to_the_successor_with_its_date_and_the_other_stays():
    case = opened(JUDGED).case
    old, other = case.tasks["birth"], case.tasks["card"]
    change = move(case, Successor(agency="birth", to=HEIR))
    new = change.case.tasks["birth"]
    assert (new.agency, new.due_at, new.number) == (HEIR, old.due_at, 2)
    assert change.case.tasks["card"] is other
    assert (change.case.office, change.case.due_at, change.case.promised_at) == (
        NEW, case.due_at, case.promised_at,
    )  # fmt: skip
    (withdrawn,), (given,) = change.only(TaskCancelled), change.only(TaskAssigned)
    assert (withdrawn.task, withdrawn.agency) == (old.id, "birth")
    assert withdrawn.reason == words.MOVED.format(agency=HEIR.name)
    assert (given.task, given.agency, given.due_at) == (new.id, HEIR.code, old.due_at)
    (told,), (stepped,) = change.only(StepTransferred), change.only(StepOpened)
    assert (told.reorganised, told.agency, told.to, told.next_task) == (
        True, old.agency, HEIR, new.id,
    )  # fmt: skip
    assert stepped.agency == HEIR


def test_the_same_again_moves_nothing():
    change = move(opened(JUDGED).case, Successor(agency="birth", to=HEIR))
    again = move(change.case, Successor(agency="birth", to=HEIR))
    assert (again.case, list(again.decision.events)) == (change.case, [])


def test_without_a_name_the_rules_of_competence_say_who():
    case = opened(JUDGED).case
    gone = replace(case.tasks["card"], agency=Agency(code="no-card", name="Cơ quan cũ"))
    case = replace(case, tasks={**case.tasks, "card": gone})
    change = move(case, Successor(agency="birth"))
    assert change.case.tasks["birth"].agency.code == "birth", "the rules name it again"
    assert change.case.tasks["card"].agency.code == "card", "it is no more, and in no line"


def test_what_waits_for_a_head_waits_for_the_new_one():
    case = opened(setting(step("birth", role="nobody"))).case
    said = AnswerNotOurs(task=task_of(case, "birth"), reason="khác địa bàn", agency=None)
    listed = after(case, apply_answer(case, said, at(setting(step("birth", role="nobody")), SOON)))
    assert listed.case.tasks["birth"].kind == "placing"
    assert listed.case.tasks["birth"].agency.code == OFFICE.code
    change = move(listed.case)
    waiting = change.case.tasks["birth"]
    assert (waiting.kind, waiting.agency.code) == ("placing", NEW.code)
    assert not change.orders, "no agency has it"


def test_nobody_said_no_so_a_later_refusal_is_the_first():
    case = opened(JUDGED).case
    for number in range(MOST):
        here = case.tasks["birth"].agency.code
        to = Agency(code=f"birth-{number}", name=f"Cơ quan {number}")
        case = move(case, Successor(agency=here, to=to)).case
    said = AnswerNotOurs(task=task_of(case, "birth"), reason="khác địa bàn", agency=None)
    change = after(case, apply_answer(case, said, at(JUDGED, SOON)))
    assert change.case.tasks["birth"].kind == "task", "the rules name one: the head need not"


def test_an_answer_that_crossed_the_move_is_told_so():
    case = opened(JUDGED).case
    late = AnswerCompleted(
        task=task_of(case, "birth"), outcome="granted", result_code="KQ.G15.000031"
    )
    change = move(case, Successor(agency="birth", to=HEIR))
    assert after(change.case, apply_answer(change.case, late, at(JUDGED, SOON))).rule is not None
