"""What a step can say beside its order: sent back, verified, waited for, and where it lies."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain.answers import apply_answer
from services.routing.domain.case import Case, Circumstances, step_states
from services.routing.domain.deadlines import next_at, time_passed
from services.routing.domain.plan import route
from services.routing.domain.waiting import desk_asked, moved, supplemented
from shared.catalogue.step import Back, Choice, Verification
from shared.events.agencies import (
    AnswerCompleted,
    AnswerMoreTimeNeeded,
    AnswerNotOurs,
    AnswerSentBack,
    AnswerSupplementNeeded,
    AnswerTaken,
    AnswerVerificationNeeded,
    TaskAssigned,
    TaskCancelled,
    TaskChanged,
)
from shared.events.intake import (
    DossierBranched,
    DossierSupplemented,
    DossierVerifying,
    SupplementRequested,
)
from shared.events.parts import Agency
from shared.events.routing import (
    BranchChosen,
    ClockResumed,
    ClockStopped,
    DeadlineMissed,
    DossierResolved,
    ExtensionDropped,
    StepAnswered,
    StepOpened,
    StepSentBack,
    VerificationOpened,
)
from shared.kernel.calendar import Duration
from tests.routing.worlds import (
    CALENDAR,
    DOSSIER,
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

# A list, then side by side papers and a meeting that may send back, then the decision.
LOOP = setting(
    step("list"),
    step("papers", "list"),
    step("meeting", "list", back=Back("list", 2)),
    step("decide", "papers", "meeting"),
)
VERIFIED = setting(
    step("check", verification=Verification(Duration(5, "working_day"), 1)), step("sign", "check")
)
POSTED = setting(
    step("check"), step("post", "check", kind="wait", budget=Duration(9, "working_day")),
    step("sign", "post"),
)  # fmt: skip


def granted(case: Case, code: str, judged: Any = LOOP) -> Change:
    answer = AnswerCompleted(task=task_of(case, code), outcome="granted")
    return after(case, apply_answer(case, answer, judged))


def sent_back(case: Case, judged: Any = LOOP) -> Change:
    answer = AnswerSentBack(task=task_of(case, "meeting"), reason="dưới một nửa")
    return after(case, apply_answer(case, answer, judged))


def verified(case: Case, judged: Any = VERIFIED) -> Change:
    answer = AnswerVerificationNeeded(task=task_of(case, "check"), reason="sổ gốc")
    return after(case, apply_answer(case, answer, judged))


def brought(case: Case, now: datetime) -> DossierSupplemented:
    return DossierSupplemented(
        dossier=DOSSIER,
        round=case.rounds,
        papers=(),
        form={},
        supplemented_at=now,
        due_at=case.due_at,
    )


def asked(now: datetime, number: int = 1) -> SupplementRequested:
    return SupplementRequested(
        dossier=DOSSIER,
        round=number,
        agency=Agency(code=OFFICE.code, name=OFFICE.name),
        items=("giấy",),
        reason="thiếu",
        requested_at=now,
    )


# --- sent back ----------------------------------------------------------------------------------


def test_what_was_sent_back_is_done_again_with_what_stands_beside_it():
    case = granted(opened(LOOP).case, "list").case
    old = dict(case.tasks)
    change = sent_back(case)
    case = change.case
    (fact,) = change.only(StepSentBack)
    assert (fact.step.code, fact.to.code, fact.number) == ("meeting", "list", 1)
    assert set(fact.undone) == {t.id for t in old.values()}
    assert [each.task for each in change.only(TaskCancelled)] == [old["papers"].id]
    assert [each.step.code for each in change.only(StepOpened)] == ["list"]
    (told,) = change.only(TaskChanged)
    assert "dưới một nửa" in (told.note or "")
    assert set(case.tasks) == {"list"}
    assert case.tasks["list"].number == 2
    assert case.due_at == opened(LOOP).case.due_at, "the promise stays"
    case = granted(case, "list").case
    assert {t.number for t in case.tasks.values()} == {2}
    for code in ("papers", "meeting", "decide"):
        change = granted(case, code)
        case = change.case
    assert change.only(DossierResolved)


def test_a_loop_has_its_bound_and_the_task_says_how_much_is_left():
    change = granted(opened(LOOP).case, "list")
    for _ in range(2):
        given = {each.step.code: each for each in change.only(TaskAssigned)}
        assert given["meeting"].may == ("sent_back",)
        assert given["papers"].may is None
        change = granted(sent_back(change.case).case, "list")
    given = {each.step.code: each for each in change.only(TaskAssigned)}
    assert given["meeting"].may is None
    assert sent_back(change.case).rule == "sent_back_before"


def test_nobody_else_sends_back_and_nobody_while_the_citizen_must_act():
    case = granted(opened(LOOP).case, "list").case
    answer = AnswerSentBack(task=task_of(case, "papers"), reason="r")
    assert after(case, apply_answer(case, answer, LOOP)).rule == "no_way_back"
    waiting = after(case, desk_asked(case, asked(NOW), LOOP)).case
    assert sent_back(waiting).rule == "citizen_first"
    assert sent_back(
        after(waiting, supplemented(waiting, brought(waiting, NOW), LOOP)).case
    ).changed


def test_an_answer_to_what_counts_no_more_changes_nothing():
    case = granted(opened(LOOP).case, "list").case
    old = dict(case.tasks)
    case = sent_back(case).case
    for task, rule in ((old["list"], "already_answered"), (old["papers"], "already_cancelled"),
                       (old["meeting"], "already_answered")):  # fmt: skip
        for answer in (AnswerTaken(task=task.id), AnswerCompleted(task=task.id, outcome="granted")):
            assert after(case, apply_answer(case, answer, LOOP)).rule == rule


def test_who_did_the_step_gets_it_again_and_a_wish_for_more_time_falls():
    case = opened(LOOP).case
    hand_on = AnswerNotOurs(task=task_of(case, "list"), reason="r", agency="list-2")
    case = after(case, apply_answer(case, hand_on, LOOP)).case
    case = granted(case, "list").case
    wish = AnswerMoreTimeNeeded(task=task_of(case, "papers"), reason="r", until=later(days=9))
    case = after(case, apply_answer(case, wish, LOOP)).case
    change = sent_back(case)
    assert change.only(ExtensionDropped)
    assert change.case.tasks["list"].agency.code == "list-2"


# --- verified -----------------------------------------------------------------------------------


def test_a_verification_moves_the_step_by_its_time_and_asks_intake_for_the_date():
    before = opened(VERIFIED)
    assert before.only(TaskAssigned)[0].may == ("verification_needed",)
    change = verified(before.case)
    (fact,) = change.only(VerificationOpened)
    step_due = before.case.tasks["check"].due_at
    assert step_due is not None
    assert fact.due_at == change.case.tasks["check"].due_at == _days_later(step_due, 5)
    assert (change.case.dates_awaited, change.case.extensions) == (1, 0)
    assert change.case.next_at is None, "its own date is intake's to state first"
    stated = DossierVerifying(
        dossier=DOSSIER,
        agency=fact.agency,
        step=fact.step,
        reason=fact.reason,
        promised_at=change.case.promised_at,
        due_before=change.case.due_at,
        due_at=_days_later(change.case.due_at, 5),
        stated_at=NOW,
    )
    case = after(change.case, moved(change.case, stated, VERIFIED)).case
    assert (case.due_at, case.dates_awaited) == (stated.due_at, 0)
    assert case.promised_at == before.case.promised_at
    late = at(VERIFIED, fact.due_at - timedelta(minutes=1))
    assert not after(case, time_passed(case, late)).only(DeadlineMissed)


def _days_later(start: datetime, days: int) -> datetime:
    """Slow and obviously right: the same clock time so many days on that anybody works."""
    found = start
    while days:
        found += timedelta(days=1)
        days -= bool(
            CALENDAR.minutes_between(found - timedelta(hours=12), found + timedelta(hours=12))
        )
    return found


@pytest.mark.parametrize(
    ("rule", "at_fault"),
    [("verified_before", "twice"), ("verify_too_late", "late"), ("citizen_first", "waiting")],
)
def test_no_second_verification_none_after_the_date_none_while_the_citizen_must_act(rule, at_fault):
    case, judged = opened(VERIFIED).case, VERIFIED
    if at_fault == "twice":
        case = verified(case).case
    elif at_fault == "late":
        judged = at(VERIFIED, later(days=5))
    else:
        ask = AnswerSupplementNeeded(task=task_of(case, "check"), items=("g",), reason="r")
        case = after(case, apply_answer(case, ask, VERIFIED)).case
    assert verified(case, judged).rule == rule


def test_a_step_without_such_time_in_the_law_cannot_be_verified():
    case = granted(opened(VERIFIED).case, "check", VERIFIED).case
    answer = AnswerVerificationNeeded(task=task_of(case, "sign"), reason="r")
    assert after(case, apply_answer(case, answer, VERIFIED)).rule == "no_verification"


# --- waited for ---------------------------------------------------------------------------------


def test_a_waiting_period_is_nobodys_task_and_passes_by_itself():
    change = granted(opened(POSTED).case, "check", POSTED)
    assert not change.only(TaskAssigned)
    (told,) = change.only(StepOpened)
    case = change.case
    until = case.tasks["post"].due_at
    assert told.due_at == until == next_at(case)
    assert until is not None
    answer = AnswerTaken(task=task_of(case, "post"))
    assert after(case, apply_answer(case, answer, POSTED)).rule == "unknown_task"
    assert not after(case, time_passed(case, at(POSTED, until - timedelta(minutes=1)))).changed
    change = after(case, time_passed(case, at(POSTED, until)))
    assert not change.only(DeadlineMissed)
    (over,) = change.only(StepAnswered)
    assert (over.answer, over.outcome, over.late) == ("elapsed", None, False)
    assert [each.step.code for each in change.only(TaskAssigned)] == ["sign"]
    assert step_states(change.case, POSTED.route)["post"] == "done"


def test_a_waiting_period_outside_the_legal_time_stops_the_clock():
    judged = setting(
        step("check"),
        step("post", "check", kind="wait", budget=Duration(15, "day"), pauses_clock=True),
        step("sign", "post"),
    )
    change = granted(opened(judged).case, "check", judged)
    assert change.only(ClockStopped)
    case = change.case
    until = case.tasks["post"].due_at
    assert until is not None
    assert after(case, time_passed(case, at(judged, until))).only(ClockResumed)


def test_a_promise_that_is_missed_during_a_wait_is_no_agencys_fault():
    case = granted(opened(POSTED).case, "check", POSTED).case
    long = at(POSTED, case.due_at + timedelta(days=40))
    soon = setting(step("post", kind="wait", budget=Duration(60, "working_day")), step("s", "post"))
    case = opened(soon).case
    change = after(case, time_passed(case, at(soon, long.now)))
    missed = [each for each in change.only(DeadlineMissed) if each.scope == "dossier"]
    assert [each.agency.code for each in missed if each.agency] == [OFFICE.code]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 2000), st.integers(1, 6000)), max_size=4))
def test_paused_time_is_never_counted_as_waited(pauses: list[tuple[int, int]]):
    """Against a counter that looks at every minute: the wait ends when it has run its length."""
    judged = setting(
        step("post", kind="wait", budget=Duration(9, "working_day")), step("sign", "post")
    )
    case, now, running = opened(judged).case, NOW, []
    for number, (runs, stands) in enumerate(pauses, 1):
        stop = now + timedelta(minutes=runs)
        until = case.tasks["post"].due_at
        if until is None or stop >= until:
            break
        running.append((now, stop))
        case = after(case, desk_asked(case, asked(stop, number), at(judged, stop))).case
        now = stop + timedelta(minutes=stands)
        case = after(case, supplemented(case, brought(case, now), at(judged, now))).case
    end = case.tasks["post"].due_at
    assert end is not None
    running.append((now, end))
    assert sum(_worked(a, b) for a, b in running) == 9 * 480
    assert after(case, time_passed(case, at(judged, end))).only(TaskAssigned)


def _worked(start: datetime, end: datetime) -> int:
    """The minutes between that somebody works, each looked at for itself."""
    minute, count = timedelta(minutes=1), 0
    while start < end:
        local = start + timedelta(hours=7)
        clock = local.hour * 60 + local.minute
        there = 450 <= clock < 690 or 810 <= clock < 1050
        count += local.weekday() < 5 and local.date() not in CALENDAR.off and there
        start += minute
    return count


# --- chosen -------------------------------------------------------------------------------------

# An officer chooses: from the archive, or measured anew with ten working days more; then it is signed.
CHOSEN = setting(
    step("appraise", chooses=(Choice("archive", "Hồ sơ lưu"),
                              Choice("survey", "Đo đạc", Duration(10, "working_day")))),
    step("extract", "appraise", branch="archive"),
    step("measure", "appraise", branch="survey", budget=None, shares=("plot",)),
    step("sign", "extract", "measure"),
)  # fmt: skip


def chosen(case: Case, branch: str | None, outcome: Any = "granted") -> Change:
    reason = None if outcome == "granted" else "r"
    task = task_of(case, "appraise")
    answer = AnswerCompleted(task=task, outcome=outcome, branch=branch, reason=reason)
    return after(case, apply_answer(case, answer, CHOSEN))


def test_whoever_must_choose_has_it_in_hand_and_nothing_goes_on_without():
    before = opened(CHOSEN, {"plot": "12", "name": "An"})
    (task,) = before.only(TaskAssigned)
    assert [each.code for each in task.branches or ()] == ["archive", "survey"]
    assert dict(before.case.form) == {"plot": "12"}, "what a way that may come shares is kept"
    case = before.case
    for branch, outcome, rule in ((None, "granted", "branch_missing"),
                                  ("archiv", "granted", "unknown_branch"),
                                  ("archive", "refused", "no_branch")):  # fmt: skip
        assert chosen(case, branch, outcome).rule == rule
    missed = after(case, time_passed(case, at(CHOSEN, later(days=3))))
    assert [each.step for each in missed.only(DeadlineMissed)] == ["appraise"], "the clock runs"
    other = granted(chosen(case, "archive").case, "extract", CHOSEN)
    assert other.only(TaskAssigned)[0].branches is None
    odd = AnswerCompleted(task=task_of(other.case, "sign"), outcome="granted", branch="survey")
    assert after(other.case, apply_answer(other.case, odd, CHOSEN)).rule == "no_branch"


def test_the_chosen_branch_has_its_own_steps_and_the_other_none():
    change = chosen(opened(CHOSEN).case, "archive")
    (fact,) = change.only(BranchChosen)
    assert (fact.step.code, fact.branch.code, fact.chosen_at) == ("appraise", "archive", NOW)
    assert [each.step.code for each in change.only(TaskAssigned)] == ["extract"]
    assert change.case.ways == ("archive",)
    assert chosen(change.case, "survey").rule is not None, "it is chosen once"
    judged = laid_out(change.case)
    change = granted(granted(change.case, "extract", judged).case, "sign", judged)
    (end,) = change.only(DossierResolved)
    assert [each.step for each in end.results] == ["sign"]
    assert "measure" not in step_states(change.case, judged.route)


def test_the_date_moves_as_intake_states_it_and_steps_without_their_own_time_follow():
    change = chosen(opened(CHOSEN).case, "survey")
    (fact,) = change.only(BranchChosen)
    assert change.case.dates_awaited == 1
    until = _days_later(change.case.due_at, 10)
    stated = DossierBranched(
        dossier=DOSSIER,
        agency=fact.agency,
        step=fact.step,
        branch=fact.branch,
        promised_at=change.case.promised_at,
        due_before=change.case.due_at,
        due_at=until,
        stated_at=NOW,
    )
    told = after(change.case, moved(change.case, stated, laid_out(change.case)))
    assert (told.case.due_at, told.case.dates_awaited) == (until, 0)
    assert told.case.tasks["measure"].due_at == until
    assert [each.due_at for each in told.only(TaskChanged)] == [until]


def test_a_branch_without_time_of_its_own_leaves_the_date():
    change = chosen(opened(CHOSEN).case, "archive")
    (fact,) = change.only(BranchChosen)
    assert (fact.has_time, change.case.dates_awaited) == (False, 0)
    assert not change.only(TaskChanged)


def laid_out(case: Case) -> Circumstances:
    return replace(CHOSEN, route=route(CHOSEN.route.plan, case.ways))


# --- where it lies ------------------------------------------------------------------------------


def test_the_ward_that_the_form_names_is_competent_and_also_when_it_is_handed_on():
    judged = setting(step("land", place="ward", shares=("ward",)), step("sign", "land"))
    change = opened(judged, {"ward": "Phường 2"})
    assert change.case.tasks["land"].agency.code == "land-Phường 2"
    change = granted(change.case, "land", judged)
    assert change.case.tasks["sign"].agency.code == "sign"
