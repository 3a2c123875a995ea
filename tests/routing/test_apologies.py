"""A promise that is missed: who is late, when the city apologises by itself, and with which date."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from services.routing.domain import words
from services.routing.domain.answers import apply_answer
from services.routing.domain.apologies import apologised
from services.routing.domain.case import Case, Circumstances, DateRules
from services.routing.domain.deadlines import next_at, time_passed
from services.routing.domain.journey import withdraw
from services.routing.domain.waiting import supplemented
from shared.events.agencies import (
    AnswerCompleted,
    AnswerMoreTimeNeeded,
    AnswerSupplementNeeded,
    TaskChanged,
)
from shared.events.intake import DossierApologised, DossierSupplemented, DossierWithdrawn
from shared.events.parts import Agency
from shared.events.routing import ApologyDue, DeadlineMissed, DossierExtended
from shared.kernel.calendar import Duration
from tests.routing.worlds import (
    CALENDAR,
    DOSSIER,
    Change,
    Roles,
    after,
    at,
    opened,
    setting,
    step,
    task_of,
)

ONE = setting(step("birth", budget=Duration(30, "working_day")))
TWO = setting(step("birth", budget=Duration(20, "working_day")), step("card", "birth"))


def wait(case: Case, judged: Circumstances, now: datetime) -> Change:
    return after(case, time_passed(case, at(judged, now)))


def missed(judged: Circumstances = ONE) -> tuple[Case, datetime]:
    """A case whose promise has just passed, and when."""
    case = opened(judged).case
    change = wait(case, judged, case.due_at)
    assert len(change.only(DeadlineMissed)) >= 1
    return change.case, case.due_at


def promise_of(change: Change) -> DeadlineMissed:
    (told,) = (each for each in change.only(DeadlineMissed) if each.scope == "dossier")
    return told


def apology(case: Case, due_at: datetime, number: int = 1) -> DossierApologised:
    return DossierApologised(
        dossier=DOSSIER,
        agency=Agency(code="birth", name="Cơ quan birth"),
        reason="chậm",
        by="clock",
        promised_at=case.promised_at,
        missed_at=case.due_at,
        due_at=due_at,
        apologised_at=case.due_at,
        number=number,
    )


def test_who_is_late_and_why_is_stated_with_the_date_and_the_agency_is_told():
    case = opened(TWO).case
    change = wait(case, TWO, case.due_at)
    told = promise_of(change)
    assert told.agency == Agency(code="birth", name="Cơ quan birth")
    assert told.cause == words.STEP_NOT_DONE.format(step="Bước birth")
    assert told.apology_at == CALENDAR.add_minutes(case.due_at, 240)
    # Two working days for the late step, two for the one after it.
    assert told.new_due_at == CALENDAR.add_days(case.due_at, 4)
    notes = [each.note or "" for each in change.only(TaskChanged)]
    assert notes == [
        words.STEP_MISSED,
        words.PROMISE_MISSED.format(at=words.minute(told.apology_at)),
    ]


def test_the_city_apologises_once_when_nobody_has_named_a_date():
    case, due_at = missed()
    when = next_at(case)
    assert when == CALENDAR.add_minutes(due_at, 240)
    assert not wait(case, ONE, when - timedelta(seconds=1)).changed
    change = wait(case, ONE, when)
    (told,) = change.only(ApologyDue)
    own = opened(ONE).case.tasks["birth"].due_at
    assert (told.missed_at, told.due_at) == (due_at, own)  # the step has a later date of its own
    assert next_at(change.case) == own - timedelta(
        hours=24
    )  # the step's own warning, no second one
    assert not wait(change.case, ONE, when + timedelta(hours=1)).only(ApologyDue)


def test_the_date_is_by_the_citys_rule_where_the_step_has_none_later():
    case, _ = missed(TWO)
    when = next_at(case)
    (told,) = wait(case, TWO, when).only(ApologyDue)
    assert told.due_at == CALENDAR.add_days(when, 4)


def test_what_fell_due_while_nothing_ran_is_told_once_at_the_start():
    case = opened(TWO).case
    much_later = case.due_at + timedelta(days=9)
    change = wait(case, TWO, much_later)
    assert promise_of(change).due_at == case.due_at
    (told,) = change.only(ApologyDue)
    assert told.due_at == CALENDAR.add_days(much_later, 4)
    assert not wait(change.case, TWO, much_later).changed


def test_an_agency_that_names_a_date_after_its_own_has_passed_has_apologised():
    case, due_at = missed(TWO)
    until = CALENDAR.add_days(due_at, 3)
    wish = AnswerMoreTimeNeeded(task=task_of(case, "birth"), reason="xác minh", until=until)
    change = after(case, apply_answer(case, wish, at(TWO, due_at + timedelta(minutes=5))))
    (told,) = change.only(DossierExtended)
    assert told.promised_at == case.promised_at
    assert change.case.alarms is not None
    assert change.case.alarms.apology_at is None
    assert next_at(change.case) > due_at + timedelta(hours=20)


def test_nobody_apologises_for_what_is_done_withdrawn_or_waits_for_the_citizen():
    case, due_at = missed()
    soon, when = due_at + timedelta(minutes=5), CALENDAR.add_minutes(due_at, 240)
    done = AnswerCompleted(task=task_of(case, "birth"), outcome="granted")
    back = DossierWithdrawn(dossier=DOSSIER, reason="thôi", withdrawn_at=soon)
    asked = AnswerSupplementNeeded(task=task_of(case, "birth"), items=("giấy",), reason="thiếu")
    for change in (
        after(case, apply_answer(case, done, at(ONE, soon))),
        after(case, withdraw(case, back, at(ONE, soon))),
        after(case, apply_answer(case, asked, at(ONE, soon))),
    ):
        assert not wait(change.case, ONE, when).only(ApologyDue)


def test_a_promise_that_was_missed_before_the_clock_stopped_is_apologised_for_when_it_goes_on():
    case, due_at = missed()
    soon = due_at + timedelta(minutes=5)
    asked = AnswerSupplementNeeded(task=task_of(case, "birth"), items=("giấy",), reason="thiếu")
    case = after(case, apply_answer(case, asked, at(ONE, soon))).case
    later = due_at + timedelta(days=6)
    brought = DossierSupplemented(
        dossier=DOSSIER, round=1, papers=(), form={}, supplemented_at=later,
        promised_at=case.promised_at, due_at=due_at,
    )  # fmt: skip
    case = after(case, supplemented(case, brought, at(ONE, later))).case
    assert next_at(case) <= later
    assert len(wait(case, ONE, later).only(ApologyDue)) == 1


def test_the_new_date_is_watched_like_the_first_and_missed_again_apologised_for_again():
    case, due_at = missed(TWO)
    when = next_at(case)
    change = wait(case, TWO, when)
    (told,) = change.only(ApologyDue)
    change = after(change.case, apologised(change.case, apology(case, told.due_at), at(TWO, when)))
    assert change.case.due_at == told.due_at
    assert change.case.promised_at == due_at
    assert change.case.extensions == 1
    assert [each.note for each in change.only(TaskChanged)] == [
        words.APOLOGISED.format(at=words.minute(told.due_at))
    ]
    again = wait(change.case, TWO, told.due_at)
    assert promise_of(again).due_at == told.due_at
    assert len(wait(again.case, TWO, next_at(again.case)).only(ApologyDue)) == 1


def test_a_step_without_time_of_its_own_gets_the_new_date_too():
    judged = setting(step("birth", budget=None))
    case, due_at = missed(judged)
    new = CALENDAR.add_days(due_at, 5)
    change = after(case, apologised(case, apology(case, new), at(judged, due_at)))
    assert change.case.tasks["birth"].due_at == new


def test_a_city_that_lays_nothing_down_apologises_for_nothing_by_itself():
    class Silent(Roles):
        def dates(self) -> DateRules:
            return DateRules()

    judged = replace(ONE, directory=Silent())
    case, _ = missed(judged)
    assert case.alarms is not None
    assert case.alarms.apology_at is None


def test_who_holds_an_open_step_longest_is_named():
    judged = setting(step("slow", budget=Duration(25, "working_day")), step("quick"))
    case = opened(judged).case
    change = wait(case, judged, case.due_at)
    assert promise_of(change).agency == Agency(code="quick", name="Cơ quan quick")
