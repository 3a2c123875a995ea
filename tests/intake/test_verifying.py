"""Verified, or a branch chosen: the date moves by the law's time, and nobody is late or apologises."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from services.intake.domain import progress
from services.intake.domain.dossier import Dossier, Missed
from shared.catalogue import Step
from shared.catalogue.step import Choice, Verification
from shared.events import parts
from shared.events.intake import DossierBranched, DossierVerifying
from shared.events.routing import BranchChosen, VerificationOpened
from shared.kernel.calendar import Duration
from tests.intake.made import CALENDAR, CODE, NOW, PROCEDURE, around, dossier
from tests.intake.test_dossier import AGENCY, after, result

CHECK = Step(
    code="check",
    name="Kiểm tra",
    role="justice",
    kind="task",
    after=(),
    budget=Duration(2, "working_day"),
    shares=(),
    branch=None,
    silence="none",
    after_result=False,
    pauses_clock=False,
    results=(),
    max_extensions=1,
    verification=Verification(Duration(5, "working_day"), 1),
    chooses=(
        Choice("archive", "Hồ sơ lưu"),
        Choice("survey", "Đo đạc", Duration(10, "working_day")),
    ),
)
VERIFIED = replace(PROCEDURE, steps=(CHECK,))
AROUND = around(NOW, VERIFIED)
OPENED = VerificationOpened(
    dossier=CODE,
    step=parts.Step(code="check", name="Kiểm tra"),
    agency=AGENCY,
    task="t-1",
    reason="Đối chiếu sổ gốc",
    due_at=NOW + timedelta(days=9),
    opened_at=NOW,
)


def received() -> Dossier:
    return dossier(procedure=VERIFIED)


def test_both_dates_move_by_the_laws_time_and_the_first_promise_stays():
    before = received()
    decision = progress.verifying(before, OPENED, AROUND)
    (told,) = decision.events
    assert isinstance(told, DossierVerifying)
    now = after(decision)
    assert before.due_at is not None
    assert now.due_at == told.due_at == CALENDAR.add_days(before.due_at, 5)
    assert now.adjusted_due_at == now.due_at, "the office is not late by it"
    assert (now.promised_at, told.due_before) == (before.promised_at, before.due_at)
    assert now.extensions == ()
    assert told.reason == "Đối chiếu sổ gốc"


def test_it_takes_the_place_of_a_promise_that_was_just_missed_and_nothing_after_the_end():
    before = received()
    assert before.due_at is not None
    late = replace(before, missed=Missed(before.due_at, AGENCY.code, "Chưa xong"))
    assert not after(progress.verifying(late, OPENED, AROUND)).unapologised
    ended = after(progress.resolved(before, result(), AROUND))
    assert progress.verifying(ended, OPENED, AROUND).events == ()


def chosen(branch: str, *, has_time: bool = True) -> BranchChosen:
    return BranchChosen(
        dossier=CODE,
        step=parts.Step(code="check", name="Kiểm tra"),
        agency=AGENCY,
        task="t-1",
        branch=parts.Branch(code=branch, name="Đo đạc"),
        has_time=has_time,
        chosen_at=NOW,
    )


def test_a_chosen_branch_moves_both_dates_by_the_time_that_the_catalogue_gives_it():
    before = received()
    decision = progress.branch_chosen(before, chosen("survey"), AROUND)
    (told,) = decision.events
    assert isinstance(told, DossierBranched)
    now = after(decision)
    assert before.due_at is not None
    assert now.due_at == told.due_at == CALENDAR.add_days(before.due_at, 10)
    assert (now.adjusted_due_at, now.promised_at) == (now.due_at, before.promised_at)
    assert now.extensions == ()


def test_a_branch_without_time_leaves_the_date_and_so_does_any_after_it_was_missed():
    before = received()
    assert before.due_at is not None
    assert progress.branch_chosen(before, chosen("archive", has_time=False), AROUND).events == ()
    late = replace(before, missed=Missed(before.due_at, AGENCY.code, "Chưa xong"))
    decision = progress.branch_chosen(late, chosen("survey"), AROUND)
    (told,) = decision.events
    assert isinstance(told, DossierBranched)
    assert told.due_at == told.due_before == before.due_at
    assert after(decision).unapologised, "an apology is owed still"
    ended = after(progress.resolved(before, result(), AROUND))
    assert progress.branch_chosen(ended, chosen("survey"), AROUND).events == ()
