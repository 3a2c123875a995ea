"""A dossier's way by pure functions: what each act does, and which acts are allowed when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import citizen, progress, reception, returning
from services.intake.domain.dossier import Dossier
from services.intake.domain.forms import PaperCount
from services.intake.domain.reception import submit
from services.intake.domain.statuses import Status, moves
from services.intake.domain.submission import check_submission
from services.intake.domain.waits import actions
from shared.events import parts
from shared.events.decision import Decision
from shared.events.intake import (
    ContactGiven,
    DeadlineStated,
    DossierReceived,
    DossierRegistered,
    DossierSupplemented,
    SupplementRequested,
)
from shared.events.parts import StepResult
from shared.events.routing import (
    ClockResumed,
    ClockStopped,
    DossierExtended,
    DossierResolved,
    DossierStarted,
    DossierStopped,
    PaymentRequested,
    SupplementDropped,
)
from shared.kernel.errors import InvalidInput, NotAllowed, ParkNow
from tests.intake.made import (
    CODE,
    NOW,
    OFFICE,
    PAPERS,
    PAYING,
    PROCEDURE,
    TODAY,
    around,
    command,
    dossier,
    vn,
)

LATER = NOW + timedelta(hours=2)
AGENCY = parts.Agency(code="thue", name="Chi cục Thuế")
STARTED = DossierStarted(
    dossier=CODE, procedure=parts.ProcedureName(code="1.000001", name="x"), started_at=NOW
)


def after(decision: Decision[Dossier]) -> Dossier:
    """What a decision leaves, where it was not too late."""
    assert decision.note is None
    assert decision.state is not None
    return decision.state


def papers_asked(at: datetime = LATER, round_: int = 1) -> SupplementRequested:
    return SupplementRequested(
        dossier=CODE,
        round=round_,
        agency=AGENCY,
        items=("Giấy chứng sinh",),
        reason="mờ",
        requested_at=at,
    )


def money_asked(at: datetime = LATER) -> PaymentRequested:
    return PaymentRequested(
        dossier=CODE,
        step="pay",
        agency=AGENCY,
        amount_vnd=90_000,
        reference="TB-1",
        requested_at=at,
    )


def stop(at: datetime = LATER) -> DossierStopped:
    return DossierStopped(dossier=CODE, reason="hết hạn", next_step="nộp lại", stopped_at=at)


def result(at: datetime = LATER) -> DossierResolved:
    one = StepResult(step="s", agency=AGENCY, outcome="granted", at=at)
    return DossierResolved(dossier=CODE, results=(one,), resolved_at=at)


def extension(at: datetime, due_at: datetime) -> DossierExtended:
    return DossierExtended(
        dossier=CODE,
        agency=AGENCY,
        reason="chờ xác minh",
        promised_at=vn(2022, 3, 8, 9),
        due_at=due_at,
        extended_at=at,
        number=1,
    )


def dropped(at: datetime = LATER) -> SupplementDropped:
    return SupplementDropped(dossier=CODE, round=1, reason="hết hạn", dropped_at=at)


def working() -> Dossier:
    return after(progress.started(dossier(), STARTED, around()))


def waiting(kind: str = "supplement") -> Dossier:
    if kind == "payment":
        return after(progress.payment_requested(working(), money_asked(), around()))
    return after(progress.papers_requested(working(), papers_asked(), around()))


def brought(held: Dossier, at: datetime = LATER, **more) -> Dossier:
    """The citizen has come with the papers."""
    return after(citizen.supplement(held, around(at), papers=PAPERS, **more))


def test_at_the_desk_a_dossier_is_received_in_one_breath():
    checked = check_submission(command(), PROCEDURE, OFFICE, TODAY)
    decision = submit(checked, CODE, "ABC234", around())
    made = after(decision)
    assert made.status is Status.RECEIVED
    assert made.promised_at == made.due_at == vn(2022, 3, 8, 9)
    assert [type(event) for event in decision.events] == [DossierReceived, ContactGiven]


def test_online_it_is_only_registered_and_nothing_is_promised():
    checked = check_submission(command(channel="online"), PROCEDURE, OFFICE, TODAY)
    decision = submit(checked, CODE, "ABC234", around())
    made = after(decision)
    assert made.status is Status.REGISTERED
    assert made.promised_at is None
    assert [type(event) for event in decision.events] == [DossierRegistered, ContactGiven]


def test_the_clock_starts_at_reception_and_not_at_submission():
    filed = dossier("online")
    monday = vn(2022, 3, 7, 8)
    received = after(reception.receive(filed, around(monday)))
    assert (received.submitted_at, received.received_at) == (NOW, monday)
    assert received.promised_at == vn(2022, 3, 14, 8)


def test_a_reception_with_papers_missing_is_refused_with_their_names():
    filed = replace(dossier("online"), papers=())
    with pytest.raises(InvalidInput) as refused:
        reception.receive(filed, around())
    assert {f.place for f in refused.value.faults} == {"papers.to-khai", "papers.giay-to"}
    received = after(reception.receive(filed, around(), papers=PAPERS))
    assert [p.code for p in received.papers] == ["to-khai", "giay-to"]


def test_before_reception_a_supplement_goes_back_to_registered_and_needs_no_clock():
    asked = reception.request_supplement(
        dossier("online"), around(), items=["Tờ khai"], reason="chưa ký"
    )
    assert after(asked).status is Status.SUPPLEMENT
    (requested,) = asked.events
    assert isinstance(requested, SupplementRequested)
    assert (requested.round, requested.step) == (1, None)
    answered = citizen.supplement(after(asked), around(LATER), papers=[PaperCount("to-khai", 1)])
    back, (told,) = after(answered), answered.events
    assert back.status is Status.REGISTERED
    assert isinstance(told, DossierSupplemented)
    assert (told.promised_at, told.due_at) == (None, None)
    assert back.papers[0].original == 2
    assert back.pauses == ()


def test_a_request_for_papers_that_nobody_answers_can_be_refused():
    asked = reception.request_supplement(
        dossier("online"), around(), items=["Tờ khai"], reason="chưa ký"
    )
    refused = after(
        reception.refuse(after(asked), around(LATER), reason="Không bổ sung", next_step="Nộp lại")
    )
    assert refused.status is Status.REFUSED
    assert refused.open_waits == ()


def test_rounds_beyond_what_the_procedure_allows_are_refused():
    once = replace(PROCEDURE, max_supplement_rounds=1)
    ask = {"items": ["Tờ khai"], "reason": "chưa ký"}
    asked = reception.request_supplement(dossier("online"), around(NOW, once), **ask)
    later = around(LATER, once)
    back = after(citizen.supplement(after(asked), later, papers=[PaperCount("to-khai", 1)]))
    with pytest.raises(InvalidInput) as refused:
        reception.request_supplement(back, later, **ask)
    assert [f.place for f in refused.value.faults] == ["round"]


def test_started_moves_on_and_also_under_a_wait():
    assert working().status is Status.PROCESSING
    early = after(progress.papers_requested(dossier(), papers_asked(), around()))
    begun = after(progress.started(early, STARTED, around()))
    assert (begun.status, begun.underlying) == (Status.SUPPLEMENT, Status.PROCESSING)


def test_two_waits_at_once_hold_the_clock_until_both_are_over():
    bill = money_asked(LATER + timedelta(hours=1))
    both = after(progress.payment_requested(waiting(), bill, around()))
    assert both.status is Status.SUPPLEMENT
    first = brought(both, vn(2022, 3, 2, 11))
    assert first.status is Status.PAYMENT
    assert first.paused_since == LATER
    paid = around(vn(2022, 3, 3, 11))
    second = after(citizen.pay(first, paid, amount_vnd=90_000, proof="BL1"))
    assert second.status is Status.PROCESSING
    assert second.paused_since is None
    assert second.due_at == vn(2022, 3, 10, 9)
    assert second.promised_at == vn(2022, 3, 8, 9)


def test_a_payment_must_meet_the_notice():
    with pytest.raises(InvalidInput) as refused:
        citizen.pay(waiting("payment"), around(LATER), amount_vnd=1, proof="BL1")
    assert "90.000" in refused.value.faults[0].vi


def test_with_two_rounds_open_the_answer_must_name_one():
    two = after(progress.papers_requested(waiting(), papers_asked(round_=2), around()))
    with pytest.raises(InvalidInput):
        brought(two)
    answered = citizen.supplement(two, around(LATER), papers=PAPERS, round_=2)
    (told,) = answered.events
    assert isinstance(told, DossierSupplemented)
    assert told.round == 2
    assert [w.round for w in after(answered).open_waits] == [1]


def test_a_supplement_without_anything_is_refused():
    with pytest.raises(InvalidInput):
        citizen.supplement(waiting(), around(LATER), papers=(), form={})


def test_a_supplement_may_change_fields_and_says_only_those_that_some_step_shares():
    held = replace(waiting(), procedure=PAYING.code)
    changed = {"birth_date": "1991-05-04", "full_name": "Nguyễn Thị Mái"}
    answered = citizen.supplement(held, around(LATER, PAYING), form=changed)
    (told,) = answered.events
    assert isinstance(told, DossierSupplemented)
    assert told.form == {"full_name": "Nguyễn Thị Mái"}
    assert after(answered).form["birth_date"] == "1991-05-04"


def test_a_result_ends_what_was_still_awaited():
    done = after(progress.resolved(waiting(), result(), around()))
    assert done.status is Status.RESOLVED
    assert done.open_waits == ()
    assert not done.waits[0].answered
    returned = after(returning.return_result(done, around(LATER), method="post"))
    assert returned.status is Status.RETURNED
    assert actions(returned) == ("correct-waybill",)


@pytest.mark.parametrize("kind", ["supplement", "payment"])
def test_a_stop_or_a_withdrawal_ends_a_wait(kind):
    stopped = after(progress.stopped(waiting(kind), stop(), around()))
    assert (stopped.status, stopped.open_waits) == (Status.STOPPED, ())
    withdrawn = after(citizen.withdraw(waiting(kind), around(LATER), reason="đổi ý"))
    assert (withdrawn.status, withdrawn.finished_at) == (Status.WITHDRAWN, LATER)


def test_an_extension_adds_a_date_and_keeps_the_promise():
    new = extension(LATER, vn(2022, 3, 15, 9))
    decision = progress.extended(working(), new, around(LATER))
    more = after(decision)
    (stated,) = decision.events
    assert isinstance(stated, DeadlineStated)
    assert (stated.because, stated.clock, stated.due_at) == ("extended", "runs", more.due_at)
    assert (more.promised_at, more.due_at, more.adjusted_due_at) == (
        vn(2022, 3, 8, 9),
        vn(2022, 3, 15, 9),
        vn(2022, 3, 8, 9),
    )
    assert after(progress.extended(more, new, around())) is more


def test_the_clock_stands_while_a_step_outside_the_legal_time_is_open():
    since, until = vn(2022, 3, 2, 9), vn(2022, 3, 4, 9)
    stops = ClockStopped(
        dossier=CODE, step=parts.Step(code="tax", name="Thuế"), agency=AGENCY, stopped_at=since
    )
    held = after(progress.clock_stopped(working(), stops, around()))
    assert (held.status, held.paused_since) == (Status.PROCESSING, since)
    meanwhile = papers_asked(vn(2022, 3, 2, 10))
    asked = after(progress.papers_requested(held, meanwhile, around()))
    back = brought(asked, vn(2022, 3, 3, 9))
    assert back.paused_since == since, "the step is still open"
    on = after(progress.clock_resumed(back, ClockResumed(dossier=CODE, resumed_at=until), around()))
    assert (on.promised_at, on.due_at, on.adjusted_due_at) == (
        vn(2022, 3, 8, 9),
        vn(2022, 3, 10, 9),
        vn(2022, 3, 10, 9),
    )


def test_papers_that_nobody_waits_for_any_more_free_the_dossier():
    free = after(progress.request_dropped(waiting(), dropped(), around()))
    assert (free.status, free.open_waits) == (Status.PROCESSING, ())
    assert not free.waits[0].answered
    assert free.paused_since is None
    assert after(progress.request_dropped(free, dropped(), around())) == free


@pytest.mark.parametrize("end", ["resolved", "stopped", "withdrawn"])
def test_time_that_stood_still_until_the_end_makes_nobody_late(end):
    held = waiting()
    late = vn(2022, 3, 28, 9)
    over = {
        "resolved": lambda: after(progress.resolved(held, result(late), around())),
        "stopped": lambda: after(progress.stopped(held, stop(late), around())),
        "withdrawn": lambda: after(citizen.withdraw(held, around(late), reason="r")),
    }[end]()
    assert over.adjusted_due_at is not None
    assert over.adjusted_due_at >= late
    assert over.due_at == held.due_at, "nothing is promised any more"


def test_what_comes_after_the_end_is_too_late_and_changes_nothing():
    gone = after(citizen.withdraw(working(), around(LATER), reason="đổi ý"))
    for late in (
        progress.started(gone, STARTED, around()),
        progress.papers_requested(gone, papers_asked(), around()),
        progress.payment_requested(gone, money_asked(), around()),
        progress.request_dropped(gone, dropped(), around()),
        progress.clock_resumed(gone, ClockResumed(dossier=CODE, resumed_at=LATER), around()),
        progress.stopped(gone, stop(), around()),
        progress.resolved(gone, result(), around()),
        progress.extended(gone, extension(LATER, LATER), around()),
    ):
        assert (late.state, late.events) == (None, ())
        assert late.note is not None
        assert "Công dân yêu cầu rút hồ sơ" in late.note


def test_a_dossier_that_was_never_filed_here_is_for_a_person_to_look_at():
    with pytest.raises(ParkNow) as parked:
        progress.started(None, STARTED, around())
    assert "chưa từng được nộp" in parked.value.vi


def test_an_act_that_is_not_allowed_says_what_is():
    with pytest.raises(NotAllowed) as refused:
        returning.return_result(working(), around(LATER), method="desk")
    assert refused.value.allowed == (
        "request-supplement", "withdraw", "contact", "correct",
    )  # fmt: skip
    assert "rút hồ sơ" in refused.value.vi
    with pytest.raises(NotAllowed):
        brought(working())


# --- any order of acts ------------------------------------------------------------------------

DESK_ACTS = {
    "receive": reception.receive,
    "refuse": lambda d, a: reception.refuse(d, a, reason="r", next_step="n"),
    "request": lambda d, a: reception.request_supplement(d, a, items=["x"], reason="r"),
    "supplement": lambda d, a: citizen.supplement(d, a, papers=PAPERS),
    "pay": lambda d, a: citizen.pay(d, a, amount_vnd=90_000, proof="b"),
    "withdraw": lambda d, a: citizen.withdraw(d, a, reason="r"),
    "return": lambda d, a: returning.return_result(d, a, method="desk"),
}
ROUTINGS = {
    "started": lambda d, a: progress.started(d, STARTED, a),
    "ask papers": lambda d, a: progress.papers_requested(
        d, papers_asked(a.now, len(d.waits) + 1), a
    ),
    "ask money": lambda d, a: progress.payment_requested(d, money_asked(a.now), a),
    "stop": lambda d, a: progress.stopped(d, stop(a.now), a),
    "resolve": lambda d, a: progress.resolved(d, result(a.now), a),
}
ACTS = DESK_ACTS | ROUTINGS


@given(
    st.sampled_from(["direct", "online"]),
    st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(1, 3000)), max_size=12),
)
def test_in_any_order_only_allowed_moves_happen_and_the_promise_never_changes(channel, acts):
    held, at = dossier(channel), NOW
    for name, minutes in acts:
        at += timedelta(minutes=minutes)
        if name in ROUTINGS and held.received_at is None:
            continue  # routing hears of a dossier only when it is received
        if name == "ask money" and held.underlying is not Status.PROCESSING:
            continue  # and it says that it has started before anything else
        try:
            decision = ACTS[name](held, around(at))
        except (NotAllowed, InvalidInput):
            continue
        if decision.note is not None:
            paid = any(wait.kind == "payment" and wait.answered for wait in held.waits)
            over = held.status.final or held.status is Status.RESOLVED
            assert over or (paid and name == "ask money")  # another notice for what is paid
            assert (decision.state, decision.events) == (None, ())
            continue
        now = decision.state or held
        _check_step(held, now)
        held = now


def _check_step(before: Dossier, now: Dossier) -> None:
    if before.promised_at is not None:
        assert now.promised_at == before.promised_at
    if now.status is not before.status:
        # One act may pass through the underlying status (5 -> 4 -> 6), never jump.
        direct = now.status in moves(before.status, before.underlying)
        through = before.underlying in moves(before.status, before.underlying) and (
            now.status in moves(before.underlying, before.underlying)
        )
        assert direct or through, (before.status, now.status)
    assert bool(now.open_waits) == (now.status in (Status.SUPPLEMENT, Status.PAYMENT))
    if now.due_at is not None and before.due_at is not None:
        assert now.due_at >= before.due_at
    assert (now.paused_since is not None) == (now.received_at is not None and bool(now.open_waits))
