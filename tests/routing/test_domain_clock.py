"""The clock of a journey: standing, going on, warnings, silence and papers that never come."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.routing.domain import words
from services.routing.domain.answers import apply_answer
from services.routing.domain.case import Case, Circumstances
from services.routing.domain.deadlines import lapsed, next_at, silent, time_passed
from services.routing.domain.journey import withdraw
from services.routing.domain.waiting import desk_asked, supplemented
from shared.events.agencies import (
    Answer,
    AnswerCompleted,
    AnswerSupplementNeeded,
    AnswerTaken,
    TaskCancelled,
)
from shared.events.event import Event
from shared.events.intake import (
    DossierSupplemented,
    DossierWithdrawn,
    SilenceConfirmed,
    SupplementLapsed,
    SupplementRequested,
)
from shared.events.routing import (
    DeadlineMissed,
    DeadlineNear,
    DossierStopped,
    StepAnswered,
    SupplementDropped,
)
from shared.events.types import Plain
from tests.routing.worlds import (
    BIRTH,
    CALENDAR,
    NOW,
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


def grant(case: Case, judged: Circumstances, code: str, now: datetime) -> Change:
    granted = AnswerCompleted(task=task_of(case, code), outcome="granted")
    return answer(case, judged, granted, now)


def wait(case: Case, judged: Circumstances, now: datetime) -> Change:
    return after(case, time_passed(case, at(judged, now)))


NO_PAPERS = "Công dân không bổ sung giấy tờ."


def lapse(case: Case, judged: Circumstances, when: datetime) -> Change:
    """Intake says that the papers of the round that is awaited did not come by then."""
    told = SupplementLapsed(
        dossier=case.dossier,
        round=case.rounds,
        step=next((task.step for task in case.tasks.values() if task.asked), None),
        reason=NO_PAPERS,
        lapsed_at=when,
        promised_at=case.promised_at,
        due_at=case.due_at + timedelta(days=1),
    )
    return after(case, lapsed(case, told, at(judged, when)))


def confirm(case: Case, judged: Circumstances, code: str, due_at: datetime) -> Change:
    """Intake says that nothing had ended the dossier when this step's time was over."""
    told = SilenceConfirmed(
        dossier=case.dossier, task=task_of(case, code), due_at=due_at, confirmed_at=due_at
    )
    return after(case, silent(case, told, at(judged, due_at)))


def forked(judged: Circumstances) -> Case:
    case = opened(judged, {"child": "Bé An", "address": "12 Lê Lợi"}).case
    return grant(case, judged, "birth", NOW).case


def ask(
    case: Case, judged: Circumstances, code: str, now: datetime, respond_by: datetime | None = None
) -> Change:
    needed = AnswerSupplementNeeded(
        task=task_of(case, code), items=("Sổ hộ khẩu",), reason="thiếu giấy", respond_by=respond_by
    )
    return answer(case, judged, needed, now)


def ask_at_the_desk(
    case: Case, judged: Circumstances, round_: int, respond_by: datetime | None, now: datetime
) -> Change:
    asked = SupplementRequested(
        dossier=case.dossier,
        round=round_,
        agency=case.desk,
        items=("Sổ hộ khẩu",),
        reason="thiếu giấy",
        respond_by=respond_by,
        requested_at=now,
    )
    return after(case, desk_asked(case, asked, at(judged, now)))


def bring(case: Case, judged: Circumstances, now: datetime, **form: Plain) -> Change:
    brought = DossierSupplemented(
        dossier=case.dossier,
        round=1,
        papers=(),
        form=form,
        supplemented_at=now,
        promised_at=case.promised_at,
        due_at=case.due_at,
    )
    return after(case, supplemented(case, brought, at(judged, now)))


def test_asking_for_papers_stops_the_clock_of_every_open_task() -> None:
    judged = setting(*BIRTH)
    change = ask(forked(judged), judged, "card", later(hours=1))
    assert {t.step: t.state for t in change.case.tasks.values() if t.is_open} == {
        "residence": "paused",
        "card": "paused",
    }
    assert sorted((o.agency, o.change, o.due_at) for o in change.orders) == [
        ("card", "paused", None),
        ("residence", "paused", None),
    ]
    (fact,) = change.facts
    assert isinstance(fact, SupplementRequested)
    assert (fact.round, fact.step, fact.items) == (1, "card", ("Sổ hộ khẩu",))
    assert next_at(change.case) is None


def test_what_was_left_of_a_deadline_is_still_left_when_the_clock_goes_on() -> None:
    judged = setting(*BIRTH)
    case = forked(judged)
    before = case.tasks["residence"].due_at
    assert before is not None
    stopped = ask(case, judged, "card", CALENDAR.add_minutes(NOW, 60)).case
    went_on = bring(stopped, judged, CALENDAR.add_minutes(NOW, 60 + 3 * 480), child="Bé Anh")
    moved = went_on.case.tasks["residence"].due_at
    assert moved == CALENDAR.add_days(before, 3)
    kinds = {o.agency: (o.change, dict(o.form)) for o in went_on.orders}
    assert kinds["card"] == ("supplemented", {"child": "Bé Anh"})
    assert kinds["residence"] == ("supplemented", {"child": "Bé Anh"})


def test_the_others_are_told_to_go_on_when_nothing_of_theirs_has_changed() -> None:
    judged = setting(*BIRTH)
    stopped = ask(forked(judged), judged, "card", later(hours=1)).case
    went_on = bring(stopped, judged, later(hours=5))
    assert {o.agency: o.change for o in went_on.orders} == {
        "card": "supplemented",
        "residence": "resumed",
    }


def test_where_the_law_says_so_the_asking_agency_starts_its_time_anew() -> None:
    judged = setting(*BIRTH, restart_after_supplement=True)
    stopped = ask(forked(judged), judged, "card", CALENDAR.add_minutes(NOW, 300)).case
    now = CALENDAR.add_days(NOW, 5)
    case = bring(stopped, judged, now).case
    assert case.tasks["card"].due_at == CALENDAR.add_days(now, 2)
    assert case.tasks["residence"].due_at == CALENDAR.add_minutes(now, 2 * 480 - 300)


def test_a_second_agency_that_wants_papers_waits_its_turn_and_is_asked_for_next() -> None:
    judged = setting(*BIRTH)
    case = ask(forked(judged), judged, "card", later(hours=1)).case
    queued = ask(case, judged, "residence", later(hours=2))
    assert not queued.only(SupplementRequested)
    assert queued.note == words.WAITS_ITS_TURN
    went_on = bring(queued.case, judged, later(hours=4))
    (asked,) = went_on.only(SupplementRequested)
    assert (asked.round, asked.step) == (2, "residence")
    assert went_on.case.waiting_for_citizen


def test_more_rounds_than_the_procedure_allows_are_refused_to_the_agency_and_noted() -> None:
    judged = setting(*BIRTH, max_supplement_rounds=1)
    case = bring(
        ask(forked(judged), judged, "card", later(hours=1)).case, judged, later(hours=2)
    ).case
    again = ask(case, judged, "card", later(hours=3))
    assert not again.case.waiting_for_citizen
    assert again.case.rounds == 1
    assert again.rule == "rounds_used"


def test_work_that_is_done_while_the_clock_stands_counts_and_opens_its_followers_later() -> None:
    judged = setting(step("a"), step("b"), step("c", "b"))
    case = opened(judged).case
    case = ask(case, judged, "a", later(hours=1)).case
    case = grant(case, judged, "b", later(hours=2)).case
    assert case.tasks["b"].outcome == "granted"
    assert "c" not in case.tasks
    case = bring(case, judged, later(hours=3)).case
    assert case.tasks["c"].opened_at == later(hours=3)


def test_the_desk_may_stop_the_clock_too() -> None:
    judged = setting(*BIRTH)
    change = ask_at_the_desk(forked(judged), judged, 2, None, later(hours=1))
    assert change.case.waiting_for_citizen
    assert change.case.rounds == 2
    assert not change.facts, "intake has said it already"
    assert not bring(change.case, judged, later(hours=2)).case.waiting_for_citizen


def test_papers_that_nobody_waits_for_are_passed_on_and_noted() -> None:
    judged = setting(*BIRTH)
    change = bring(forked(judged), judged, later(hours=1), address="34 Nguyễn Huệ")
    assert change.note == words.NOTHING_WAITED
    (order,) = change.orders
    assert order.agency == "residence"
    assert change.case.form["address"] == "34 Nguyễn Huệ"


def test_papers_that_never_come_fail_the_branch_that_asked_and_no_other() -> None:
    judged = setting(*BIRTH)
    case = ask(forked(judged), judged, "card", later(hours=1), later(days=7)).case
    assert not wait(case, judged, later(days=8)).changed, "intake's to say"
    change = lapse(case, judged, later(days=7))
    assert change.case.tasks["card"].reason == NO_PAPERS
    assert change.case.due_at == case.due_at + timedelta(days=1)
    assert change.case.tasks["residence"].state == "assigned"
    assert change.case.tasks["birth"].outcome == "granted"


def test_where_the_dossier_ends_with_the_papers_only_the_end_is_told() -> None:
    judged = setting(step("only"))
    case = ask(opened(judged).case, judged, "only", NOW, later(days=6)).case
    ended = lapse(case, judged, later(days=6))
    assert ended.case.state == "stopped"
    told = {type(fact) for fact in ended.facts}
    assert DossierStopped in told
    assert SupplementDropped not in told
    decided = grant(case, judged, "only", later(hours=1))
    assert decided.case.state == "resolved"
    assert SupplementDropped not in {type(fact) for fact in decided.facts}


def test_papers_the_desk_asked_for_that_never_come_give_the_dossier_back() -> None:
    judged = setting(*BIRTH)
    case = ask_at_the_desk(forked(judged), judged, 1, later(days=7), later(hours=1)).case
    change = lapse(case, judged, later(days=7))
    assert change.case.state == "stopped"
    (stopped,) = change.only(DossierStopped)
    assert stopped.proposed, "which end it is, intake says"


def test_the_desks_lapse_ends_nothing_while_an_agency_that_asked_at_the_same_time_waits() -> None:
    judged = setting(*BIRTH)
    case = ask(forked(judged), judged, "card", later(hours=1), later(days=9)).case
    case = ask_at_the_desk(case, judged, 1, later(days=7), later(hours=1)).case
    own = SupplementLapsed(
        dossier=case.dossier, round=1, step=None, reason=NO_PAPERS, lapsed_at=later(days=7),
        promised_at=case.promised_at, due_at=case.due_at,
    )  # fmt: skip
    decision = lapsed(case, own, at(judged, later(days=7)))
    assert (decision.state, decision.note) == (None, words.STILL_AWAITED)
    assert lapse(case, judged, later(days=9)).case.tasks["card"].closed_by == "lapsed"


def test_a_round_that_nobody_waits_for_any_more_cannot_lapse() -> None:
    judged = setting(*BIRTH)
    case = ask(forked(judged), judged, "card", later(hours=1), later(days=7)).case
    decided = grant(case, judged, "card", later(days=1)).case
    late = lapse(decided, judged, later(days=7))
    assert (late.changed, late.note) == (False, words.NOTHING_WAITED)
    again = ask(decided, judged, "residence", later(days=2), later(days=9)).case
    first = SupplementLapsed(
        dossier=case.dossier,
        round=1,
        reason=NO_PAPERS,
        lapsed_at=later(days=7),
        promised_at=case.promised_at,
        due_at=case.due_at,
    )
    assert lapsed(again, first, at(judged, later(days=7))).state is None


def test_a_withdrawal_counts_also_after_routings_own_end_and_cancels_what_is_open() -> None:
    judged = setting(step("only", results=("KQ.1",)), step("tell", "only", after_result=True))
    resolved = grant(opened(judged).case, judged, "only", later(hours=2)).case
    assert (resolved.state, resolved.tasks["tell"].is_open) == ("resolved", True)
    told = DossierWithdrawn(dossier=resolved.dossier, reason="đổi ý", withdrawn_at=later(hours=1))
    change = after(resolved, withdraw(resolved, told, at(judged, resolved.latest)))
    assert change.case.state == "withdrawn"
    assert not [task for task in change.case.tasks.values() if task.is_open]
    assert [order.agency for order in change.only(TaskCancelled)] == ["tell"]


def _ring_until_quiet(case: Case, judged: Circumstances) -> list[Event]:
    said: list[Event] = []
    while (due := next_at(case)) is not None:
        change = wait(case, judged, due)
        assert next_at(change.case) != due, "every ring is given once"
        said.extend(change.facts)
        case = change.case
    return said


def test_a_deadline_is_announced_a_day_and_four_working_hours_before_and_missed_once() -> None:
    judged = setting(step("birth"))
    case = opened(judged).case
    due_at = case.tasks["birth"].due_at
    assert due_at is not None
    said = _ring_until_quiet(case, judged)
    steps = [x for x in said if getattr(x, "scope", "") == "step"]
    assert [(type(x), x.at) for x in steps] == [
        (DeadlineNear, due_at - timedelta(hours=24)),
        (DeadlineNear, CALENDAR.add_minutes(NOW, 2 * 480 - 240)),
        (DeadlineMissed, due_at),
    ]
    dossier = [x for x in said if getattr(x, "scope", "") == "dossier"]
    assert [type(x) for x in dossier] == [DeadlineNear, DeadlineNear, DeadlineMissed]


def test_a_look_that_comes_late_still_gives_every_warning_once() -> None:
    judged = setting(step("birth"))
    case = opened(judged).case
    change = wait(case, judged, later(days=90))
    kinds = [type(x) for x in change.facts]
    assert kinds.count(DeadlineNear) == 4
    assert kinds.count(DeadlineMissed) == 2
    assert not wait(change.case, judged, later(days=91)).changed


def test_silence_is_consent_where_the_law_says_so_and_the_journey_goes_on() -> None:
    judged = setting(step("consult", consent_by_silence=True), step("issue", "consult"))
    case = opened(judged).case
    due_at = case.tasks["consult"].due_at
    assert due_at is not None
    asked = wait(case, judged, due_at + timedelta(minutes=5))
    (missed,) = [each for each in asked.only(DeadlineMissed) if each.consent]
    assert (missed.task, missed.due_at) == (task_of(case, "consult"), due_at)
    assert asked.case.tasks["consult"].is_open, "an earlier end may be on its way"
    change = confirm(asked.case, judged, "consult", due_at)
    done = change.case.tasks["consult"]
    assert (done.outcome, done.reason, done.closed_at) == ("silent_consent", words.SILENCE, due_at)
    assert not done.late
    assert change.case.tasks["issue"].is_open
    assert any(isinstance(o, TaskCancelled) for o in change.orders)
    late = grant(change.case, judged, "consult", due_at)
    assert not late.changed


def test_an_agency_that_speaks_before_its_silence_is_confirmed_has_spoken() -> None:
    judged = setting(step("consult", consent_by_silence=True), step("issue", "consult"))
    case = opened(judged).case
    due_at = case.tasks["consult"].due_at
    assert due_at is not None
    asked = wait(case, judged, due_at).case
    spoken = grant(asked, judged, "consult", due_at + timedelta(minutes=1)).case
    assert spoken.tasks["consult"].outcome == "granted"
    assert confirm(spoken, judged, "consult", due_at).note == words.ANSWERED_MEANWHILE
    assert confirm(asked, judged, "consult", due_at - timedelta(1)).note == words.ANSWERED_MEANWHILE


def test_nothing_rings_while_the_clock_stands() -> None:
    judged = setting(step("a"))
    case = ask(opened(judged).case, judged, "a", later(hours=1)).case
    assert next_at(case) is None
    assert not wait(case, judged, later(days=300)).changed


def test_an_answer_after_the_deadline_is_taken_and_marked_late() -> None:
    judged = setting(step("a"))
    case = opened(judged).case
    change = grant(case, judged, "a", later(days=9))
    assert change.case.tasks["a"].late
    (answered,) = change.only(StepAnswered)
    assert answered.late


def test_taking_a_task_is_kept_once() -> None:
    judged = setting(step("a"))
    case = opened(judged).case
    taking = AnswerTaken(task=task_of(case, "a"), officer="Nguyễn Văn B")
    taken = answer(case, judged, taking, later(hours=1))
    assert taken.case.tasks["a"].state == "taken"
    assert "Nguyễn" not in repr(taken)
    again = answer(taken.case, judged, AnswerTaken(task=taking.task), later(hours=2))
    assert again.case == taken.case
    other = answer(taken.case, judged, AnswerTaken(task=taking.task, officer="C"), later(hours=3))
    done = grant(opened(judged).case, judged, "a", later(hours=4)).case
    late = AnswerTaken(task=task_of(done, "a"), officer="Nguyễn Văn B")
    overtaken = answer(done, judged, late, later(hours=5)).case.tasks["a"]
    assert (overtaken.state, overtaken.officer) == ("answered", "Nguyễn Văn B")
    assert overtaken.taken_at == later(hours=4), "the answer had come first"
    assert (other.case.tasks["a"].officer, other.case.tasks["a"].taken_at) == ("C", later(hours=1))
