"""The desk puts right what it wrote down wrongly: what, why, when it may, and against whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.intake.domain import correcting, progress
from services.intake.domain.correcting import ChangedMeanwhile, correct, version_of
from services.intake.domain.dossier import Dossier
from services.intake.domain.statuses import Status
from services.intake.storage.rows import from_row, to_row
from shared.events.intake import ContactGiven, DossierCorrected
from shared.events.parts import Step
from shared.events.routing import CorrectionOvertaken, StepAnswered
from shared.kernel.errors import InvalidInput, NotAllowed
from tests.intake.made import CODE, NOW, PAYING, around, dossier, vn
from tests.intake.rig import AGENCY

STEP = Step(code="pay", name="Nộp tiền")
LATER = vn(2022, 3, 1, 10)


def corrected(one: Dossier, **changes: Any):
    told = {"version": version_of(one), "reason": "gõ nhầm", "form": {}, "contact": {}} | changes
    return correct(one, around(LATER, PAYING), **told)


def filed(**options: Any) -> Dossier:
    return dossier(procedure=PAYING, **options)


def answered(outcome: str | None, **more: Any) -> StepAnswered:
    return StepAnswered(
        dossier=CODE, step=STEP, agency=AGENCY, task="t1", answer="completed", outcome=outcome,
        late=False, answered_at=LATER, **more,
    )  # fmt: skip


def test_a_correction_keeps_what_was_and_why_and_states_only_what_steps_share():
    before = filed()
    new = {"full_name": "Nguyễn Thị Mây", "copies": 3}
    decision = corrected(before, form=new)
    after, events = decision.state, decision.events
    (done,) = after.corrections
    assert [(c.place, c.old, c.new) for c in done.changes] == [
        ("form.full_name", "Nguyễn Thị Mai", "Nguyễn Thị Mây"),
        ("form.copies", None, 3),
    ]
    assert (done.number, done.reason, done.at) == (1, "gõ nhầm", LATER)
    (event,) = events
    assert isinstance(event, DossierCorrected)
    assert event.form == event.form_after == {"full_name": "Nguyễn Thị Mây"}
    assert event.mended == 2
    kept = ("received_at", "promised_at", "due_at", "adjusted_due_at", "pauses", "status", "papers")
    assert all(getattr(after, name) == getattr(before, name) for name in kept)
    assert from_row(to_row(after)) == after


def test_the_contact_goes_its_own_way_and_only_where_it_has_changed():
    one = filed()
    moved = corrected(one, contact={"phone": "0907 123 457"})
    assert [type(each) for each in moved.events] == [DossierCorrected, ContactGiven]
    assert moved.events[0].form == {}
    assert moved.events[1].phone == "+84907123457"
    assert moved.state.contact.email == "mai@example.com", "what is not given stays"
    home = corrected(one, contact={"address": "Số 2 đường Thử"})
    assert [type(each) for each in home.events] == [DossierCorrected], "nobody is told addresses"


def test_a_field_can_be_emptied_and_one_that_is_asked_for_cannot():
    one = corrected(filed(), form={"copies": 2}).state
    emptied = corrected(one, form={"copies": None}).state
    assert "copies" not in emptied.form
    assert [c.number for c in emptied.corrections] == [1, 2]
    with pytest.raises(InvalidInput) as wrong:
        corrected(one, form={"full_name": ""}, reason=" ")
    assert {fault.place for fault in wrong.value.faults} == {"form.full_name", "reason"}


def test_the_second_correction_begins_with_what_the_first_has_left():
    first = corrected(filed(), form={"full_name": "Nguyễn Thị Mây"}).state
    second = corrected(first, form={"full_name": "Nguyễn Thị My"}).state
    assert [c.changes[0].old for c in second.corrections] == ["Nguyễn Thị Mai", "Nguyễn Thị Mây"]


def test_nothing_new_is_no_correction():
    one = filed()
    for same in ({"full_name": "  Nguyễn  Thị Mai "}, {"urgent": False}, {}):
        with pytest.raises(InvalidInput, match="nothing was corrected"):
            corrected(one, form=same)


def test_who_saw_an_older_state_is_told_both_and_nothing_is_written():
    one = filed()
    meanwhile = corrected(one, form={"full_name": "Nguyễn Thị Mây"}).state
    with pytest.raises(ChangedMeanwhile) as conflict:
        corrected(meanwhile, version=version_of(one), form={"full_name": "Nguyễn Thị My"})
    assert conflict.value.extra == {
        "version": version_of(meanwhile),
        "yours": {"form.full_name": "Nguyễn Thị My"},
        "now": {"form.full_name": "Nguyễn Thị Mây"},
    }
    assert "Mây" not in f"{conflict.value} {conflict.value.vi}"


@pytest.mark.parametrize("part", ["form", "contact", "papers"])
def test_the_version_is_another_as_soon_as_anything_written_is(part):
    one = filed()
    others = {
        "form": {**one.form, "copies": 9},
        "contact": replace(one.contact, address="X"),
        "papers": one.papers[:1],
    }
    assert version_of(replace(one, **{part: others[part]})) != version_of(one)
    assert version_of(from_row(to_row(one))) == version_of(one)


def test_before_reception_and_after_an_end_it_is_not_corrected():
    for one in (filed(channel="online"), _with(Status.RESOLVED), _with(Status.WITHDRAWN)):
        with pytest.raises(NotAllowed):
            corrected(one, form={"copies": 2})


def _with(status: Status) -> Dossier:
    return replace(filed(), status=status, underlying=Status.PROCESSING)


def test_once_an_agency_has_answered_the_refusal_says_what_to_do():
    one = progress.answered(filed(), answered("granted"), around()).state
    with pytest.raises(NotAllowed) as refused:
        corrected(one, form={"copies": 2})
    assert refused.value.code == "answered_already"
    for said in (AGENCY.name, "rút hồ sơ", "cải chính"):
        assert said in refused.value.vi
    assert from_row(to_row(one)) == one


def test_an_answer_that_ends_nothing_closes_no_correction():
    for event in (answered(None), answered(None, rule="already_answered")):
        assert progress.answered(filed(), event, around()).state is None
    assert progress.answered(None, answered("granted"), around()).state is None


def test_who_answered_before_the_correction_came_is_noted_once():
    one = corrected(filed(), form={"full_name": "Nguyễn Thị Mây"}).state
    event = CorrectionOvertaken(
        dossier=CODE, number=1, step=STEP, agency=AGENCY, task="t1", overtaken_at=NOW
    )
    once = progress.overtaken(one, event, around()).state
    twice = progress.overtaken(once, event, around()).state
    assert [c.overtaken for c in twice.corrections] == [(AGENCY.name,)]


def test_so_many_times_and_no_more():
    one = filed()
    for number in range(correcting.MOST_CORRECTIONS):
        one = corrected(one, form={"copies": number + 2}).state
    with pytest.raises(InvalidInput, match="was corrected 20 times"):
        corrected(one, form={"copies": 1})
