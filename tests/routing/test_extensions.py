"""More time: asked for before the date and pending, granted, refused, overtaken, or named after it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from services.routing.domain import words
from services.routing.domain.answers import apply_answer
from services.routing.domain.case import Case
from services.routing.domain.deadlines import time_passed
from services.routing.domain.extensions import granted, refused
from services.routing.domain.journey import withdraw
from shared.events.agencies import AnswerCompleted, AnswerMoreTimeNeeded, TaskChanged
from shared.events.intake import DossierWithdrawn, ExtensionGranted, ExtensionRefused
from shared.events.routing import DossierExtended, ExtensionDropped, ExtensionRequested
from tests.routing.worlds import (
    CALENDAR,
    DOSSIER,
    NOW,
    Change,
    after,
    at,
    opened,
    setting,
    step,
    task_of,
)

JUDGED = setting(step("birth"), step("card", "birth"))
DUE = CALENDAR.add_days(NOW, 2)
FAR = CALENDAR.add_days(NOW, 22)


def ask(case: Case, until: datetime = FAR, now: datetime = NOW) -> Change:
    wish = AnswerMoreTimeNeeded(task=task_of(case, "birth"), reason="xác minh", until=until)
    return after(case, apply_answer(case, wish, at(JUDGED, now)))


def verdict(case: Case, now: datetime, until: datetime = FAR) -> Change:
    said = ExtensionGranted(
        dossier=DOSSIER, task=task_of(case, "birth"), until=until, reason="xác minh", granted_at=now
    )
    return after(case, granted(case, said, at(JUDGED, now)))


def no(case: Case, now: datetime) -> Change:
    said = ExtensionRefused(
        dossier=DOSSIER, task=task_of(case, "birth"), reason="cần gấp", refused_at=now
    )
    return after(case, refused(case, said, at(JUDGED, now)))


def notes(change: Change) -> list[Any]:
    return [each.note for each in change.only(TaskChanged)]


def test_before_its_date_an_extension_is_asked_for_and_moves_nothing_yet():
    change = ask(opened(JUDGED).case)
    (asked,) = change.only(ExtensionRequested)
    assert (asked.due_at, asked.until, asked.reason) == (DUE, FAR, "xác minh")
    assert asked.new_due_at == CALENDAR.add_days(FAR, 2), "with the step after it"
    assert change.case.tasks["birth"].due_at == DUE
    assert change.case.due_at == change.case.promised_at
    assert not change.only(DossierExtended)
    assert notes(change) == [words.WISH_WAITS.format(at=words.minute(FAR))]
    assert change.note == notes(change)[0]


def test_within_the_promise_the_citizen_would_be_told_nothing():
    (asked,) = ask(opened(JUDGED).case, CALENDAR.add_days(NOW, 4)).only(ExtensionRequested)
    assert asked.new_due_at is None


def test_granted_the_step_and_the_promise_have_their_new_dates():
    case = ask(opened(JUDGED).case).case
    change = verdict(case, NOW + timedelta(hours=2))
    assert change.case.tasks["birth"].due_at == FAR
    (told,) = change.only(DossierExtended)
    assert (told.promised_at, told.due_at) == (case.promised_at, CALENDAR.add_days(FAR, 2))
    assert notes(change) == [words.WISH_GRANTED.format(at=words.minute(FAR))]
    assert change.case.tasks["birth"].wish is None
    assert not verdict(change.case, NOW + timedelta(hours=3)).changed, "once"


def test_refused_the_date_stays_and_the_agency_is_told_why_and_may_not_ask_again():
    case = ask(opened(JUDGED).case).case
    change = no(case, NOW + timedelta(hours=2))
    assert change.case.tasks["birth"].due_at == DUE
    assert notes(change) == [words.WISH_REFUSED.format(reason="cần gấp")]
    assert ask(change.case).rule == "extensions_used"


def test_as_often_as_the_catalogue_says():
    judged = setting(step("birth", max_extensions=2))
    case = opened(judged).case
    for days in (3, 4):
        wish = AnswerMoreTimeNeeded(
            task=task_of(case, "birth"), reason="x", until=CALENDAR.add_days(NOW, days)
        )
        change = after(case, apply_answer(case, wish, at(judged, NOW)))
        assert change.only(ExtensionRequested)
        case = change.case
    assert after(case, apply_answer(case, wish, at(judged, NOW))).rule == "extensions_used"


def test_undecided_at_its_date_it_falls_away_and_the_agency_is_told():
    case = ask(opened(JUDGED).case).case
    change = after(case, time_passed(case, at(JUDGED, DUE)))
    assert len(change.only(ExtensionDropped)) == 1
    assert words.WISH_LAPSED in notes(change)
    named = ask(change.case, now=DUE + timedelta(minutes=5))
    assert named.case.tasks["birth"].due_at == FAR, "after its date it names one itself"
    assert len(named.only(DossierExtended)) == 1
    assert not named.only(ExtensionRequested)


def test_a_verdict_of_before_the_date_counts_though_it_comes_after_it():
    case = ask(opened(JUDGED).case).case
    missed = after(case, time_passed(case, at(JUDGED, DUE))).case
    assert verdict(missed, DUE - timedelta(seconds=1)).case.tasks["birth"].due_at == FAR


def test_nobody_asks_any_more_once_the_step_is_done_or_the_dossier_is_gone():
    case = ask(opened(JUDGED).case).case
    soon = NOW + timedelta(hours=1)
    done = AnswerCompleted(task=task_of(case, "birth"), outcome="granted")
    back = DossierWithdrawn(dossier=DOSSIER, reason="thôi", withdrawn_at=soon)
    for change in (
        after(case, apply_answer(case, done, at(JUDGED, soon))),
        after(case, withdraw(case, back, at(JUDGED, soon))),
    ):
        assert len(change.only(ExtensionDropped)) == 1
        assert not verdict(change.case, soon).changed
        assert not no(change.case, soon).changed
