"""A dossier's way by pure functions: what each act does, and which acts are allowed when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import citizen, progress, reception
from services.intake.domain.dossier import Dossier, Extension, Standstill, Wait
from services.intake.domain.facts import (
    ContactGiven,
    DossierReceived,
    DossierRegistered,
    DossierSupplemented,
)
from services.intake.domain.forms import PaperCount
from services.intake.domain.progress import TooLate
from services.intake.domain.reception import submit
from services.intake.domain.statuses import Status, moves
from services.intake.domain.submission import check_submission
from services.intake.domain.waits import actions
from shared.kernel.errors import InvalidInput, NotAllowed
from tests.intake.made import (
    CALENDAR,
    NOW,
    OFFICE,
    PAPERS,
    PATIENCE,
    PAYING,
    PROCEDURE,
    TODAY,
    command,
    dossier,
    rules,
    vn,
)

LATER = NOW + timedelta(hours=2)


def asked(kind="supplement", at=LATER, **more) -> Wait:
    given = {"round": 1, "items": ("Giấy chứng sinh",), "reason": "mờ"}
    if kind == "payment":
        given = {"step": "pay", "reference": "TB-1", "amount_vnd": 90_000}
    return Wait(kind=kind, asked_by="routing", asked_at=at, stops_clock=True, **(given | more))


def working(at=NOW) -> Dossier:
    started = progress.started(dossier(at=at))
    assert isinstance(started, Dossier)
    return started


def waiting(kind="supplement", **more) -> Dossier:
    found = progress.asked(working(), asked(kind, **more), rules())
    assert isinstance(found, Dossier)
    return found


def test_at_the_desk_a_dossier_is_received_in_one_breath():
    checked = check_submission(command(), PROCEDURE, OFFICE, TODAY)
    made, facts = submit(checked, "000.01.15.H20-220301-0001", "ABC234", NOW, CALENDAR)
    assert made.status is Status.RECEIVED
    assert made.promised_at == made.due_at == vn(2022, 3, 8, 9)
    assert [type(f) for f in facts] == [DossierReceived, ContactGiven]


def test_online_it_is_only_registered_and_nothing_is_promised():
    checked = check_submission(command(channel="online"), PROCEDURE, OFFICE, TODAY)
    made, facts = submit(checked, "000.01.15.H20-220301-0001", "ABC234", NOW, CALENDAR)
    assert made.status is Status.REGISTERED
    assert made.promised_at is None
    assert [type(f) for f in facts] == [DossierRegistered, ContactGiven]


def test_the_clock_starts_at_reception_and_not_at_submission():
    filed = dossier("online")
    monday = vn(2022, 3, 7, 8)
    received, _ = reception.receive(filed, PROCEDURE, OFFICE, monday, CALENDAR)
    assert (received.submitted_at, received.received_at) == (NOW, monday)
    assert received.promised_at == vn(2022, 3, 14, 8)


def test_a_reception_with_papers_missing_is_refused_with_their_names():
    filed = replace(dossier("online"), papers=())
    with pytest.raises(InvalidInput) as refused:
        reception.receive(filed, PROCEDURE, OFFICE, NOW, CALENDAR)
    assert {f.place for f in refused.value.faults} == {"papers.to-khai", "papers.giay-to"}
    received, _ = reception.receive(filed, PROCEDURE, OFFICE, NOW, CALENDAR, papers=PAPERS)
    assert [p.code for p in received.papers] == ["to-khai", "giay-to"]


def test_before_reception_a_supplement_goes_back_to_registered_and_needs_no_clock():
    waiting_, facts = reception.request_supplement(
        dossier("online"),
        PROCEDURE,
        OFFICE,
        NOW,
        items=["Tờ khai"],
        reason="chưa ký",
        patience=PATIENCE,
    )
    assert waiting_.status is Status.SUPPLEMENT
    assert facts[0].wait.round == 1
    back, told = citizen.supplement(
        waiting_, PROCEDURE, rules(), LATER, papers=[PaperCount("to-khai", 1)], form={}
    )
    assert back.status is Status.REGISTERED
    assert isinstance(told[0], DossierSupplemented)
    assert back.papers[0].original == 2
    assert back.pauses == ()


def test_a_request_for_papers_that_nobody_answers_can_be_refused():
    waiting_, _ = reception.request_supplement(
        dossier("online"),
        PROCEDURE,
        OFFICE,
        NOW,
        items=["Tờ khai"],
        reason="chưa ký",
        patience=PATIENCE,
    )
    refused, _ = reception.refuse(
        waiting_, PROCEDURE, OFFICE, LATER, reason="Không bổ sung", next_step="Nộp lại"
    )
    assert refused.status is Status.REFUSED
    assert refused.open_waits == ()


def test_rounds_beyond_what_the_procedure_allows_are_refused():
    once = replace(PROCEDURE, max_supplement_rounds=1)
    waiting_, _ = reception.request_supplement(
        dossier("online"), once, OFFICE, NOW, items=["Tờ khai"], reason="chưa ký", patience=PATIENCE
    )
    back, _ = citizen.supplement(
        waiting_, once, rules(), LATER, papers=[PaperCount("to-khai", 1)], form={}
    )
    with pytest.raises(InvalidInput) as refused:
        reception.request_supplement(
            back, once, OFFICE, LATER, items=["Tờ khai"], reason="chưa ký", patience=PATIENCE
        )
    assert [f.place for f in refused.value.faults] == ["round"]


def test_started_moves_on_and_also_under_a_wait():
    assert working().status is Status.PROCESSING
    early = progress.asked(dossier(), asked(), rules())
    assert isinstance(early, Dossier)
    begun = progress.started(early)
    assert isinstance(begun, Dossier)
    assert (begun.status, begun.standing) == (Status.SUPPLEMENT, Status.PROCESSING)


def test_two_waits_at_once_hold_the_clock_until_both_are_over():
    both = progress.asked(waiting(), asked("payment", at=LATER + timedelta(hours=1)), rules())
    assert isinstance(both, Dossier)
    assert both.status is Status.SUPPLEMENT
    first, _ = citizen.supplement(
        both, PROCEDURE, rules(), vn(2022, 3, 2, 11), papers=PAPERS, form={}
    )
    assert first.status is Status.PAYMENT
    assert first.paused_since == LATER
    second, _ = citizen.pay(first, rules(), vn(2022, 3, 3, 11), amount_vnd=90_000, proof="BL1")
    assert second.status is Status.PROCESSING
    assert second.paused_since is None
    assert second.due_at == vn(2022, 3, 10, 9)
    assert second.promised_at == vn(2022, 3, 8, 9)


def test_a_payment_must_meet_the_notice():
    with pytest.raises(InvalidInput) as refused:
        citizen.pay(waiting("payment"), rules(), LATER, amount_vnd=1, proof="BL1")
    assert "90.000" in refused.value.faults[0].vi


def test_with_two_rounds_open_the_answer_must_name_one():
    two = progress.asked(waiting(), asked(round=2), rules())
    assert isinstance(two, Dossier)
    with pytest.raises(InvalidInput):
        citizen.supplement(two, PROCEDURE, rules(), LATER, papers=PAPERS, form={})
    one, facts = citizen.supplement(
        two, PROCEDURE, rules(), LATER, papers=PAPERS, form={}, round_=2
    )
    assert facts[0].round == 2
    assert [w.round for w in one.open_waits] == [1]


def test_a_supplement_without_anything_is_refused():
    with pytest.raises(InvalidInput):
        citizen.supplement(waiting(), PROCEDURE, rules(), LATER, papers=(), form={})


def test_a_supplement_may_change_fields_and_says_only_those_that_some_step_shares():
    brought = {"birth_date": "1991-05-04", "full_name": "Nguyễn Thị Mái"}
    after, facts = citizen.supplement(waiting(), PAYING, rules(), LATER, papers=(), form=brought)
    assert facts[0].form == {"full_name": "Nguyễn Thị Mái"}
    assert after.form["birth_date"] == "1991-05-04"


def test_a_result_ends_what_was_still_awaited():
    done = progress.resolved(waiting(), LATER, rules(), ({"step": "s"},))
    assert isinstance(done, Dossier)
    assert done.status is Status.RESOLVED
    assert done.open_waits == ()
    assert not done.waits[0].answered
    returned, _ = citizen.return_result(done, LATER, method="post")
    assert returned.status is Status.RETURNED
    assert actions(returned) == ()


@pytest.mark.parametrize("kind", ["supplement", "payment"])
def test_a_stop_or_a_withdrawal_ends_a_wait(kind):
    stopped = progress.stopped(waiting(kind), LATER, rules(), reason="hết hạn", next_step="nộp lại")
    assert isinstance(stopped, Dossier)
    assert (stopped.status, stopped.open_waits) == (Status.STOPPED, ())
    withdrawn, _ = citizen.withdraw(waiting(kind), rules(), LATER, reason="đổi ý")
    assert (withdrawn.status, withdrawn.finished_at) == (Status.WITHDRAWN, LATER)


def test_an_extension_adds_a_date_and_keeps_the_promise():
    new = Extension(1, LATER, vn(2022, 3, 15, 9), "thue", "chờ xác minh")
    more = progress.extended(working(), new)
    assert isinstance(more, Dossier)
    assert (more.promised_at, more.due_at, more.owed_at) == (
        vn(2022, 3, 8, 9),
        vn(2022, 3, 15, 9),
        vn(2022, 3, 8, 9),
    )
    assert progress.extended(more, new) is more


def test_the_clock_stands_while_a_step_outside_the_legal_time_is_open():
    since, until = vn(2022, 3, 2, 9), vn(2022, 3, 4, 9)
    held = progress.clock_stopped(working(), Standstill(since, "tax", "thue"))
    assert isinstance(held, Dossier)
    assert (held.status, held.paused_since) == (Status.PROCESSING, since)
    paid_meanwhile = progress.asked(held, asked(at=vn(2022, 3, 2, 10)), rules())
    assert isinstance(paid_meanwhile, Dossier)
    back, _ = citizen.supplement(
        paid_meanwhile, PROCEDURE, rules(), vn(2022, 3, 3, 9), papers=PAPERS, form={}
    )
    assert back.paused_since == since, "the step is still open"
    on = progress.clock_resumed(back, until, rules())
    assert isinstance(on, Dossier)
    assert (on.promised_at, on.due_at, on.owed_at) == (
        vn(2022, 3, 8, 9),
        vn(2022, 3, 10, 9),
        vn(2022, 3, 10, 9),
    )


def test_papers_that_nobody_waits_for_any_more_free_the_dossier():
    dropped = progress.request_dropped(waiting(), 1, LATER, rules(), reason="hết hạn")
    assert isinstance(dropped, Dossier)
    assert (dropped.status, dropped.open_waits) == (Status.PROCESSING, ())
    assert not dropped.waits[0].answered
    assert dropped.paused_since is None
    assert progress.request_dropped(dropped, 1, LATER, rules(), reason="x") == dropped


@pytest.mark.parametrize("end", ["resolved", "stopped", "withdrawn"])
def test_time_that_stood_still_until_the_end_makes_nobody_late(end):
    held = waiting()
    late = vn(2022, 3, 28, 9)
    over = {
        "resolved": lambda: progress.resolved(held, late, rules(), ()),
        "stopped": lambda: progress.stopped(held, late, rules(), reason="r", next_step="n"),
        "withdrawn": lambda: citizen.withdraw(held, rules(), late, reason="r")[0],
    }[end]()
    assert isinstance(over, Dossier)
    assert over.owed_at is not None
    assert over.owed_at >= late
    assert over.due_at == held.due_at, "nothing is promised any more"


def test_what_comes_after_the_end_is_too_late_and_changes_nothing():
    gone, _ = citizen.withdraw(working(), rules(), LATER, reason="đổi ý")
    for late in (
        progress.started(gone),
        progress.asked(gone, asked(), rules()),
        progress.stopped(gone, LATER, rules(), reason="x", next_step=None),
        progress.resolved(gone, LATER, rules(), ()),
        progress.extended(gone, Extension(1, LATER, LATER, "thue", "x")),
    ):
        assert isinstance(late, TooLate)
        assert "Công dân yêu cầu rút hồ sơ" in late.note


def test_an_act_that_is_not_allowed_says_what_is():
    with pytest.raises(NotAllowed) as refused:
        citizen.return_result(working(), LATER, method="desk")
    assert refused.value.allowed == ("withdraw", "contact")
    assert "rút hồ sơ" in refused.value.vi
    with pytest.raises(NotAllowed):
        citizen.supplement(working(), PROCEDURE, rules(), LATER, papers=PAPERS, form={})


# --- any order of acts ------------------------------------------------------------------------

ACTS = {
    "receive": lambda d, t: reception.receive(d, PROCEDURE, OFFICE, t, CALENDAR)[0],
    "refuse": lambda d, t: reception.refuse(d, PROCEDURE, OFFICE, t, reason="r", next_step="n")[0],
    "request": lambda d, t: reception.request_supplement(
        d, PROCEDURE, OFFICE, t, items=["x"], reason="r", patience=PATIENCE
    )[0],
    "supplement": lambda d, t: citizen.supplement(d, PROCEDURE, rules(), t, papers=PAPERS, form={})[
        0
    ],
    "pay": lambda d, t: citizen.pay(d, rules(), t, amount_vnd=90_000, proof="b")[0],
    "withdraw": lambda d, t: citizen.withdraw(d, rules(), t, reason="r")[0],
    "return": lambda d, t: citizen.return_result(d, t, method="desk")[0],
    "started": lambda d, t: progress.started(d),
    "ask papers": lambda d, t: progress.asked(d, asked(at=t, round=len(d.waits) + 1), rules()),
    "ask money": lambda d, t: progress.asked(d, asked("payment", at=t), rules()),
    "stop": lambda d, t: progress.stopped(d, t, rules(), reason="r", next_step="n"),
    "resolve": lambda d, t: progress.resolved(d, t, rules(), ()),
}


@given(
    st.sampled_from(["direct", "online"]),
    st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(1, 3000)), max_size=12),
)
def test_in_any_order_only_allowed_moves_happen_and_the_promise_never_changes(channel, acts):
    held, at = dossier(channel), NOW
    for name, minutes in acts:
        at += timedelta(minutes=minutes)
        if name in ("started", "ask papers", "ask money", "stop", "resolve") and (
            held.received_at is None
        ):
            continue  # routing hears of a dossier only when it is received
        if name == "ask money" and held.standing is not Status.PROCESSING:
            continue  # and it says that it has started before anything else
        try:
            after = ACTS[name](held, at)
        except (NotAllowed, InvalidInput):
            continue
        if isinstance(after, TooLate):
            assert held.status.final or held.status is Status.RESOLVED
            continue
        _check_step(held, after)
        held = after


def _check_step(before: Dossier, after: Dossier) -> None:
    if before.promised_at is not None:
        assert after.promised_at == before.promised_at
    if after.status is not before.status:
        # One act may pass through the standing status (5 -> 4 -> 6), never jump.
        direct = after.status in moves(before.status, before.standing)
        through = before.standing in moves(before.status, before.standing) and (
            after.status in moves(before.standing, before.standing)
        )
        assert direct or through, (before.status, after.status)
    assert bool(after.open_waits) == (after.status in (Status.SUPPLEMENT, Status.PAYMENT))
    if after.due_at is not None and before.due_at is not None:
        assert after.due_at >= before.due_at
    assert (after.paused_since is not None) == (
        after.received_at is not None and bool(after.open_waits)
    )
